"""The account's fills, and the orders behind them, live and historical."""

from collections.abc import Callable, Sequence

from emulators import paging
from emulators.kalshi import query, reported, rows
from emulators.kalshi.errors import NOT_FOUND
from emulators.server import Reply, Request
from emulators.world.chance import identifier
from emulators.world.holding import Fill
from emulators.world.world import World

Window = tuple[int, int]
Keep = Callable[[Fill], bool]
_EVER = 2**62


def live(world: World, request: Request) -> Reply:
    """Answer GET /portfolio/fills: from the cutoff on, newest first."""
    return _fills(world, request, (world.faults.cutoff(world.advance()), _EVER))


def old(world: World, request: Request) -> Reply:
    """Answer GET /historical/fills: before the cutoff, newest first."""
    return _fills(world, request, (0, world.faults.cutoff(world.advance()) - 1))


def live_orders(world: World, request: Request) -> Reply:
    """Answer GET /portfolio/orders: the executed order of each fill from the cutoff on."""
    return _orders(world, request, (world.faults.cutoff(world.advance()), _EVER))


def old_orders(world: World, request: Request) -> Reply:
    """Answer GET /historical/orders."""
    return _orders(world, request, (0, world.faults.cutoff(world.advance()) - 1))


def order(world: World, request: Request, order_id: str) -> Reply:
    """Answer GET /portfolio/orders/{order_id}."""
    del request
    world.advance()
    found = [fill for fill in world.served.fills if fill.order_id == order_id]
    return Reply(200, {"order": _order(world, found[-1])}) if found else NOT_FOUND


def _fills(world: World, request: Request, window: Window) -> Reply:
    limit = query.limit(request, "GetFills")
    page, cursor = _page(request, _within(world, request, window), limit)
    return Reply(200, {"fills": reported.fills(world, page), "cursor": cursor})


def _orders(world: World, request: Request, window: Window) -> Reply:
    limit = query.limit(request, "GetOrders")
    events = query.several(request, "event_ticker")
    found = _within(world, request, window)
    if events:
        found = [fill for fill in found if _event(world, fill) in events]
    if request.one("status") not in ("", "executed"):
        found = []
    page, cursor = _page(request, found, limit)
    return Reply(200, {"orders": [_order(world, fill) for fill in page], "cursor": cursor})


def _within(world: World, request: Request, window: Window) -> Sequence[Fill]:
    since, until = query.span(request)
    tickers = query.several(request, "ticker")
    account = world.served
    tape = account.by_ticker.get(tickers[0], []) if len(tickers) == 1 else account.fills
    found = paging.between(
        tape, lambda fill: fill.time, max(since, window[0]), min(until, window[1])
    )
    keeps = _keeps(world, request)
    if not keeps:
        return found
    return [fill for fill in found if all(keep(fill) for keep in keeps)]


def _keeps(world: World, request: Request) -> list[Keep]:
    order_id, index = request.one("order_id"), request.one("exchange_index")
    subaccount = query.subaccount(request)
    tickers = set(query.several(request, "ticker"))
    keeps: list[Keep] = []
    if len(tickers) > 1:
        keeps.append(lambda fill: fill.ticker in tickers)
    if order_id:
        keeps.append(lambda fill: fill.order_id == order_id)
    if index:
        keeps.append(lambda fill: str(_index(world, fill)) == index)
    if subaccount is not None:
        keeps.append(lambda fill: fill.subaccount == subaccount)
    if world.discrepancies.hides:
        keeps.append(lambda fill: not world.discrepancies.hidden(fill.fill_id))
    return keeps


def _page(request: Request, found: Sequence[Fill], limit: int) -> tuple[list[Fill], str]:
    return paging.newest(found, lambda fill: fill.key, request.one("cursor"), limit)


def _order(world: World, fill: Fill) -> rows.Row:
    user = identifier(world.charter.seed, "user")
    return reported.plain(world, rows.order(fill, _index(world, fill), user))


def _index(world: World, fill: Fill) -> int:
    return world.served.market(fill.ticker).series.exchange_index


def _event(world: World, fill: Fill) -> str:
    return world.served.market(fill.ticker).event.ticker
