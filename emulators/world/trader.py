"""The firm's trader: fills in both directions, few in the past, one every 10–30 s since."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import count

from emulators.world import activity, fee
from emulators.world.amount import FULL
from emulators.world.chance import draws, identifiers
from emulators.world.charter import Charter
from emulators.world.holding import Fill
from emulators.world.instant import DAY, SECOND
from emulators.world.market import Listing, Market
from emulators.world.quotes import Quotes

FILLS_PER_DAY = 15_000 / 90
_LIVE_SLOT = 20 * SECOND
_IGNORED = 0.12
_SKILL = 0.05
"""How much more often than not the trader is on the side that wins."""
_RETURN = 0.42
"""How strongly a full position turns the next fill round."""
_TAKER = 0.35
_FRACTIONAL = 0.06
_ONE = 100
_WORTH_TRADING = (0.04, 0.96)

Slot = tuple[str, int, tuple[float, ...]]
"""Its name, its instant and its luck."""
Open = Callable[[int], Sequence[Market]]
"""Which markets the trader may trade at an instant."""


class Trader:
    """Fills in the order of time; each depends on its slot and on the trader's own past."""

    def __init__(self, charter: Charter, listing: Listing, quotes: Quotes, markets: Open) -> None:
        """Trade nothing yet."""
        self._seed = charter.seed
        self._precision = fee.precision(direct=charter.direct)
        self._listing = listing
        self._quotes = quotes
        self._markets = markets
        self._slots = _slots(charter.seed, charter.begin, charter.start)
        self._next = next(self._slots)
        self._habits = lru_cache(maxsize=4_096)(self._habit)
        self._positions: dict[str, int] = {}

    def until(self, instant: int) -> list[Fill]:
        """Return the fills since the last call up to and including `instant`."""
        fills = []
        while self._next[1] <= instant:
            fill = self._fill(*self._next)
            if fill:
                fills.append(fill)
            self._next = next(self._slots)
        return fills

    def _fill(self, name: str, time: int, luck: tuple[float, ...]) -> Fill | None:
        markets = self._markets(time)
        if not markets:
            return None
        pick, size, side, taker, *_ = luck
        market = self._choice(markets, int(pick * len(markets)), time)
        direction, count = self._order(market, side, size)
        is_taker = taker < _TAKER
        price = self._price(market, time, direction, is_taker=is_taker)
        ppm = fee.rate(market.series.fee_type, market.series.multiplier, is_taker=is_taker)
        paid = fee.fill_fee(direction, price, count, ppm, self._precision)
        self._positions[market.ticker] = self._positions.get(market.ticker, 0) + direction * count
        fill_id, order_id = identifiers(self._seed, name)
        return Fill(
            time, fill_id, order_id, market.ticker, direction, count, price, paid, is_taker
        )  # fmt: skip

    def _choice(self, markets: Sequence[Market], first: int, time: int) -> Market:
        low, high = _WORTH_TRADING
        for market in (*markets[first:], *markets[:first]):
            if self._habits(market.ticker) and low < self._listing.probability(market, time) < high:
                return market
        return markets[first]

    def _habit(self, ticker: str) -> int:
        """Return the most the trader holds of a market; 0 when it leaves the market alone."""
        ignored, limit, *_ = draws(self._seed, ticker, "habit")
        return 0 if ignored < _IGNORED else int(4_000 + 28_000 * limit)

    def _order(self, market: Market, side: float, size: float) -> tuple[int, int]:
        limit = self._habits(market.ticker) or _ONE
        position = self._positions.get(market.ticker, 0)
        outcome = self._listing.outcome(market).value / 50 - 1
        direction = 1 if side < 0.5 - _RETURN * position / limit + _SKILL * outcome else -1
        wanted = 100 * int(1 + 54 * size * size)
        if size % 0.01 < 0.01 * _FRACTIONAL:
            wanted += 1 + int(size * 9_900) % 99
        room = limit - direction * position
        return (direction, min(wanted, room)) if room >= _ONE else (-direction, wanted)

    def _price(self, market: Market, time: int, direction: int, *, is_taker: bool) -> int:
        bid, ask = self._quotes.book(market, time)
        price = ask if (direction > 0) == is_taker else bid
        tick = market.series.tick
        return min(max(price, tick), FULL - tick)


def _slots(seed: str, begin: int, start: int) -> Iterator[Slot]:
    yield from _past(seed, begin, start)
    for number in count():
        luck = draws(seed, "live", number)
        offset = 5 + 10 * luck[-1]
        yield f"live {number}", start + number * _LIVE_SLOT + int(offset * SECOND), luck


def _past(seed: str, begin: int, start: int) -> Iterator[Slot]:
    total = round((start - begin) / DAY * FILLS_PER_DAY)
    first, last = activity.elapsed(begin), activity.elapsed(start)
    for number in range(total):
        luck = draws(seed, "past", number)
        busy = first + (last - first) * (number + luck[-1]) / total
        yield f"past {number}", min(start - 1, activity.when(busy)), luck
