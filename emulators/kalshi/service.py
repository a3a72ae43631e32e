"""The trade API as one function: route, signature, rate, answer."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from emulators.kalshi import (
    books,
    candles,
    cash,
    changes,
    exchange,
    fills,
    hours,
    portfolio,
    trades,
)
from emulators.kalshi.errors import NOT_FOUND, TOO_MANY, BadRequest, forced
from emulators.kalshi.signature import PublicKey, refusal
from emulators.kalshi.stream import Stream
from emulators.kalshi.throttle import REQUEST_COST, Throttle
from emulators.server import Reply, Request, Service
from emulators.world.world import World

ROOT = "/trade-api/v2"
SOCKET = "/trade-api/ws/v2"

Answer = Callable[..., Reply]


@dataclass(frozen=True, slots=True)
class Route:
    """One GET: its pattern below the root, who answers, whether it must be signed."""

    pattern: re.Pattern[str]
    answer: Answer
    signed: bool


def _route(path: str, answer: Answer, *, signed: bool = False) -> Route:
    return Route(re.compile(re.sub(r"{}", "([^/]+)", path)), answer, signed)


ROUTES = (
    _route("/portfolio/fills", fills.live, signed=True),
    _route("/portfolio/orders", fills.live_orders, signed=True),
    _route("/portfolio/orders/{}", fills.order, signed=True),
    _route("/portfolio/positions", portfolio.live_positions, signed=True),
    _route("/portfolio/settlements", portfolio.settlements, signed=True),
    _route("/portfolio/balance", cash.balance, signed=True),
    _route("/portfolio/deposits", cash.deposits, signed=True),
    _route("/portfolio/withdrawals", cash.withdrawals, signed=True),
    _route("/historical/fills", fills.old, signed=True),
    _route("/historical/orders", fills.old_orders, signed=True),
    _route("/historical/positions", portfolio.old_positions, signed=True),
    _route("/account/limits", hours.limits, signed=True),
    _route("/account/endpoint_costs", hours.costs),
    _route("/exchange/status", hours.status),
    _route("/exchange/schedule", hours.schedule),
    _route("/exchange/user_data_timestamp", cash.freshness),
    _route("/historical/cutoff", exchange.cutoff),
    _route("/historical/markets", exchange.old_markets),
    _route("/historical/markets/{}", exchange.old_market),
    _route("/historical/markets/{}/candlesticks", candles.old),
    _route("/historical/trades", trades.old),
    _route("/markets", exchange.markets),
    _route("/markets/candlesticks", candles.batch),
    _route("/markets/orderbooks", books.several),
    _route("/markets/trades", trades.live),
    _route("/markets/{}/orderbook", books.one),
    _route("/markets/{}", exchange.market),
    _route("/events", exchange.events),
    _route("/events/fee_changes", changes.of_events),
    _route("/events/{}", exchange.event),
    _route("/series", exchange.all_series),
    _route("/series/fee_changes", changes.of_series),
    _route("/series/{}", exchange.series),
    _route("/series/{}/markets/{}/candlesticks", candles.live),
)


def service(world: World, keys: Mapping[str, PublicKey]) -> Service:
    """Return the trade API over a world; `keys` by key id."""
    stream = Stream(world, keys)
    buckets = {True: Throttle(), False: Throttle()}

    def answer(request: Request) -> Reply:
        if request.method == "GET" and request.path == SOCKET:
            return stream.handshake(request)
        found = _found(request)
        if found is None:
            return NOT_FOUND
        route, names = found
        now = world.clock()
        refused = refusal(request, keys, now // 1_000) if route.signed else None
        if refused:
            return refused
        path = request.path.removeprefix(ROOT)
        cost = hours.COSTS.get(path, REQUEST_COST)
        if not buckets[route.signed].admits(now, world.faults.read_tokens, cost):
            return TOO_MANY
        status = _wished(world, path, now)
        return forced(status) if status else _answered(world, route, request, names)

    return answer


def _wished(world: World, path: str, now: int) -> int | None:
    resting = path != "/exchange/status" and world.pauses.at(now)
    return (world.faults.kalshi.maintenance if resting else None) or (
        world.faults.kalshi.answer(path)
    )


def _answered(world: World, route: Route, request: Request, names: tuple[str, ...]) -> Reply:
    with world.lock:
        try:
            return route.answer(world, request, *names)
        except BadRequest as error:
            return error.reply


def _found(request: Request) -> tuple[Route, tuple[str, ...]] | None:
    if request.method != "GET" or not request.path.startswith(f"{ROOT}/"):
        return None
    rest = request.path.removeprefix(ROOT)
    for route in ROUTES:
        match = route.pattern.fullmatch(rest)
        if match:
            return route, match.groups()
    return None
