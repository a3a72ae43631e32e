"""What is asked for from outside, made to fit the world, or refused with a sentence."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from emulators.world import fee, instant
from emulators.world.amount import FULL, price, scaled
from emulators.world.instant import DAY
from emulators.world.market import Market

if TYPE_CHECKING:
    from emulators.world.world import World

Wish = Mapping[str, Any]
Body = dict[str, Any]

_DIRECTIONS = {"bid": 1, "ask": -1}
_RESULTS = {"yes": 100, "no": 0, "scalar": 50}
_MOST_SUBACCOUNTS = 63


class Refused(ValueError):
    """The wish does not fit the world."""


def fill(world: "World", wish: Wish, now: int) -> Body:
    """Return a fill's fields: of the liveliest market, at the touch, at its own fee by default."""
    time = instant.parse(str(wish["time"])) if "time" in wish else now
    market = _market(world, wish, now)
    if not market.open <= time < market.finalized:
        raise Refused(f"{market.ticker} does not trade at {instant.text(time)}")
    if wish.get("book_side") not in _DIRECTIONS:
        raise Refused("book_side must be bid or ask")
    direction = _DIRECTIONS[wish["book_side"]]
    at = scaled(wish.get("yes_price") or _touch(world, market, direction, time), FULL, "yes_price")
    count = scaled(wish["count"], 100, "count")
    if not (0 < at < FULL and count > 0):
        raise Refused("a fill needs a price between 0 and 1 and a count above 0")
    is_taker = bool(wish.get("is_taker", True))
    return {
        "time": time,
        "fill_id": str(wish.get("fill_id") or world.identity("fill")),
        "order_id": str(wish.get("order_id") or world.identity("order")),
        "ticker": market.ticker,
        "direction": direction,
        "count": count,
        "price": at,
        "fee": _fee(world, market, (direction, at, count), wish),
        "is_taker": is_taker,
        "subaccount": _subaccount(wish),
    }


def settlement(world: "World", wish: Wish, now: int) -> Body:
    """Return how and when a market ends: now by default, yes at 100, no at 0, scalar at 50."""
    market = _market(world, wish, now)
    time = instant.parse(str(wish["time"])) if "time" in wish else now
    result = str(wish.get("result"))
    if result not in _RESULTS:
        raise Refused(f"result must be one of {', '.join(_RESULTS)}")
    value = int(wish.get("value", _RESULTS[result]))
    fills = world.account.by_ticker.get(market.ticker, ())
    if time < market.open or time > now or (fills and time < fills[-1].time):
        raise Refused(f"{market.ticker} cannot end at {instant.text(time)}")
    if not 0 <= value <= 100:  # noqa: PLR2004 - cents of a dollar
        raise Refused("value is cents per YES, from 0 to 100")
    return {"ticker": market.ticker, "result": result, "value": value, "time": time}


def transfer(world: "World", wish: Wish, now: int, kind: str) -> Body:
    """Return a deposit's or a withdrawal's fields: `cents` above 0, now by default."""
    cents = int(wish["cents"])
    if cents <= 0:
        raise Refused("cents must be above 0")
    time = instant.parse(str(wish["time"])) if "time" in wish else now
    if not world.charter.begin - 400 * DAY <= time <= now:
        raise Refused(f"no transfer at {instant.text(time)}")
    return {
        "transfer_id": world.identity(kind),
        "time": time,
        "cents": cents if kind == "deposit" else -cents,
        "exchange_index": int(wish.get("exchange_index", 0)),
        "subaccount": _subaccount(wish),
    }


def _market(world: "World", wish: Wish, now: int) -> Market:
    if "ticker" not in wish:
        return _liveliest(world, now)
    market = world.catalog.market(str(wish["ticker"]), now)
    if market is None:
        raise Refused(f"no market {wish['ticker']!r}")
    return market


def _liveliest(world: "World", now: int) -> Market:
    """Return the market nearest to even odds of those that stay open longest."""
    markets = world.catalog.tradable(now)
    if not markets:
        raise Refused("no market is open")
    longest = sorted(markets, key=lambda market: (market.close, market.ticker))[-10:]
    return min(longest, key=lambda market: abs(world.quote(market, now).last - FULL // 2))


def _touch(world: "World", market: Market, direction: int, time: int) -> str:
    quote = world.quote(market, time)
    at = quote.ask if direction > 0 else quote.bid
    return price(min(max(at, market.series.tick), FULL - market.series.tick))


def _fee(world: "World", market: Market, order: tuple[int, int, int], wish: Wish) -> int:
    if "fee_cost" in wish:
        return scaled(wish["fee_cost"], 1_000_000, "fee_cost") * 1_000
    is_taker = bool(wish.get("is_taker", True))
    ppm = fee.rate(market.series.fee_type, market.series.multiplier, is_taker=is_taker)
    precision = fee.precision(direct=world.charter.direct)
    return fee.fill_fee(*order, ppm, precision)


def _subaccount(wish: Wish) -> int:
    number = int(wish.get("subaccount", 0))
    if not 0 <= number <= _MOST_SUBACCOUNTS:
        raise Refused(f"subaccount is from 0 to {_MOST_SUBACCOUNTS}")
    return number
