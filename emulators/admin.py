"""The door behind the stage, for loopback only: inject, hold still, break, compare."""

import json
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from emulators.kalshi import market_rows, reported, rows
from emulators.server import Reply, Request, Service
from emulators.world import instant
from emulators.world.holding import Fill
from emulators.world.journal import Entry
from emulators.world.totals import totals
from emulators.world.world import World

Answer = Callable[[], Any]

_KINDS = (
    "fill", "settlement", "cost", "deal", "fault", "trader", "marks", "deposit", "withdrawal",
    "discrepancy",
)  # fmt: skip


def service(world: World) -> Service:
    """Return the admin routes of a world: GET one of `answers`, POST one of ten kinds."""
    answers: dict[str, Answer] = {
        "/totals": lambda: totals(world),
        "/fault": lambda: world.faults.shown(world.clock()),
        "/discrepancy": world.discrepancies.shown,
    }

    def answer(request: Request) -> Reply:
        if not local(request.peer):
            return _error(403, "loopback only")
        if request.method == "GET" and request.path in answers:
            return Reply(200, answers[request.path]())
        kind = request.path.removeprefix("/")
        if request.method != "POST" or kind not in _KINDS:
            return _error(404, f"GET {', '.join(answers)} or POST {', '.join(_KINDS)}")
        try:
            return Reply(200, _shown(world, world.tell(kind, _wish(request))))
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            return _error(400, f"{type(error).__name__}: {error}")

    return answer


def local(peer: str) -> bool:
    """Return whether an address is this machine's own loopback."""
    return ip_address(peer.partition("%")[0]).is_loopback


def _wish(request: Request) -> dict[str, Any]:
    wish = json.loads(request.body or b"{}")
    if not isinstance(wish, dict):
        raise TypeError("the body must be a JSON object")
    return wish


def _shown(world: World, entry: Entry) -> Any:  # noqa: ANN401 - whatever becomes JSON
    body = entry.body
    with world.lock:
        now = world.advance()
        if entry.kind == "fill":
            index = world.account.market(body["ticker"]).series.exchange_index
            return reported.plain(world, rows.fill(Fill(**body), index))
        if entry.kind == "discrepancy":
            return world.discrepancies.shown()
        if entry.kind == "fault":
            return world.faults.shown(now)
        if entry.kind == "marks" and "ticker" in body:
            market = world.catalog.market(body["ticker"], now)
            return market_rows.market(world, market, now) if market else body
        if entry.kind in ("settlement", "deposit", "withdrawal"):
            return {**body, "time": instant.text(body["time"])}
        return body


def _error(status: int, message: str) -> Reply:
    return Reply(status, {"error": {"code": str(status), "message": message}})
