"""The public's trades: what the last prices were made of, and the account's own fills."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import chain, groupby

from emulators.world.chance import draws, identifier
from emulators.world.holding import Fill
from emulators.world.market import Listing, Market
from emulators.world.quotes import TRADE_EVERY, Quotes


@dataclass(frozen=True, slots=True)
class Print:
    """One public trade: `price` of YES in 1/10,000 dollar, the taker bought YES or NO."""

    time: int
    trade_id: str
    ticker: str
    count: int
    price: int
    bought: bool

    @property
    def key(self) -> tuple[int, str]:
        """Its place among all trades."""
        return self.time, self.trade_id


class Prints:
    """Trades newest first, made when somebody looks."""

    def __init__(
        self,
        seed: str,
        listing: Listing,
        quotes: Quotes,
        open_at: Callable[[int], Sequence[Market]],
    ) -> None:
        """Make nothing yet; `open_at` gives the markets that trade at an instant."""
        self._seed = seed
        self._listing = listing
        self._quotes = quotes
        self._open_at = open_at

    def newest(
        self, fills: Sequence[Fill], least: int, most: int, ticker: str = ""
    ) -> Iterator[Print]:
        """Yield the trades of [least, most], newest first; `fills` are the account's, ascending."""
        own = (printed(fill) for fill in reversed(fills) if least <= fill.time <= most)
        known = self._listing.prints()
        others = self._made(least, most, ticker) if known is None else reversed(known)
        found = (one for one in others if least <= one.time <= most and ticker in ("", one.ticker))
        both = merge(own, found, key=lambda one: one.key, reverse=True)
        return (next(same) for _, same in groupby(both, key=lambda one: one.key))

    def _made(self, least: int, most: int, ticker: str) -> Iterator[Print]:
        moments = range(most - most % TRADE_EVERY, least - 1, -TRADE_EVERY)
        return chain.from_iterable(self._moment(moment, ticker) for moment in moments)

    def _moment(self, moment: int, ticker: str) -> list[Print]:
        markets = (m for m in self._open_at(moment) if ticker in ("", m.ticker))
        found = [self._print(market, moment) for market in markets]
        return sorted(found, key=lambda one: one.key, reverse=True)

    def _print(self, market: Market, moment: int) -> Print:
        size, side, *_ = draws(self._seed, market.ticker, "print", moment)
        price = self._quotes.at(market, moment).last
        trade_id = identifier(self._seed, market.ticker, "print", moment)
        count = 100 + int(20_000 * size**4)
        return Print(moment, trade_id, market.ticker, count, price, round(side) == 1)


def printed(fill: Fill) -> Print:
    """Return the public side of a fill of the account's own."""
    bought = (fill.direction > 0) == fill.is_taker
    return Print(fill.time, fill.fill_id, fill.ticker, fill.count, fill.price, bought)
