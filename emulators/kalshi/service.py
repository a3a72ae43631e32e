"""The trade API as one function: route, signature, rate, answer."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from emulators.kalshi import candles, exchange, portfolio
from emulators.kalshi.errors import NOT_FOUND, TOO_MANY, BadRequest
from emulators.kalshi.signature import PublicKey, refusal
from emulators.kalshi.throttle import Throttle
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
    _route("/portfolio/fills", portfolio.live_fills, signed=True),
    _route("/portfolio/orders", portfolio.live_orders, signed=True),
    _route("/portfolio/positions", portfolio.live_positions, signed=True),
    _route("/portfolio/settlements", portfolio.settlements, signed=True),
    _route("/portfolio/balance", portfolio.balance, signed=True),
    _route("/portfolio/deposits", portfolio.deposits, signed=True),
    _route("/portfolio/withdrawals", portfolio.withdrawals, signed=True),
    _route("/historical/fills", portfolio.old_fills, signed=True),
    _route("/historical/orders", portfolio.old_orders, signed=True),
    _route("/historical/positions", portfolio.old_positions, signed=True),
    _route("/account/limits", exchange.limits, signed=True),
    _route("/account/endpoint_costs", exchange.costs),
    _route("/exchange/status", exchange.status),
    _route("/exchange/user_data_timestamp", portfolio.freshness),
    _route("/historical/cutoff", exchange.cutoff),
    _route("/historical/markets", exchange.old_markets),
    _route("/historical/markets/{}", exchange.old_market),
    _route("/historical/markets/{}/candlesticks", candles.old),
    _route("/markets", exchange.markets),
    _route("/markets/candlesticks", candles.batch),
    _route("/markets/{}", exchange.market),
    _route("/events", exchange.events),
    _route("/events/{}", exchange.event),
    _route("/series", exchange.all_series),
    _route("/series/{}", exchange.series),
    _route("/series/{}/markets/{}/candlesticks", candles.live),
)


def service(world: World, keys: Mapping[str, PublicKey]) -> Service:
    """Return the trade API over a world; `keys` by key id."""
    buckets = {True: Throttle(), False: Throttle()}

    def answer(request: Request) -> Reply:
        found = _found(request)
        if found is None:
            return NOT_FOUND
        route, names = found
        now = world.clock()
        refused = refusal(request, keys, now // 1_000) if route.signed else None
        if refused:
            return refused
        if not buckets[route.signed].admits(now, world.faults.read_tokens):
            return TOO_MANY
        with world.lock:
            try:
                return route.answer(world, request, *names)
            except BadRequest as error:
                return error.reply

    return answer


def _found(request: Request) -> tuple[Route, tuple[str, ...]] | None:
    if request.method != "GET" or not request.path.startswith(f"{ROOT}/"):
        return None
    rest = request.path.removeprefix(ROOT)
    for route in ROUTES:
        match = route.pattern.fullmatch(rest)
        if match:
            return route, match.groups()
    return None
