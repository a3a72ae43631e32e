"""The public half of the trade API: markets, events, series, the exchange's state, the cutoff."""

from collections.abc import Callable, Iterable

from emulators import paging
from emulators.kalshi import market_rows, query
from emulators.kalshi.errors import NOT_FOUND
from emulators.kalshi.throttle import REQUEST_COST
from emulators.server import Reply, Request
from emulators.world import instant
from emulators.world.market import Market
from emulators.world.world import World

Keep = Callable[[Market], bool]

_FILTERS = {
    "unopened": ("initialized",),
    "open": ("active",),
    "paused": ("inactive",),
    "closed": ("closed", "determined"),
    "settled": ("finalized",),
}


def markets(world: World, request: Request) -> Reply:
    """Answer GET /markets: what is not archived, newest first."""
    now = world.advance()
    cutoff = world.faults.cutoff(now)
    return _markets(world, request, now, lambda market: market.finalized >= cutoff)


def old_markets(world: World, request: Request) -> Reply:
    """Answer GET /historical/markets: what was settled before the cutoff."""
    now = world.advance()
    cutoff = world.faults.cutoff(now)
    return _markets(world, request, now, lambda market: market.finalized < cutoff)


def market(world: World, request: Request, ticker: str) -> Reply:
    """Answer GET /markets/{ticker}."""
    del request
    now = world.advance()
    found = world.catalog.market(ticker, now)
    if found is None or found.finalized < world.faults.cutoff(now):
        return NOT_FOUND
    return Reply(200, {"market": market_rows.market(world, found, now)})


def old_market(world: World, request: Request, ticker: str) -> Reply:
    """Answer GET /historical/markets/{ticker}."""
    del request
    now = world.advance()
    found = world.catalog.market(ticker, now)
    if found is None or found.finalized >= world.faults.cutoff(now):
        return NOT_FOUND
    return Reply(200, {"market": market_rows.market(world, found, now)})


def events(world: World, request: Request) -> Reply:
    """Answer GET /events, newest first."""
    limit = query.limit(request, "GetEvents")
    wanted = request.one("series_ticker")
    tickers = query.several(request, "tickers")
    found = [
        event
        for event in world.catalog.events(world.advance()).values()
        if wanted in ("", event.series.ticker) and (not tickers or event.ticker in tickers)
    ]
    found.sort(key=lambda event: (event.open, event.ticker))
    page, cursor = paging.newest(
        found, lambda event: (event.open, event.ticker), request.one("cursor"), limit
    )
    return Reply(200, {"events": [market_rows.event(event) for event in page], "cursor": cursor})


def event(world: World, request: Request, ticker: str) -> Reply:
    """Answer GET /events/{event_ticker}; its markets beside it, or inside when asked."""
    now = world.advance()
    found = world.catalog.events(now).get(ticker)
    if found is None:
        return NOT_FOUND
    rows = _rows(world, (m for m in world.catalog.markets(now) if m.event.ticker == ticker), now)
    body = market_rows.event(found)
    if request.one("with_nested_markets") == "true":
        return Reply(200, {"event": {**body, "markets": rows}, "markets": []})
    return Reply(200, {"event": body, "markets": rows})


def all_series(world: World, request: Request) -> Reply:
    """Answer GET /series."""
    wanted = request.one("category")
    found = world.catalog.series(world.advance()).values()
    rows = [market_rows.series(series) for series in found if wanted in ("", series.category)]
    return Reply(200, {"series": rows})


def series(world: World, request: Request, ticker: str) -> Reply:
    """Answer GET /series/{series_ticker}."""
    del request
    found = world.catalog.series(world.advance()).get(ticker)
    return Reply(200, {"series": market_rows.series(found)}) if found else NOT_FOUND


def status(world: World, request: Request) -> Reply:
    """Answer GET /exchange/status."""
    del world, request
    return Reply(200, {"exchange_active": True, "trading_active": True})


def cutoff(world: World, request: Request) -> Reply:
    """Answer GET /historical/cutoff."""
    del request
    at = instant.text(world.faults.cutoff(world.advance()))
    names = (
        "market_settled_ts", "trades_created_ts", "orders_updated_ts",
        "market_positions_last_updated_ts",
    )  # fmt: skip
    return Reply(200, dict.fromkeys(names, at))


def limits(world: World, request: Request) -> Reply:
    """Answer GET /account/limits."""
    del request
    read, write = ({"refill_rate": rate, "bucket_capacity": rate} for rate in _rates(world))
    return Reply(200, {"usage_tier": "basic", "read": read, "write": write, "grants": []})


def costs(world: World, request: Request) -> Reply:
    """Answer GET /account/endpoint_costs."""
    del world, request
    return Reply(200, {"default_cost": REQUEST_COST, "endpoint_costs": []})


def _rates(world: World) -> tuple[int, int]:
    return world.faults.read_tokens, 100


def _markets(world: World, request: Request, now: int, keep: Keep) -> Reply:
    limit = query.limit(request, "GetMarkets", least=0)
    tickers = set(query.several(request, "tickers"))
    words = query.several(request, "status")
    statuses = [name for word in words for name in _FILTERS.get(word, ())]
    spans = {kind: query.span(request, f"{kind}_") for kind in ("created", "close", "settled")}
    found = [
        market
        for market in world.catalog.markets(now)
        if keep(market)
        and (not tickers or market.ticker in tickers)
        and (not words or market.status(now) in statuses)
        and request.one("event_ticker") in ("", market.event.ticker)
        and request.one("series_ticker") in ("", market.series.ticker)
        and request.one("mve_filter") != "only"
        and _within(market, spans)
    ]
    page, cursor = paging.newest(found, lambda m: (m.open, m.ticker), request.one("cursor"), limit)
    return Reply(200, {"markets": _rows(world, page, now), "cursor": cursor})


def _within(market: Market, spans: dict[str, tuple[int, int]]) -> bool:
    times = {"created": market.created, "close": market.close, "settled": market.finalized}
    return all(least <= times[kind] <= most for kind, (least, most) in spans.items())


def _rows(world: World, found: Iterable[Market], now: int) -> list[market_rows.Row]:
    return [market_rows.market(world, market, now) for market in found]
