"""The account: every fill in its order, what each market holds, settlements and the balance."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from copy import copy
from operator import attrgetter

from emulators.world.amount import CENT
from emulators.world.catalog import Catalog
from emulators.world.chance import identifier
from emulators.world.charter import Charter
from emulators.world.holding import Fill, Holding, folded, merged
from emulators.world.instant import DAY
from emulators.world.market import Market
from emulators.world.transfer import Transfer

Book = tuple[str, int]
"""A market's ticker and a subaccount."""
Pair = tuple[Market, Holding]
_by_key = attrgetter("key")


class Account:
    """A book that only moves forward; facts that arrive late are folded where they belong."""

    def __init__(
        self,
        charter: Charter,
        catalog: Catalog,
        trades: Callable[[int], list[Fill]],
    ) -> None:
        """Own the first transfers only; `trades` gives the trader's fills since last asked."""
        self._catalog = catalog
        self._trades = trades
        self._netted = not charter.unnetted
        self._waiting: list[Fill] = []
        self._holdings: dict[Book, Holding] = {}
        self._books: dict[Book, list[Fill]] = {}
        self.arrived: list[Fill] = []
        """Every fill in the order it became known."""
        self.fills: list[Fill] = []
        self.by_ticker: dict[str, list[Fill]] = {}
        self.seen = charter.begin
        self.transfers = _first(charter)

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

    def follower(self) -> "Account":
        """Return an account that holds the same now and learns only what it is told."""
        other = copy(self)
        other._trades = lambda _: []  # noqa: SLF001 - the same class
        other._waiting, other._holdings = [], {}  # noqa: SLF001
        other.arrived, other.fills = list(self.arrived), list(self.fills)
        other.by_ticker = {ticker: list(fills) for ticker, fills in self.by_ticker.items()}
        other._books = {book: list(fills) for book, fills in self._books.items()}  # noqa: SLF001
        return other

    def transfer(self, transfer: Transfer) -> None:
        """Add money paid in or out."""
        insort(self.transfers, transfer, key=_by_key)

    def forget(self, ticker: str) -> None:
        """Fold a market anew at the next look."""
        for book in [book for book in self._holdings if book[0] == ticker]:
            del self._holdings[book]

    def holding(self, ticker: str, subaccount: int = 0) -> Holding:
        """Return what a market holds in a subaccount, settled when it is final."""
        book = ticker, subaccount
        holding = self._holdings.get(book)
        if holding is None:
            fills = self._books.get(book, ())
            holding = self._holdings[book] = folded(fills, subaccount, netted=self._netted)
        if not holding.settled:
            market = self.market(ticker)
            if market.finalized <= self.seen:
                holding.settle(self._catalog.outcome(market), market.finalized)
        return holding

    def market(self, ticker: str) -> Market:
        """Return a traded market; KeyError when the catalog does not know it."""
        market = self._catalog.market(ticker, self.seen)
        if market is None:
            raise KeyError(ticker)
        return market

    def holdings(self, subaccount: int | None = None) -> Iterator[Pair]:
        """Yield every traded market with what it holds, per subaccount, or of one only."""
        for ticker, number in list(self._books):
            if subaccount in (None, number):
                yield self.market(ticker), self.holding(ticker, number)

    def together(self) -> list[Pair]:
        """Return every traded market with what all subaccounts hold of it."""
        found: dict[str, list[Holding]] = {}
        for market, holding in self.holdings():
            found.setdefault(market.ticker, []).append(holding)
        return [(self.market(ticker), merged(holdings)) for ticker, holdings in found.items()]

    def settled(self, subaccount: int | None = None) -> list[Pair]:
        """Return the traded markets that are final, by the time of settlement."""
        pairs = self.together() if subaccount is None else self.holdings(subaccount)
        final = [pair for pair in pairs if pair[0].finalized <= self.seen]
        return sorted(final, key=lambda pair: (pair[0].finalized, pair[0].ticker))

    def balances(self, subaccount: int | None = None) -> dict[int, int]:
        """Return the cash per exchange index in nano-dollars."""
        found: dict[int, int] = {}
        for transfer in self.transfers:
            if transfer.time <= self.seen and subaccount in (None, transfer.subaccount):
                index = transfer.exchange_index
                found[index] = found.get(index, 0) + transfer.cents * CENT
        for market, holding in self.holdings(subaccount):
            index = market.series.exchange_index
            found[index] = found.get(index, 0) + holding.cash
        return found

    def _add(self, fill: Fill) -> None:
        self.arrived.append(fill)
        fills = self._books.setdefault(fill.book, [])
        known = self._holdings.get(fill.book)
        if known and not known.settled and (not fills or fills[-1].key < fill.key):
            known.book(fill)
        else:
            self._holdings.pop(fill.book, None)
        for tape in (self.fills, self.by_ticker.setdefault(fill.ticker, []), fills):
            tape.insert(bisect_left(tape, fill.key, key=_by_key), fill)


def _first(charter: Charter) -> list[Transfer]:
    paid = ((0, 25_000_00, -DAY), (2, 10_000_00, -DAY), (0, -500_00, -DAY // 2))
    return sorted(
        (
            Transfer(
                identifier(charter.seed, "deposit" if cents > 0 else "withdrawal", index),
                charter.begin + before, cents, index,
            )
            for index, cents, before in paid
        ),
        key=_by_key,
    )  # fmt: skip
