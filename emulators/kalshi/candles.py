"""Candlesticks sampled from the quotes: minutes, hours or days."""

from typing import Any

from emulators.kalshi import query
from emulators.kalshi.errors import NOT_FOUND, bad_request
from emulators.server import Reply, Request
from emulators.world.amount import FULL, count, price
from emulators.world.chance import draws
from emulators.world.instant import MINUTE, SECOND
from emulators.world.market import Market
from emulators.world.world import World

_PERIODS = (1, 60, 1_440)
_MOST = 5_000
_SAMPLES = 3
_QUIET = 0.3

Row = dict[str, Any]


def live(world: World, request: Request, series: str, ticker: str) -> Reply:
    """Answer GET /series/{series_ticker}/markets/{ticker}/candlesticks."""
    found = world.catalog.market(ticker, world.advance())
    if found is None or found.series.ticker != series:
        return NOT_FOUND
    return Reply(200, {"ticker": ticker, "candlesticks": _rows(world, request, found, live=True)})


def old(world: World, request: Request, ticker: str) -> Reply:
    """Answer GET /historical/markets/{ticker}/candlesticks, in its bare names."""
    found = world.catalog.market(ticker, world.advance())
    if found is None:
        return NOT_FOUND
    return Reply(200, {"ticker": ticker, "candlesticks": _rows(world, request, found, live=False)})


def batch(world: World, request: Request) -> Reply:
    """Answer GET /markets/candlesticks for a comma list of tickers."""
    now = world.advance()
    known = (world.catalog.market(name, now) for name in query.several(request, "market_tickers"))
    found = [
        {"market_ticker": market.ticker, "candlesticks": _rows(world, request, market, live=True)}
        for market in known
        if market
    ]
    return Reply(200, {"markets": found})


def _rows(world: World, request: Request, market: Market, *, live: bool) -> list[Row]:
    minutes = query.whole(request, "period_interval", 0)
    start, end = (query.whole(request, name, -1) * SECOND for name in ("start_ts", "end_ts"))
    if minutes not in _PERIODS or start < 0 or end < start:
        raise bad_request("start_ts, end_ts and a period_interval of 1, 60 or 1440 are required")
    width = minutes * MINUTE
    first = max(start, market.open)
    first += -first % width
    last = min(end, world.clock(), market.close + width - 1)
    ends = range(max(first, width), last + 1, width)
    if len(ends) > _MOST:
        raise bad_request(f"more than {_MOST} candlesticks")
    before = [first - width] if request.one("include_latest_before_start") == "true" else []
    wanted = [until for until in before if until > market.open and ends]
    return [_row(world, market, until, width, live=live) for until in (*wanted, *ends)]


def _row(world: World, market: Market, until: int, width: int, *, live: bool) -> Row:
    begin, end = max(market.open, until - width), min(until, market.close) - 1
    moments = [begin + (end - begin) * step // _SAMPLES for step in range(_SAMPLES + 1)]
    quotes = [world.quotes.book(market, moment) for moment in moments]
    quiet, size, *_ = draws(world.charter.seed, market.ticker, "candle", until, width)
    traded = [] if quiet < _QUIET else [min(max(ask, 1), FULL - 1) for _, ask in quotes]
    suffix, fp = ("_dollars", "_fp") if live else ("", "")
    return {
        "end_period_ts": until // SECOND,
        "yes_bid": _span([bid for bid, _ in quotes], suffix),
        "yes_ask": _span([ask for _, ask in quotes], suffix),
        "price": _traded(traded, suffix, live=live),
        f"volume{fp}": count(int(size * 50_000) if traded else 0),
        f"open_interest{fp}": count(int(size * 900_000)),
    }


def _traded(prices: list[int], suffix: str, *, live: bool) -> Row:
    names = ("open", "low", "high", "close", "mean", "previous")
    absent: Row = {} if live else dict.fromkeys(names)
    if not prices:
        return absent
    return {**absent, **_span(prices, suffix), f"mean{suffix}": price(sum(prices) // len(prices))}


def _span(prices: list[int], suffix: str) -> dict[str, str]:
    named = {"open": prices[0], "low": min(prices), "high": max(prices), "close": prices[-1]}
    return {f"{name}{suffix}": price(value) for name, value in named.items()}
