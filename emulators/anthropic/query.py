"""The parameters the reports share: instants, limits, groups, filters."""

from collections.abc import Iterable, Iterator

from emulators.anthropic.errors import Refused
from emulators.server import Request
from emulators.world import instant
from emulators.world.instant import DAY, HOUR, MINUTE
from emulators.world.spend import Line, Spend

WIDTHS = {"1m": MINUTE, "1h": HOUR, "1d": DAY}
_FILTERS = (
    ("models[]", "model"),
    ("workspace_ids[]", "workspace_id"),
    ("api_key_ids[]", "api_key_id"),
    ("service_tiers[]", "service_tier"),
    ("context_window[]", "context_window"),
    ("inference_geos[]", "inference_geo"),
    ("speeds[]", "speed"),
)


def moment(request: Request, name: str) -> int | None:
    """Return an RFC 3339 parameter; Refused when it cannot be read."""
    text = request.one(name)
    if not text:
        return None
    try:
        return instant.parse(text.replace(" ", "+"))
    except ValueError as error:
        raise Refused(400, f"{name}: Input should be a valid RFC 3339 datetime") from error


def beginning(request: Request) -> int:
    """Return starting_at, which is required."""
    found = moment(request, "starting_at")
    if found is None:
        raise Refused(400, "starting_at: Field required")
    return found


def limit(request: Request, default: int, most: int) -> int:
    """Return how many rows or buckets are asked for; Refused outside 1 to `most`."""
    text = request.one("limit") or str(default)
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise Refused(400, f"limit: Input should be an integer from 1 to {most}")
    return int(text)


def width(request: Request, name: str, default: str) -> str:
    """Return a bucket width, 1m, 1h or 1d; Refused for another."""
    text = request.one(name) or default
    if text and text not in WIDTHS:
        raise Refused(400, f"{name}: Input should be one of {', '.join(WIDTHS)}")
    return text


def groups(request: Request, allowed: frozenset[str]) -> tuple[str, ...]:
    """Return the names of group_by[], each once; Refused for one that is not allowed."""
    names = tuple(dict.fromkeys(request.query.get("group_by[]", ())))
    for name in names:
        if name not in allowed:
            raise Refused(400, f"group_by: {name!r} is not supported here")
    return names


def kept(request: Request, spend: Spend, lines: Iterable[Line]) -> Iterator[Line]:
    """Yield the lines that pass the filters."""
    wanted = {name: request.query[field] for field, name in _FILTERS if field in request.query}
    for line in lines:
        if all(member(spend, line, name) in values for name, values in wanted.items()):
            yield line


def member(spend: Spend, line: Line, name: str) -> str | None:
    """Return what a line is under one group name; None where nothing is known."""
    terms = line.terms
    known = {
        "model": line.model,
        "workspace_id": spend.workspace_ids[line.workspace],
        "api_key_id": spend.key_ids[line.workspace],
        "token_type": line.token_type if line.cost_type == "tokens" else None,
        "cost_type": line.cost_type,
        "service_tier": terms.tier,
        "inference_geo": terms.geography,
        "speed": terms.speed,
        "context_window": terms.context,
        "product": "api",
    }
    return known.get(name)
