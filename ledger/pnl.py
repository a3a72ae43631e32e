"""Trading P&L: what positions are worth at their marks, kept up to date fact by fact."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from heapq import merge
from itertools import groupby
from operator import attrgetter

from ledger.book import Book, Position
from ledger.facts import Fill, Mark, Settlement
from ledger.money import NANO, half_even

Event = Fill | Settlement | Mark


class Policy(StrEnum):
    """Which price of a quote values a position."""

    BID = "bid"
    MID = "mid"
    LAST = "last"


class Kind(StrEnum):
    """Where a mark came from; beyond the policy's own, a fallback that is shown."""

    BID = "bid"
    MID = "mid"
    LAST = "last"
    SETTLEMENT = "settlement"
    AVERAGE = "average"


@dataclass(frozen=True, slots=True)
class Level:
    """Trading at an instant, with the flows since the level before; nano-dollars."""

    time: int
    trading: int
    unrealized: int
    realized: int
    fees: int
    fills: int


@dataclass(frozen=True, slots=True)
class Worth:
    """What one market has brought so far, nano-dollars."""

    realized: int = 0
    unrealized: int = 0
    fees: int = 0

    @property
    def total(self) -> int:
        """Realized + unrealized − fees."""
        return self.realized + self.unrealized - self.fees


def valued(policy: Policy, mark: Mark | None, count: int) -> tuple[int | None, Kind]:
    """Return the YES price that values `count` and its kind; None means average cost.

    `bid` is what the position would fetch now: YES at yes_bid, NO at 1 − yes_ask.
    """
    if mark is None:
        return None, Kind.AVERAGE
    if mark.value is not None:
        return mark.value, Kind.SETTLEMENT
    price = _quoted(policy, mark, count)
    if price is not None:
        return price, Kind(policy.value)
    if mark.last:
        return mark.last, Kind.LAST
    return None, Kind.AVERAGE


def _quoted(policy: Policy, mark: Mark, count: int) -> int | None:
    bid = mark.bid if mark.bid is not None and mark.bid > 0 else None
    ask = mark.ask if mark.ask is not None and mark.ask < NANO else None
    if policy is Policy.LAST:
        return mark.last or None
    if policy is Policy.MID:
        return None if bid is None or ask is None else half_even(bid + ask, 2)
    return bid if count > 0 else ask


def unrealized(policy: Policy, mark: Mark | None, position: Position) -> int:
    """Return value at the mark − cost; 0 at average cost.

    A quote may be finer than a count divides (it is not booked): its value rounds half-even.
    """
    price, _ = valued(policy, mark, position.count)
    return 0 if price is None else half_even(price * position.count, 100) - position.cost


class Account:
    """Book and marks with running totals; every fact costs O(1)."""

    def __init__(self, policy: Policy) -> None:
        """Begin empty, valuing by `policy`."""
        self.policy = policy
        self.book = Book()
        self.marks: dict[str, Mark] = {}
        self.realized = 0
        self.fees = 0
        self.fills = 0
        self.unrealized = 0
        self._open: dict[str, int] = {}

    @property
    def trading(self) -> int:
        """Realized + unrealized − fees."""
        return self.realized + self.unrealized - self.fees

    def copied(self) -> "Account":
        """Return an account of its own at the same state."""
        twin = Account(self.policy)
        twin.book = self.book.copied()
        twin.marks = dict(self.marks)
        twin.realized, twin.fees = self.realized, self.fees
        twin.fills, twin.unrealized = self.fills, self.unrealized
        twin._open = dict(self._open)
        return twin

    def worths(self) -> dict[str, Worth]:
        """Return what each market traded has brought; they sum to the account's figures."""
        return {
            ticker: Worth(held.realized, self._open.get(ticker, 0), held.fees)
            for ticker in self.book.tickers()
            for held in (self.book.of(ticker),)
        }

    def apply(self, event: Event) -> None:
        """Take one fact; facts come by (time, fills, settlements, marks)."""
        if isinstance(event, Fill):
            before, now = self.book.fill(event)
            self.realized += now.realized - before.realized
            self.fees += event.fee
            self.fills += 1
        elif isinstance(event, Settlement):
            before = self.book.of(event.ticker)
            self.book.settle(event)
            self.realized += self.book.of(event.ticker).realized - before.realized
        else:
            self.marks[event.ticker] = event
        self._revalue(event.ticker)

    def _revalue(self, ticker: str) -> None:
        mark = self.marks.get(ticker)
        worth = sum(
            unrealized(self.policy, mark, position)
            for position in self.book.books(ticker)
            if position.count
        )
        self.unrealized += worth - self._open.get(ticker, 0)
        self._open[ticker] = worth


def ordered(
    fills: Iterable[Fill], settlements: Iterable[Settlement], marks: Iterable[Mark]
) -> Iterator[Event]:
    """Return facts in the order of the fold; fills and marks come sorted by time and id."""
    closing = sorted(settlements, key=position_in_fold)
    return merge(fills, closing, marks, key=position_in_fold)


def position_in_fold(event: Event) -> tuple[int, int, str, tuple[int, ...]]:
    """Return the sort key of the fold: (time, fills then settlements then marks, identity).

    A settlement that names a subaccount comes before one of the same instant that names none.
    """
    if isinstance(event, Fill):
        return event.time, 0, event.fill_id, ()
    if isinstance(event, Mark):
        return event.time, 2, event.ticker, ()
    unnamed = event.subaccount is None
    return event.time, 1, event.ticker, (unnamed, event.subaccount or 0, event.exchange_index)


def levels(account: Account, events: Iterable[Event]) -> Iterator[Level]:
    """Fold events into `account` and yield the level after each instant."""
    for time, instant in groupby(events, key=attrgetter("time")):
        realized, fees, fills = account.realized, account.fees, account.fills
        for event in instant:
            account.apply(event)
        yield Level(
            time,
            account.trading,
            account.unrealized,
            account.realized - realized,
            account.fees - fees,
            account.fills - fills,
        )
