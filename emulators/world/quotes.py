"""What a market is quoted at: bid, ask and last, to the tick, moving every few seconds."""

from dataclasses import dataclass, replace

from emulators.world.amount import FULL
from emulators.world.chance import draws, uniform
from emulators.world.instant import SECOND
from emulators.world.market import Listing, Market
from emulators.world.pins import Pins

TRADE_EVERY = 15 * SECOND
"""How often the last price is made anew."""
_NO_BID, _NO_ASK = 0.0003, 0.9997
"""How rarely a side of the book is empty."""


@dataclass(frozen=True, slots=True)
class Quote:
    """Prices of YES in 1/10,000 dollar; an empty side is 0 or 10,000; sizes in 1/100 contract."""

    bid: int
    ask: int
    last: int
    bid_size: int = 0
    ask_size: int = 0

    def value(self, position: int) -> int | None:
        """Return what one contract of the position's side would fetch now: bid, else last."""
        if position > 0:
            return self.bid or self.last or None
        if self.ask < FULL:
            return FULL - self.ask
        return FULL - self.last if self.last else None


class Quotes:
    """Quotes as a function of market and instant, and of what was pinned before it."""

    def __init__(self, seed: str, listing: Listing, pins: Pins) -> None:
        """Quote nothing yet."""
        self._seed = seed
        self._listing = listing
        self._pins = pins

    def at(self, market: Market, instant: int) -> Quote:
        """Return the quote of a market; frozen at its close, gone once it is determined."""
        pin = self._pins.pin(market.ticker, instant)
        if instant >= market.determined:
            last = pin.last if pin and pin.last is not None else None
            return self._ended(market, last)
        free = self._free(market, min(self._pins.clock(instant), market.close - 1))
        return free if pin is None else replace(free, **pin.given())

    def book(self, market: Market, instant: int) -> tuple[int, int]:
        """Return bid and ask of an open market."""
        pin = self._pins.pin(market.ticker, instant)
        bid, ask = self._book(market, self._pins.clock(instant))
        given = pin.given() if pin else {}
        return given.get("bid", bid), given.get("ask", ask)

    def _ended(self, market: Market, last: int | None) -> Quote:
        if last is None:
            last = self._last(market, market.close - 1)
        return Quote(0, FULL, last)

    def _free(self, market: Market, instant: int) -> Quote:
        bid, ask = self._book(market, instant)
        sizes = draws(self._seed, market.ticker, "size", instant // (7 * SECOND))
        bid_size, ask_size = (int(20_000 * size * size) + 100 for size in sizes[:2])
        return Quote(
            bid,
            ask,
            self._last(market, instant),
            bid_size if bid else 0,
            ask_size if ask < FULL else 0,
        )

    def _book(self, market: Market, instant: int) -> tuple[int, int]:
        cell = instant // ((2 + len(market.ticker) % 3) * SECOND)
        wobble, width, lack, *_ = draws(self._seed, market.ticker, "book", cell)
        tick = market.series.tick
        fair = self._listing.probability(market, instant) * FULL
        spread = tick * (1 + int(2.2 * width))
        bid = int((fair - spread / 2 + (wobble - 0.5) * 1.2 * tick) // tick) * tick
        ask = bid + spread
        if lack < _NO_BID:
            bid = 0
        elif lack > _NO_ASK:
            ask = FULL
        return (bid if bid >= tick else 0), (
            ask if tick <= ask <= FULL - tick else _edge(ask, tick)
        )

    def _last(self, market: Market, instant: int) -> int:
        traded = self._listing.last(market, instant)
        if traded is not None:
            return traded
        moment = max(market.open, instant - instant % TRADE_EVERY)
        bid, ask = self._book(market, moment)
        bought = uniform(self._seed, market.ticker, "last", moment)
        tick = market.series.tick
        price = ask if round(bought) else bid
        return min(max(price, tick), FULL - tick)


def _edge(ask: int, tick: int) -> int:
    return tick if ask < tick else FULL
