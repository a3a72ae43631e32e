"""Order books: bids of both sides, ascending, the best last."""

from emulators.kalshi import query
from emulators.kalshi.errors import NOT_FOUND, bad_request
from emulators.server import Reply, Request
from emulators.world.amount import count, price
from emulators.world.depth import Levels, depth
from emulators.world.market import Market
from emulators.world.world import World

_DEEPEST = 100


def one(world: World, request: Request, ticker: str) -> Reply:
    """Answer GET /markets/{ticker}/orderbook."""
    market = world.catalog.market(ticker, world.advance())
    if market is None:
        return NOT_FOUND
    return Reply(200, {"orderbook_fp": _book(world, market, _depth(request))})


def several(world: World, request: Request) -> Reply:
    """Answer GET /markets/orderbooks for tickers, repeated or in a comma list."""
    now = world.advance()
    named = [name for text in request.query.get("tickers", ()) for name in text.split(",")]
    if not named:
        raise bad_request("tickers is required")
    found = (world.catalog.market(name, now) for name in named)
    books = [
        {"ticker": market.ticker, "orderbook_fp": _book(world, market, 0)}
        for market in found
        if market
    ]
    return Reply(200, {"orderbooks": books})


def _depth(request: Request) -> int:
    asked = query.whole(request, "depth", 0)
    if asked > _DEEPEST:
        raise bad_request(f"depth is {_DEEPEST} at most")
    return max(0, asked)


def _book(world: World, market: Market, most: int) -> dict[str, list[list[str]]]:
    now = world.clock()
    sides = depth(world.charter.seed, market, world.quote(market, now), now)
    return {f"{side}_dollars": _levels(levels, most) for side, levels in sides.items()}


def _levels(levels: Levels, most: int) -> list[list[str]]:
    best = sorted(levels.items())[-most:]
    return [[price(at), count(size)] for at, size in best]
