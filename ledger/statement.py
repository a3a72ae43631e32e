"""Statements: P&L line by line for days, weeks, months or years as people count them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from ledger import moment
from ledger.bucket import Row


class By(StrEnum):
    """What one line of a statement covers, in the display zone."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


_STARTS = {
    By.DAY: moment.day_start,
    By.WEEK: moment.week_start,
    By.MONTH: moment.month_start,
    By.YEAR: moment.year_start,
}
_NEXT = {
    By.DAY: moment.next_day,
    By.WEEK: moment.next_week,
    By.MONTH: moment.next_month,
    By.YEAR: moment.next_year,
}


@dataclass(frozen=True, slots=True)
class Line:
    """P&L of [start, end): flows and the change of unrealized, nano-dollars.

    Invariant: `net` is the move of the net level over the span.
    """

    start: int
    end: int
    realized: int = 0
    unrealized_change: int = 0
    fees: int = 0
    revenue: int = 0
    cost: int = 0

    @property
    def net(self) -> int:
        """Realized + change of unrealized − fees + revenue − cost."""
        return self.realized + self.unrealized_change - self.fees + self.revenue - self.cost


@dataclass(frozen=True, slots=True)
class Opening:
    """What stands before the first row given: unrealized, and revenue of the opening level.

    `revenue` is what took effect before the account's first row; 0 when rows before are left out.
    """

    unrealized: int = 0
    revenue: int = 0


_NOTHING = Opening()


def lines(
    rows: Iterable[Row], span: tuple[int, int], by: By, zone: ZoneInfo, opening: Opening = _NOTHING
) -> Iterator[Line]:
    """Yield one line a period from dense rows, oldest first; the ends are clipped to `span`.

    Each row lies within one period: 1h rows where the zone's offset is whole hours, else 5m.
    """
    unrealized, revenue = opening.unrealized, opening.revenue
    for start, end, inside in _periods(rows, span, by, zone):
        yield _line(start, end, inside, unrealized, revenue)
        unrealized, revenue = inside[-1].unrealized, 0


def total(parts: Iterable[Line], span: tuple[int, int]) -> Line:
    """Return the lines of a span as one."""
    known = list(parts)
    return Line(
        *span,
        sum(line.realized for line in known),
        sum(line.unrealized_change for line in known),
        sum(line.fees for line in known),
        sum(line.revenue for line in known),
        sum(line.cost for line in known),
    )


def _periods(
    rows: Iterable[Row], span: tuple[int, int], by: By, zone: ZoneInfo
) -> Iterator[tuple[int, int, list[Row]]]:
    first, last = span
    start, end, inside = first, first, list[Row]()
    for row in rows:
        if not first <= row.bucket < last:
            continue
        if row.bucket >= end:
            if inside:
                yield start, end, inside
            begin = _STARTS[by](row.bucket, zone)
            start, end, inside = max(begin, first), min(_NEXT[by](begin, zone), last), []
        inside.append(row)
    if inside:
        yield start, end, inside


def _line(start: int, end: int, rows: list[Row], unrealized: int, revenue: int) -> Line:
    return Line(
        start,
        end,
        sum(row.realized for row in rows),
        rows[-1].unrealized - unrealized,
        sum(row.fees for row in rows),
        revenue + sum(row.revenue for row in rows),
        sum(row.cost for row in rows),
    )
