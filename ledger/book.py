"""Positions as a fold over fills and settlements.

Invariant, in integers: realized = cash flow + cost of the open position, where cash flow is
−Σ price × signed count of the fills plus what settlements paid.
"""

from dataclasses import dataclass

from ledger.facts import Fill, Settlement
from ledger.money import half_even, notional


@dataclass(frozen=True, slots=True)
class Position:
    """What one book holds: signed 1/100 contracts (+ YES, − NO), their signed cost, P&L so far.

    `cost` is in YES terms, so a NO position carries the negative proceeds of the YES it sold;
    `realized` is average cost and gross of `fees`, as Kalshi's own realized_pnl_dollars.
    """

    count: int = 0
    cost: int = 0
    realized: int = 0
    fees: int = 0


Key = tuple[str, int]
"""A book: ticker and subaccount."""


def after(position: Position, fill: Fill) -> Position:
    """Return the position once `fill` is booked; average cost, gross of fees."""
    moved = _traded(position, fill.signed, fill.price)
    return Position(*moved, position.fees + fill.fee)


def settled(position: Position, value: int) -> Position:
    """Return the position once its market paid `value` nano-dollars per YES."""
    return Position(*_traded(position, -position.count, value), position.fees)


def _traded(position: Position, count: int, price: int) -> tuple[int, int, int]:
    held, cost, realized = position.count, position.cost, position.realized
    if held * count >= 0:
        return held + count, cost + notional(price, count), realized
    if abs(count) <= abs(held):
        released = half_even(cost * count, -held)
        return held + count, cost - released, realized + notional(price, -count) - released
    return (
        held + count,
        notional(price, held + count),
        realized + notional(price, held) - cost,
    )


class Book:
    """Every position by (ticker, subaccount), folded in place, one step a fact."""

    def __init__(self) -> None:
        """Begin with nothing held."""
        self.positions: dict[Key, Position] = {}
        self._books: dict[str, list[Key]] = {}
        self._settled: set[str] = set()

    def copied(self) -> "Book":
        """Return a book of its own that holds the same."""
        twin = Book()
        twin.positions = dict(self.positions)
        twin._books = {ticker: list(keys) for ticker, keys in self._books.items()}
        twin._settled = set(self._settled)
        return twin

    def fill(self, fill: Fill) -> tuple[Position, Position]:
        """Book one fill; return its position before and after."""
        key = (fill.ticker, fill.subaccount)
        before = self.positions.get(key)
        if before is None:
            before = Position()
            self._books.setdefault(fill.ticker, []).append(key)
        now = self.positions[key] = after(before, fill)
        return before, now

    def settle(self, settlement: Settlement) -> None:
        """Close the market's books at its value: all, or the one subaccount it names."""
        self._settled.add(settlement.ticker)
        for key in self._books.get(settlement.ticker, ()):
            if settlement.subaccount in (None, key[1]):
                self.positions[key] = settled(self.positions[key], settlement.value)

    def of(self, ticker: str) -> Position:
        """Return the market's position over all its subaccounts, signed counts added."""
        books = [self.positions[key] for key in self._books.get(ticker, ())]
        return Position(
            sum(book.count for book in books),
            sum(book.cost for book in books),
            sum(book.realized for book in books),
            sum(book.fees for book in books),
        )

    def tickers(self) -> list[str]:
        """Return every market that was ever traded."""
        return list(self._books)

    def books(self, ticker: str) -> list[Position]:
        """Return the market's positions, one a subaccount."""
        return [self.positions[key] for key in self._books.get(ticker, ())]

    def held(self) -> frozenset[str]:
        """Return the markets with a count and no settlement."""
        counted = {key[0] for key, position in self.positions.items() if position.count}
        return frozenset(counted - self._settled)
