"""An account worked out the plain way: every figure anew from all that was delivered.

It shares no line with the ledger: fractions instead of scaled integers, the whole fold at each
question instead of running totals. Facts are only read by their attributes.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

DOLLAR = 1_000_000_000
CENT = DOLLAR // 100


class Figures(NamedTuple):
    """What a statement says, in nano-dollars; `fills` is a number."""

    fills: int
    realized: int
    unrealized: int
    fees: int
    recognized: int
    pending: int
    deferred: int
    billed: int

    @property
    def trading(self) -> int:
        """Realized + unrealized − fees."""
        return self.realized + self.unrealized - self.fees

    @property
    def net(self) -> int:
        """Trading + revenue − cost."""
        return self.trading + self.recognized - self.billed


@dataclass
class Holding:
    """One book: signed 1/100 contracts, what they cost, what was realized."""

    count: int = 0
    cost: int = 0
    realized: int = 0

    def trade(self, count: int, price: int) -> None:
        """Close what is held against, the average cost of it going; open the rest."""
        against = self.count * count < 0
        closed = min(abs(count), abs(self.count)) if against else 0
        if closed:
            sign = 1 if self.count > 0 else -1
            gone = round(Fraction(self.cost * closed, abs(self.count)))
            self.realized += sign * whole(Fraction(price * closed, 100)) - gone
            self.count -= sign * closed
            self.cost -= gone
        opened = (abs(count) - closed) * (1 if count > 0 else -1)
        self.count += opened
        self.cost += whole(Fraction(price * opened, 100))


@dataclass
class Plain:
    """Everything that was delivered, each identity once."""

    fills: dict[str, Any] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    ends: dict[Any, dict[int, Any]] = field(default_factory=dict)
    marks: dict[str, dict[int, Any]] = field(default_factory=dict)
    costs: dict[Any, Any] = field(default_factory=dict)
    deals: dict[Any, Any] = field(default_factory=dict)
    conflicts: int = 0

    def fill(self, fact: Any) -> None:
        """Keep the first content of an id; a time in microseconds beats one in milliseconds."""
        known = self.fills.setdefault(fact.fill_id, fact)
        names = ("ticker", "subaccount", "side", "count", "price", "fee")
        if any(getattr(known, name) != getattr(fact, name) for name in names):
            self.conflicts += 1
            return
        told = (fact.time, self.times.get(fact.fill_id, 0))
        self.times[fact.fill_id] = max(told, key=lambda time: (time % 1_000 > 0, time))

    def end(self, fact: Any) -> None:
        """Keep one version a time; another value at the same time is refused."""
        market = (fact.ticker, fact.exchange_index, fact.subaccount)
        known = self.ends.setdefault(market, {}).setdefault(fact.time, fact)
        self.conflicts += (known.result, known.value) != (fact.result, fact.value)

    def mark(self, fact: Any) -> None:
        """Let the later delivery of one instant win."""
        self.marks.setdefault(fact.ticker, {})[fact.time] = fact

    def cost(self, fact: Any) -> None:
        """Replace the line of its bucket and group."""
        self.costs[fact.start, fact.group] = fact.amount

    def window(self, start: int, end: int, lines: Any) -> None:
        """Take a window that was read whole: what it holds no more counts nothing."""
        there = {(line.start, line.group) for line in lines}
        for key in self.costs:
            if start <= key[0] < end and key not in there:
                self.costs[key] = 0
        for line in lines:
            self.cost(line)

    def deal(self, fact: Any) -> None:
        """Keep the newest version; another content of the same version is refused."""
        known = self.deals.get((fact.source, fact.id))
        if known is None or fact.updated_at > known.updated_at:
            self.deals[fact.source, fact.id] = fact
        else:
            self.conflicts += fact.updated_at == known.updated_at and fact != known

    def figures(self, at: int) -> Figures:
        """Return every figure at an instant, by all that is known."""
        books = self._books(at)
        earned = [self._earned(deal, at) for deal in self.deals.values()]
        known = [name for name, time in self.times.items() if time <= at]
        return Figures(
            fills=len(known),
            realized=sum(book.realized for book in books.values()),
            unrealized=sum(self._worth(ticker, book, at) for (ticker, _), book in books.items()),
            fees=sum(self.fills[name].fee for name in known),
            recognized=sum(one for one, _, _ in earned),
            pending=sum(one for _, one, _ in earned),
            deferred=sum(one for _, _, one in earned),
            billed=sum(amount for (start, _), amount in self.costs.items() if start <= at),
        )

    def _books(self, at: int) -> dict[tuple[str, int], Holding]:
        books: dict[tuple[str, int], Holding] = {}
        for _, order, _, _, fact in sorted(self._events(at), key=lambda event: event[:4]):
            if order:
                self._close(books, fact)
                continue
            book = books.setdefault((fact.ticker, fact.subaccount), Holding())
            book.trade(fact.count if fact.side == "yes" else -fact.count, fact.price)
        return books

    def _events(self, at: int) -> list[tuple[int, int, str, tuple[bool, int], Any]]:
        bought = [
            (time, 0, name, (False, 0), self.fills[name]) for name, time in self.times.items()
        ]
        ends = [versions[max(versions)] for versions in self.ends.values()]
        closed = [
            (end.time, 1, end.ticker, (end.subaccount is None, end.subaccount or 0), end)
            for end in ends
        ]
        return [event for event in bought + closed if event[0] <= at]

    def _close(self, books: dict[tuple[str, int], Holding], end: Any) -> None:
        for (ticker, subaccount), book in books.items():
            if ticker == end.ticker and end.subaccount in (None, subaccount):
                book.trade(-book.count, end.value)

    def _worth(self, ticker: str, book: Holding, at: int) -> int:
        quotes = {time: mark for time, mark in self.marks.get(ticker, {}).items() if time <= at}
        if not quotes or not book.count:
            return 0
        mark = quotes[max(quotes)]
        price = mark.bid if book.count > 0 else mark.ask
        if price is None or not 0 < price < DOLLAR:
            price = mark.last
        return round(Fraction(price * book.count, 100)) - book.cost if price else 0

    def _earned(self, deal: Any, at: int) -> tuple[int, int, int]:
        """Return (recognized, pending, deferred) of one deal."""
        if deal.status == "pending":
            return 0, deal.amount, 0
        if deal.status != "recognized":
            return 0, 0, 0
        if deal.service_start is None:
            due = ten(deal.closed_date) <= at
            return (deal.amount, 0, 0) if due else (0, deal.amount, 0)
        days = (deal.service_end - deal.service_start).days + 1
        share = int(Fraction(deal.amount, days * CENT)) * CENT
        passed = sum(ten(deal.service_start + timedelta(day)) <= at for day in range(days))
        got = deal.amount if passed == days else passed * share
        return got, 0, deal.amount - got


def whole(amount: Fraction) -> int:
    """Return an amount that must be a whole number of nano-dollars."""
    assert amount.denominator == 1, amount
    return int(amount)


def ten(day: date) -> int:
    """Return 10:00 UTC of a day in microseconds."""
    noon = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)
    return int(noon.timestamp()) * 1_000_000
