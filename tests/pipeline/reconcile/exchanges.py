"""An exchange with a book of its own, whose lists, rows and cash may each tell something else."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from emulators.world import holding
from emulators.world.market import Outcome
from ledger.difference import Difference
from ledger.facts import Fill, Settlement, Side
from ledger.money import CENT, NANO
from pipeline.reconcile.comparison import Comparison, Ours, Theirs
from pipeline.reconcile.fills import Roll
from pipeline.reconcile.tally import tallied
from pipeline.sources.kalshi_rows import Report, Transfer

DEPOSIT = Transfer("first", "applied", 5_000 * NANO, 0, 1, 1)
END = 1_000


def fill(name: str, time: int, ticker: str, signed: int, price: int, **other: object) -> Fill:
    """Return a fill: + buys YES, count in 1/100 contracts, price in 1/10,000 dollars."""
    side = Side.YES if signed > 0 else Side.NO
    made = Fill(name, time, ticker, side, abs(signed), price * 100_000, 0, is_taker=True)
    return replace(made, order_id=f"order of {name}", **other)


@dataclass
class Exchange:
    """What really happened, what the lists show of it, and lies by row and member."""

    fills: list[Fill]
    values: dict[str, int]
    listed: list[Fill] = field(default_factory=list)
    lies: dict[tuple[str, str], int] = field(default_factory=dict)
    unsettled: set[str] = field(default_factory=set)
    transfers: list[Transfer] = field(default_factory=lambda: [DEPOSIT])
    credit: int = 0
    netted: bool = True

    def __post_init__(self) -> None:
        """List what happened."""
        self.listed = list(self.fills)

    def book(self, fills: Iterable[Fill], ticker: str, subaccount: int = 0) -> holding.Holding:
        """Return what some fills come to in a book, by the emulator's own fold."""
        mine = [f for f in fills if (f.ticker, f.subaccount) == (ticker, subaccount)]
        mine.sort(key=lambda f: (f.time, f.fill_id))
        made = holding.folded(map(_theirs, mine), subaccount, netted=self.netted)
        if ticker in self.values:
            made.settle(Outcome("scalar", self.values[ticker]), END)
        return made

    def keys(self) -> list[tuple[str, int]]:
        """Return every book."""
        return sorted({(f.ticker, f.subaccount) for f in self.fills})

    def positions(self) -> Mapping[tuple[str, int], Report]:
        """Return a row a book."""
        return {key: self._position(key) for key in self.keys()}

    def _position(self, key: tuple[str, int]) -> Report:
        book = self.book(self.fills, *key)
        row = Report(
            key[0],
            book.position,
            book.fees,
            book.realized,
            book.traded,
            book.exposure,
            settled=key[0] in self.values,
        )
        lies = {name: amount for (of, name), amount in self.lies.items() if of == key[0]}
        told = {name: getattr(row, name) + lies[name] for name in lies if hasattr(row, name)}
        return replace(row, **told)

    def settlements(self) -> list[Settlement]:
        """Return a row a settled market, all its subaccounts together."""
        tickers = sorted({ticker for ticker, _ in self.keys() if ticker in self.values})
        return [self._settlement(ticker) for ticker in tickers if ticker not in self.unsettled]

    def _settlement(self, ticker: str) -> Settlement:
        books = [self.book(self.fills, *key) for key in self.keys() if key[0] == ticker]
        row = Settlement(
            ticker,
            END,
            "scalar",
            self.values[ticker] * CENT,
            yes_count=sum(book.yes_count for book in books),
            yes_cost=sum(book.yes_cost for book in books),
            no_count=sum(book.no_count for book in books),
            no_cost=sum(book.no_cost for book in books),
            revenue=sum(book.revenue for book in books) * CENT,
            fee=sum(book.fees for book in books),
        )
        prefix = "settlement "
        lies = {
            name.removeprefix(prefix): amount
            for (of, name), amount in self.lies.items()
            if of == ticker and name.startswith(prefix)
        }
        return replace(row, **{name: getattr(row, name) + lies[name] for name in lies})

    def balance(self) -> int:
        """Return the cash there really is, cut after the fourth decimal."""
        cash = sum(self.book(self.fills, *key).cash for key in self.keys())
        total = DEPOSIT.amount + cash + self.credit
        return total - total % 100_000


def compared(
    exchange: Exchange, ours: Sequence[Fill], ends: Sequence[Settlement]
) -> list[Difference]:
    """Return the differences of what we hold from what an exchange says."""
    known = {f.fill_id: f for f in ours}
    roll = Roll(lambda ids: {name: known[name] for name in ids if name in known})
    roll.take(exchange.listed)
    ordered = sorted(ours, key=lambda f: (f.time, f.fill_id))
    tallies = tallied(roll.through(ordered, 0), ends)
    mine = Ours(tallies, ends, lambda ticker: [f for f in ordered if f.ticker == ticker])
    theirs = Theirs(
        roll.strays,
        exchange.settlements(),
        exchange.positions(),
        exchange.balance(),
        1,
        exchange.transfers,
    )
    return Comparison(mine, theirs).differences()


def _theirs(fill: Fill) -> holding.Fill:
    direction = 1 if fill.side is Side.YES else -1
    price = fill.price // 100_000
    made = (fill.order_id, fill.ticker, direction, fill.count, price, fill.fee, fill.is_taker)
    return holding.Fill(fill.time, fill.fill_id, *made, fill.subaccount)
