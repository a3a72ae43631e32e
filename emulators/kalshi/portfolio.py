"""The signed half of the trade API: fills, positions, settlements, orders, balance."""

from operator import attrgetter

from emulators import paging
from emulators.kalshi import query, rows
from emulators.kalshi.errors import bad_request
from emulators.server import Reply, Request
from emulators.world import instant
from emulators.world.amount import CENT, FULL, fixed, notional
from emulators.world.chance import identifier
from emulators.world.holding import Fill, Holding
from emulators.world.instant import SECOND
from emulators.world.market import Market
from emulators.world.world import World

Pair = tuple[Market, Holding]

_by_key = attrgetter("key")
_STATUSES = ("unsettled", "settled", "all")


def live_fills(world: World, request: Request) -> Reply:
    """Answer GET /portfolio/fills: from the cutoff on, newest first."""
    cutoff = world.faults.cutoff(world.advance())
    return _fills(world, request, cutoff, 2**62)


def old_fills(world: World, request: Request) -> Reply:
    """Answer GET /historical/fills: before the cutoff, newest first."""
    return _fills(world, request, 0, world.faults.cutoff(world.advance()) - 1)


def live_orders(world: World, request: Request) -> Reply:
    """Answer GET /portfolio/orders: the executed order of each fill from the cutoff on."""
    return _orders(world, request, world.faults.cutoff(world.advance()), 2**62)


def old_orders(world: World, request: Request) -> Reply:
    """Answer GET /historical/orders."""
    return _orders(world, request, 0, world.faults.cutoff(world.advance()) - 1)


def live_positions(world: World, request: Request) -> Reply:
    """Answer GET /portfolio/positions: unsettled by default; settled ones from the cutoff on."""
    cutoff = world.faults.cutoff(world.advance())
    asked = request.one("settlement_status") or "unsettled"
    if asked not in _STATUSES:
        raise bad_request(f"settlement_status: {asked!r} is not one of {', '.join(_STATUSES)}")
    pairs = [
        (market, holding)
        for market, holding in world.account.holdings()
        if _wanted(asked, settled=market.finalized <= world.account.seen)
        and (market.finalized > world.account.seen or holding.updated >= cutoff)
    ]
    return _positions(request, pairs, asked)


def old_positions(world: World, request: Request) -> Reply:
    """Answer GET /historical/positions: settled ones, last updated before the cutoff."""
    cutoff = world.faults.cutoff(world.advance())
    pairs = [
        (market, holding)
        for market, holding in world.account.holdings()
        if market.finalized <= world.account.seen and holding.updated < cutoff
    ]
    return _positions(request, pairs, "historical")


def settlements(world: World, request: Request) -> Reply:
    """Answer GET /portfolio/settlements: all of them, newest first; there is no other archive."""
    limit = query.limit(request, "GetSettlements")
    least, most = query.span(request)
    world.advance()
    pairs = [
        (market, holding)
        for market, holding in world.account.settled()
        if _named(request, market) and least <= market.finalized <= most
    ]
    page, cursor = paging.newest(pairs, _settled_key, request.one("cursor"), limit)
    outcome = world.catalog.outcome
    found = [rows.settlement(market, holding, outcome(market)) for market, holding in page]
    return Reply(200, {"settlements": found, "cursor": cursor})


def balance(world: World, request: Request) -> Reply:
    """Answer GET /portfolio/balance: cash in whole cents, positions at the last price."""
    now = world.advance()
    cash = world.account.balances()
    asked = request.one("exchange_index")
    total = cash.get(query.whole(request, "exchange_index", 0), 0) if asked else sum(cash.values())
    worth = sum(
        _at_last(world, market, holding, now)
        for market, holding in world.account.holdings()
        if holding.position and asked in ("", str(market.series.exchange_index))
    )
    parts = [
        {"exchange_index": index, "balance": fixed(_floored(amount), 4)}
        for index, amount in cash.items()
    ]
    body = {
        "balance": total // CENT,
        "balance_dollars": fixed(_floored(total), 4),
        "portfolio_value": worth // CENT,
        "updated_ts": world.account.seen // SECOND,
        "balance_breakdown": parts,
    }
    return Reply(200, body)


def deposits(world: World, request: Request) -> Reply:
    """Answer GET /portfolio/deposits."""
    query.limit(request, "GetDeposits")
    found = [rows.deposit(deposit) for deposit in world.account.deposits]
    return Reply(200, {"deposits": found, "cursor": ""})


def withdrawals(world: World, request: Request) -> Reply:
    """Answer GET /portfolio/withdrawals: there was none."""
    del world
    query.limit(request, "GetWithdrawals")
    return Reply(200, {"withdrawals": [], "cursor": ""})


def freshness(world: World, request: Request) -> Reply:
    """Answer GET /exchange/user_data_timestamp: up to when the account is served."""
    del request
    world.advance()
    return Reply(200, {"as_of_time": instant.text(world.account.seen)})


def _fills(world: World, request: Request, least: int, most: int) -> Reply:
    page, cursor = _fill_page(world, request, "GetFills", (least, most))
    found = [rows.fill(fill, _index(world, fill)) for fill in page]
    return Reply(200, {"fills": found, "cursor": cursor})


def _orders(world: World, request: Request, least: int, most: int) -> Reply:
    page, cursor = _fill_page(world, request, "GetOrders", (least, most))
    user = identifier(world.charter.seed, "user")
    found = [rows.order(fill, _index(world, fill), user) for fill in page]
    if request.one("status") not in ("", "executed"):
        found, cursor = [], ""
    return Reply(200, {"orders": found, "cursor": cursor})


def _fill_page(
    world: World, request: Request, call: str, window: tuple[int, int]
) -> tuple[list[Fill], str]:
    limit = query.limit(request, call)
    since, until = query.span(request)
    least, most = max(since, window[0]), min(until, window[1])
    ticker, order_id = request.one("ticker"), request.one("order_id")
    account = world.account
    own = request.one("subaccount") in ("", "0")
    tape = account.by_ticker.get(ticker, []) if ticker else account.fills
    fills = paging.between(tape if own else [], _by_time, least, most)
    if order_id:
        fills = [fill for fill in fills if fill.order_id == order_id]
    asked = request.one("exchange_index")
    if asked:
        fills = [fill for fill in fills if str(_index(world, fill)) == asked]
    return paging.newest(fills, _by_key, request.one("cursor"), limit)


def _positions(request: Request, pairs: list[Pair], status: str) -> Reply:
    limit = query.limit(request, "GetPositions")
    filters = query.several(request, "count_filter")
    found = [pair for pair in pairs if _named(request, pair[0]) and _counted(pair[1], filters)]
    if request.one("subaccount") not in ("", "0"):
        found = []
    found.sort(key=lambda pair: (status, pair[0].event.ticker, pair[0].ticker))
    cursor = request.one("cursor")
    place = paging.decoded(cursor) if cursor else None
    if place is not None and place[:1] != [status]:
        cursor = ""
    page, after = paging.newest(
        found, lambda pair: (status, pair[0].event.ticker, pair[0].ticker), cursor, limit
    )
    body = {
        "market_positions": [rows.position(market, holding) for market, holding in page],
        "event_positions": rows.event_positions(page),
        "cursor": after,
    }
    return Reply(200, body)


def _wanted(asked: str, *, settled: bool) -> bool:
    return asked == "all" or settled == (asked == "settled")


def _named(request: Request, market: Market) -> bool:
    ticker, event = request.one("ticker"), request.one("event_ticker")
    return ticker in ("", market.ticker) and event in ("", market.event.ticker)


def _counted(holding: Holding, filters: list[str]) -> bool:
    figures = {"position": holding.position, "total_traded": holding.traded}
    return all(figures.get(name, 1) for name in filters)


def _settled_key(pair: Pair) -> tuple[int, str]:
    return pair[0].finalized, pair[0].ticker


def _by_time(fill: Fill) -> int:
    return fill.time


def _index(world: World, fill: Fill) -> int:
    return world.account.market(fill.ticker).series.exchange_index


def _at_last(world: World, market: Market, holding: Holding, now: int) -> int:
    last = world.quote(market, now).last
    if now >= market.determined:
        last = world.catalog.outcome(market).price
    return notional(last if holding.position > 0 else FULL - last, abs(holding.position))


def _floored(nano: int) -> int:
    return nano - nano % 100_000
