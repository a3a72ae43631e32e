"""The account: every fill in its order, what each market holds, settlements and the balance."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter

from emulators.world.amount import CENT
from emulators.world.catalog import Catalog
from emulators.world.chance import identifier
from emulators.world.holding import Fill, Holding, folded
from emulators.world.instant import DAY
from emulators.world.market import Market

_by_key = attrgetter("key")


@dataclass(frozen=True, slots=True)
class Deposit:
    """Money paid in, per exchange index."""

    deposit_id: str
    time: int
    cents: int
    exchange_index: int


class Account:
    """A book that only moves forward; facts that arrive late are folded where they belong."""

    def __init__(
        self, seed: str, begin: int, catalog: Catalog, trades: Callable[[int], list[Fill]]
    ) -> None:
        """Own the deposits only; `trades` gives the trader's fills since it was last asked."""
        self._catalog = catalog
        self._trades = trades
        self._waiting: list[Fill] = []
        self._holdings: dict[str, tuple[Holding, bool]] = {}
        self.fills: list[Fill] = []
        self.by_ticker: dict[str, list[Fill]] = {}
        self.seen = begin
        self.deposits = [
            Deposit(identifier(seed, "deposit", index), begin - DAY, cents, index)
            for index, cents in ((0, 25_000_00), (2, 10_000_00))
        ]

    def advance(self, to: int) -> None:
        """Book everything up to `to`; what was seen once stays seen."""
        if to <= self.seen:
            return
        split = bisect_right(self._waiting, to, key=attrgetter("time"))
        due, self._waiting = self._waiting[:split], self._waiting[split:]
        for fill in sorted([*self._trades(to), *due], key=_by_key):
            self._add(fill)
        self.seen = to

    def inject(self, fill: Fill) -> None:
        """Add a fill: at once when its time is past, else when it comes."""
        if fill.time <= self.seen:
            self._add(fill)
        else:
            insort(self._waiting, fill, key=_by_key)

    def forget(self, ticker: str) -> None:
        """Fold a market anew at the next look."""
        self._holdings.pop(ticker, None)

    def holding(self, ticker: str) -> Holding:
        """Return what a market holds, settled when it is final."""
        holding, settled = self._holdings.get(ticker) or (folded(self.by_ticker[ticker]), False)
        if not settled:
            market = self.market(ticker)
            settled = market.finalized <= self.seen
            if settled:
                holding.settle(self._catalog.outcome(market), market.finalized)
            self._holdings[ticker] = holding, settled
        return holding

    def market(self, ticker: str) -> Market:
        """Return a traded market; KeyError when the catalog does not know it."""
        market = self._catalog.market(ticker, self.seen)
        if market is None:
            raise KeyError(ticker)
        return market

    def holdings(self) -> Iterator[tuple[Market, Holding]]:
        """Yield every traded market with what it holds."""
        for ticker in list(self.by_ticker):
            yield self.market(ticker), self.holding(ticker)

    def settled(self) -> list[tuple[Market, Holding]]:
        """Return the traded markets that are final, by the time of settlement."""
        final = [pair for pair in self.holdings() if pair[0].finalized <= self.seen]
        return sorted(final, key=lambda pair: (pair[0].finalized, pair[0].ticker))

    def balances(self) -> dict[int, int]:
        """Return the cash per exchange index in nano-dollars."""
        found = {deposit.exchange_index: deposit.cents * CENT for deposit in self.deposits}
        for market, holding in self.holdings():
            index = market.series.exchange_index
            found[index] = found.get(index, 0) + holding.cash
        return found

    def _add(self, fill: Fill) -> None:
        fills = self.by_ticker.setdefault(fill.ticker, [])
        known = self._holdings.get(fill.ticker)
        if known and not known[1] and fills[-1].key < fill.key:
            known[0].book(fill)
        else:
            self.forget(fill.ticker)
        for tape in (self.fills, fills):
            tape.insert(bisect_left(tape, fill.key, key=_by_key), fill)
