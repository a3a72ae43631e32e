"""What the account holds and what it was paid at the end: positions and settlements."""

from collections.abc import Iterable

from emulators import paging
from emulators.kalshi import query, reported, rows
from emulators.kalshi.errors import bad_request
from emulators.server import Reply, Request
from emulators.world.holding import Holding
from emulators.world.market import Market
from emulators.world.world import World

Pair = tuple[Market, Holding]

_STATUSES = ("unsettled", "settled", "all")


def live_positions(world: World, request: Request) -> Reply:
    """Answer GET /portfolio/positions: unsettled by default; settled ones from the cutoff on."""
    cutoff = world.faults.cutoff(world.advance())
    asked = request.one("settlement_status") or "unsettled"
    if asked not in _STATUSES:
        raise bad_request(f"settlement_status: {asked!r} is not one of {', '.join(_STATUSES)}")
    pairs = [
        (market, holding)
        for market, holding in _held(world, request)
        if _wanted(asked, settled=market.finalized <= world.served.seen)
        and (market.finalized > world.served.seen or holding.updated >= cutoff)
    ]
    return _positions(world, request, pairs, asked)


def old_positions(world: World, request: Request) -> Reply:
    """Answer GET /historical/positions: settled ones, last updated before the cutoff."""
    cutoff = world.faults.cutoff(world.advance())
    pairs = [
        (market, holding)
        for market, holding in _held(world, request)
        if market.finalized <= world.served.seen and holding.updated < cutoff
    ]
    return _positions(world, request, pairs, "historical")


def settlements(world: World, request: Request) -> Reply:
    """Answer GET /portfolio/settlements: newest first, without an archive.

    One row per market: of all subaccounts together, or of the one that is asked for.
    """
    limit = query.limit(request, "GetSettlements")
    least, most = query.span(request)
    world.advance()
    pairs = [
        (market, holding)
        for market, holding in world.served.settled(query.subaccount(request))
        if _named(request, market) and least <= market.finalized <= most
    ]
    page, cursor = paging.newest(pairs, _settled_key, request.one("cursor"), limit)
    found = [
        reported.settlement(
            world.discrepancies, rows.settlement(market, holding, world.catalog.outcome(market))
        )
        for market, holding in page
    ]
    return Reply(200, {"settlements": found, "cursor": cursor})


def _held(world: World, request: Request) -> Iterable[Pair]:
    return world.served.holdings(query.subaccount(request) or 0)


def _positions(world: World, request: Request, pairs: list[Pair], status: str) -> Reply:
    limit = query.limit(request, "GetPositions")
    filters = query.several(request, "count_filter")
    found = [pair for pair in pairs if _named(request, pair[0]) and _counted(pair[1], filters)]
    found.sort(key=lambda pair: (status, pair[0].event.ticker, pair[0].ticker))
    cursor = request.one("cursor")
    place = paging.decoded(cursor) if cursor else None
    if place is not None and place[:1] != [status]:
        cursor = ""
    page, after = paging.newest(
        found, lambda pair: (status, pair[0].event.ticker, pair[0].ticker), cursor, limit
    )
    body = {
        "market_positions": [
            reported.position(world.discrepancies, rows.position(market, holding))
            for market, holding in page
        ],
        "event_positions": rows.event_positions(page),
        "cursor": after,
    }
    return Reply(200, body)


def _wanted(asked: str, *, settled: bool) -> bool:
    return asked == "all" or settled == (asked == "settled")


def _named(request: Request, market: Market) -> bool:
    ticker, event = request.one("ticker"), request.one("event_ticker")
    index = request.one("exchange_index")
    return (
        ticker in ("", market.ticker)
        and event in ("", market.event.ticker)
        and index in ("", str(market.series.exchange_index))
    )


def _counted(holding: Holding, filters: list[str]) -> bool:
    figures = {"position": holding.position, "total_traded": holding.traded}
    return all(figures.get(name, 1) for name in filters)


def _settled_key(pair: Pair) -> tuple[int, str]:
    return pair[0].finalized, pair[0].ticker
