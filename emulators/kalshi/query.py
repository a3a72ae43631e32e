"""The parameters Kalshi's lists share: limit, times in seconds, comma lists."""

from emulators.kalshi.errors import bad_request, limit_refused
from emulators.server import Request
from emulators.world.instant import SECOND

_LARGEST = 1_000


def limit(request: Request, call: str, least: int = 1, most: int = _LARGEST) -> int:
    """Return how many rows are asked for, 100 by default; BadRequest beyond `most`."""
    asked = whole(request, "limit", 100)
    if asked > most:
        raise limit_refused(call, "lte")
    if asked < least:
        raise limit_refused(call, "gte")
    return asked or 100


def whole(request: Request, name: str, default: int) -> int:
    """Return an integer parameter; BadRequest when it is none."""
    text = request.one(name)
    if not text:
        return default
    try:
        return int(text)
    except ValueError as error:
        raise bad_request(f"{name}: cannot parse {text!r} as an integer") from error


def subaccount(request: Request) -> int | None:
    """Return the subaccount asked for; None when none is named."""
    return whole(request, "subaccount", 0) if request.one("subaccount") else None


def span(request: Request, kind: str = "") -> tuple[int, int]:
    """Return the instants of min_…ts and max_…ts: the first included, the second's whole second."""
    least = whole(request, f"min_{kind}ts", 0) * SECOND
    most = whole(request, f"max_{kind}ts", 0)
    return least, (most + 1) * SECOND - 1 if most else 2**62


def several(request: Request, name: str) -> list[str]:
    """Return the members of a comma list."""
    return [part for part in request.one(name).split(",") if part]
