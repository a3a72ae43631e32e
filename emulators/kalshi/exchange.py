"""The public half of the trade API: markets, events, series, the exchange's state, the cutoff."""

from collections.abc import Callable, Iterable

from emulators import paging
from emulators.kalshi import market_rows, query
from emulators.kalshi.errors import NOT_FOUND
from emulators.server import Reply, Request
from emulators.world import instant
from emulators.world.instant import SECOND
from emulators.world.market import Event, Market
from emulators.world.world import World

Keep = Callable[[Market], bool]

_FILTERS = {
    "unopened": ("initialized",),
    "open": ("active",),
    "paused": ("inactive",),
    "closed": ("closed", "determined"),
    "settled": ("finalized",),
}
_SPANS = ("created", "close", "settled", "updated")


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
    now = world.advance()
    wanted, status = request.one("series_ticker"), request.one("status")
    tickers = query.several(request, "tickers")
    least = query.whole(request, "min_close_ts", 0) * SECOND
    found = [
        event
        for event in world.catalog.events(now).values()
        if wanted in ("", event.series.ticker)
        and (not tickers or event.ticker in tickers)
        and event.close >= least
        and status in ("", _event_status(event, now))
    ]
    found.sort(key=_event_key)
    page, cursor = paging.newest(found, _event_key, request.one("cursor"), limit)
    rows = [market_rows.event(event) for event in page]
    if request.one("with_nested_markets") == "true":
        rows = [{**row, "markets": _of_event(world, row["event_ticker"], now)} for row in rows]
    return Reply(200, {"events": rows, "cursor": cursor})


def event(world: World, request: Request, ticker: str) -> Reply:
    """Answer GET /events/{event_ticker}; its markets beside it, or inside when asked."""
    now = world.advance()
    found = world.catalog.events(now).get(ticker)
    if found is None:
        return NOT_FOUND
    rows = _of_event(world, ticker, now)
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


def cutoff(world: World, request: Request) -> Reply:
    """Answer GET /historical/cutoff."""
    del request
    at = instant.text(world.faults.cutoff(world.advance()))
    names = (
        "market_settled_ts", "trades_created_ts", "orders_updated_ts",
        "market_positions_last_updated_ts",
    )  # fmt: skip
    return Reply(200, dict.fromkeys(names, at))


def _markets(world: World, request: Request, now: int, keep: Keep) -> Reply:
    limit = query.limit(request, "GetMarkets", least=0)
    tickers = set(query.several(request, "tickers"))
    words = query.several(request, "status")
    statuses = [name for word in words for name in _FILTERS.get(word, ())]
    spans = {kind: query.span(request, f"{kind}_") for kind in _SPANS}
    found = [
        market
        for market in world.catalog.markets(now)
        if keep(market)
        and (not tickers or market.ticker in tickers)
        and (not words or market.status(now) in statuses)
        and request.one("event_ticker") in ("", market.event.ticker)
        and request.one("series_ticker") in ("", market.series.ticker)
        and request.one("mve_filter") != "only"
        and _within(market, spans, now)
    ]
    page, cursor = paging.newest(found, lambda m: (m.open, m.ticker), request.one("cursor"), limit)
    return Reply(200, {"markets": _rows(world, page, now), "cursor": cursor})


def _within(market: Market, spans: dict[str, tuple[int, int]], now: int) -> bool:
    times = {
        "created": market.created,
        "close": market.close,
        "settled": market.finalized,
        "updated": market_rows.updated(market, now),
    }
    return all(least <= times[kind] <= most for kind, (least, most) in spans.items())


def _rows(world: World, found: Iterable[Market], now: int) -> list[market_rows.Row]:
    return [market_rows.market(world, market, now) for market in found]


def _of_event(world: World, ticker: str, now: int) -> list[market_rows.Row]:
    return _rows(world, (m for m in world.catalog.markets(now) if m.event.ticker == ticker), now)


def _event_key(event: Event) -> tuple[int, str]:
    return event.open, event.ticker


def _event_status(event: Event, now: int) -> str:
    if now < event.open:
        return "unopened"
    return "open" if now < event.close else "settled"
