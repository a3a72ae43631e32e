"""The public's trades, live and historical."""

from collections.abc import Iterator
from itertools import islice

from emulators import paging
from emulators.kalshi import query, reported, rows
from emulators.server import Reply, Request
from emulators.world.prints import Print
from emulators.world.world import World


def live(world: World, request: Request) -> Reply:
    """Answer GET /markets/trades: from the cutoff on, newest first."""
    now = world.advance()
    return _trades(world, request, world.faults.cutoff(now), now)


def old(world: World, request: Request) -> Reply:
    """Answer GET /historical/trades: before the cutoff, newest first."""
    return _trades(world, request, world.charter.begin, world.faults.cutoff(world.advance()) - 1)


def _trades(world: World, request: Request, least: int, most: int) -> Reply:
    limit = query.limit(request, "GetTrades", least=0)
    if request.one("is_block_trade") == "true":
        return Reply(200, {"trades": [], "cursor": ""})
    since, until = query.span(request)
    page = list(islice(_after(world, request, max(since, least), min(until, most)), limit + 1))
    found, more = page[:limit], len(page) > limit
    return Reply(
        200,
        {
            "trades": [reported.plain(world, rows.trade(one)) for one in found],
            "cursor": paging.encoded(*found[-1].key) if more else "",
        },
    )


def _after(world: World, request: Request, least: int, most: int) -> Iterator[Print]:
    place = paging.decoded(request.one("cursor")) if request.one("cursor") else None
    key: tuple[int, str] | None = None
    if place is not None and [type(part) for part in place] == [int, str]:
        key = place[0], place[1]
        most = min(most, key[0])
    ticker = request.one("ticker")
    fills = world.served.by_ticker.get(ticker, []) if ticker else world.served.fills
    found = world.prints.newest(fills, least, most, ticker)
    return (one for one in found if key is None or one.key < key)
