"""The tape: fills as flat rows, newest first, each with what it realized."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, select, true

from ledger.book import Book
from ledger.facts import Fill, Settlement, Side
from ledger.pnl import position_in_fold
from storage import rows, schema, trades
from storage.engine import CHUNK

_FILLS, _MARKETS = schema.fills, schema.markets
_NAMED = _FILLS.outerjoin(_MARKETS, _MARKETS.c.ticker == _FILLS.c.ticker)
_SHOWN = ("time", "fill_id", "ticker", "side", "count", "price", "fee", "is_taker")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which fills: those of [start, end) that match every filter given."""

    start: int | None = None
    end: int | None = None
    ticker: str | None = None
    series: str | None = None
    side: str | None = None

    def matches(self) -> ColumnElement[bool]:
        """Return the condition over fills joined with their markets."""
        every: list[ColumnElement[bool]] = [true()]
        if self.start is not None:
            every.append(_FILLS.c.time >= self.start)
        if self.end is not None:
            every.append(_FILLS.c.time < self.end)
        if self.ticker is not None:
            every.append(_FILLS.c.ticker == self.ticker)
        if self.series is not None:
            every.append(_MARKETS.c.series == self.series)
        if self.side is not None:
            every.append(_FILLS.c.side == Side(self.side))
        return and_(*every)


def read(connection: Connection, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """Yield fills newest first: times in microseconds, money in nano-dollars, counts in 1/100.

    What a fill realized depends on all before it, so they are folded once, oldest first, into
    eight bytes a row; reading backwards then takes the figures from the end.
    """
    realized = _realized(connection, wanted)
    columns = (*(_FILLS.c[name] for name in _SHOWN), _MARKETS.c.event, _MARKETS.c.series)
    newest = select(*columns).select_from(_NAMED).where(wanted.matches())
    order = (_FILLS.c.time.desc(), _FILLS.c.fill_id.desc())
    result = connection.execution_options(yield_per=CHUNK).execute(newest.order_by(*order))
    for time, fill_id, ticker, side, count, price, fee, is_taker, event, series in result:
        yield {
            "time": time,
            "fill_id": fill_id,
            "ticker": ticker,
            "event": event or "",
            "series": series or "",
            "side": side.value,
            "count": count,
            "price": price,
            "fee": fee,
            "is_taker": is_taker,
            "realized": realized.pop(),
        }


def _realized(connection: Connection, wanted: Wanted) -> "array[int]":
    """Return what each wanted fill realized, in nano-dollars, oldest first."""
    book, figures = Book(), array("q")
    settlements = _settlements(connection)
    due = next(settlements, None)
    result = connection.execution_options(yield_per=CHUNK).execute(_history(wanted))
    for *columns, shown in result:
        fill = Fill(*columns)
        while due is not None and due.time < fill.time:
            book.settle(due)
            due = next(settlements, None)
        before, now = book.fill(fill)
        if shown:
            figures.append(now.realized - before.realized)
    return figures


def _history(wanted: Wanted) -> Select[Any]:
    """Select every fill of the wanted ones' markets up to their end, and whether it is one."""
    shown = wanted.matches()
    fills = rows.chosen(_FILLS, Fill).add_columns(shown.label("shown")).select_from(_NAMED)
    if wanted.end is not None:
        fills = fills.where(_FILLS.c.time < wanted.end)
    if wanted != Wanted(end=wanted.end):
        tickers = select(_FILLS.c.ticker).select_from(_NAMED).where(shown).distinct()
        fills = fills.where(_FILLS.c.ticker.in_(tickers.correlate(None)))
    return fills.order_by(_FILLS.c.time, _FILLS.c.fill_id)


def _settlements(connection: Connection) -> Iterator[Settlement]:
    versions = connection.execute(rows.chosen(schema.settlements, Settlement))
    winners = trades.latest([Settlement(*row) for row in versions]).values()
    return iter(sorted(winners, key=position_in_fold))
