"""HubSpot's CRM, as far as deals go: lists, search, pipelines and the account, by a service key."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from threading import Lock
from typing import Any

from emulators import hubspot_rows, hubspot_search
from emulators.hubspot_search import Unsearchable
from emulators.server import Reply, Request, Service
from emulators.world.chance import identifier
from emulators.world.instant import SECOND
from emulators.world.world import World

VERSION = "2026-09"
OBJECTS = f"/crm/objects/{VERSION}/deals"
SEARCH = f"{OBJECTS}/search"
PIPELINES = f"/crm/pipelines/{VERSION}/deals"
ACCOUNT = f"/account-info/{VERSION}/details"
_DEFAULT, _LARGEST = 10, 100


class _Refused(Exception):
    """The request earns an error of HubSpot's own shape."""

    def __init__(self, status: int, category: str, message: str) -> None:
        super().__init__(message)
        self.status, self.category = status, category


def service(world: World, token: str) -> Service:
    """Return HubSpot over a world's deals, for the holder of `token`."""
    searches = _Pace()

    def search(request: Request) -> Any:  # noqa: ANN401 - JSON
        if not searches.passes(world.clock(), world.faults.deals.searches):
            raise _Refused(429, "RATE_LIMITS", "You have reached your secondly limit.")
        return _search(world, request)

    routes: dict[tuple[str, str], Callable[[Request], Any]] = {
        ("GET", OBJECTS): lambda request: _list(world, request),
        ("POST", SEARCH): search,
        ("GET", PIPELINES): lambda _: {"results": [hubspot_rows.PIPELINE]},
        ("GET", ACCOUNT): lambda _: _account(world),
    }

    def answer(request: Request) -> Reply:
        try:
            _admit(request, token)
            route = routes.get((request.method, request.path), _nowhere)
            with world.lock:
                return Reply(200, route(request))
        except _Refused as refused:
            return _error(world, refused)

    return answer


def _admit(request: Request, token: str) -> None:
    if request.header("authorization") != f"Bearer {token}":
        raise _Refused(401, "INVALID_AUTHENTICATION", "Authentication credentials not found")


def _nowhere(request: Request) -> Any:  # noqa: ANN401 - as the routes
    raise _Refused(404, "OBJECT_NOT_FOUND", f"no resource at {request.path}")


class _Pace:
    """How many requests this second has seen."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._second = 0
        self._seen = 0

    def passes(self, now: int, most: int) -> bool:
        """Count one more; False when it is one too many."""
        with self._lock:
            if now // SECOND != self._second:
                self._second, self._seen = now // SECOND, 0
            self._seen += 1
            return self._seen <= most


def _error(world: World, refused: _Refused) -> Reply:
    body = {
        "status": "error",
        "message": str(refused),
        "correlationId": identifier(world.charter.seed, "correlation", world.clock()),
        "category": refused.category,
    }
    limited = {"errorType": "RATE_LIMIT", "policyName": "SECONDLY"}
    return Reply(refused.status, body | (limited if refused.status == 429 else {}))  # noqa: PLR2004 - HTTP's


def _list(world: World, request: Request) -> dict[str, Any]:
    text = request.one("limit") or str(_DEFAULT)
    if not text.isdecimal() or not 1 <= int(text) <= _LARGEST:
        raise _Refused(400, "VALIDATION_ERROR", f"limit must be between 1 and {_LARGEST}")
    after = request.one("after") or "0"
    if not after.isdecimal():
        raise _Refused(400, "VALIDATION_ERROR", "after is not a valid cursor")
    wanted = tuple(request.one("properties").split(","))
    archived = request.one("archived") == "true"
    known = hubspot_rows.rows(world, archived=archived, wanted=wanted)
    found = sorted(
        (row for row in known if int(row["id"]) > int(after)), key=lambda row: int(row["id"])
    )
    return _paged(found[: int(text)], found[int(text) :], lambda row: str(row["id"]))


def _search(world: World, request: Request) -> dict[str, Any]:
    try:
        asked = hubspot_search.asked(json.loads(request.body or b"{}"), world.faults.deals.ceiling)
    except (Unsearchable, ValueError, TypeError) as error:
        raise _Refused(400, "VALIDATION_ERROR", f"Invalid input: {error}") from error
    found = asked.among(hubspot_rows.rows(world, archived=False, wanted=asked.properties))
    end = asked.after + asked.limit
    page = _paged(found[asked.after : end], found[end:], lambda _: str(end))
    return {"total": len(found), **page}


def _paged(
    page: list[dict[str, Any]], rest: list[dict[str, Any]], after: Callable[[dict[str, Any]], str]
) -> dict[str, Any]:
    if not rest:
        return {"results": page}
    place = after(page[-1])
    link = urlsafe_b64encode(place.encode()).decode()
    return {"results": page, "paging": {"next": {"after": place, "link": f"?after={link}"}}}


def _account(world: World) -> dict[str, Any]:
    if not world.faults.deals.account:
        raise _Refused(403, "MISSING_SCOPES", "The service key may not read the account")
    return {
        "portalId": 62_515,
        "accountType": "STANDARD",
        "timeZone": "US/Pacific",
        "companyCurrency": world.faults.deals.currency,
        "additionalCurrencies": ["EUR"],
        "utcOffset": "-08:00",
        "utcOffsetMilliseconds": -28_800_000,
        "uiDomain": "app.hubspot.com",
        "dataHostingLocation": "na1",
    }
