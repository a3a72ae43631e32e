"""Lists and series: what a query reads from storage, alike for JSON and CSV."""

from collections.abc import Iterator
from typing import Any

from delivery import query
from delivery.batches import away
from storage.reader import Reader, Series


def series(reader: Reader, arguments: query.Arguments) -> Series:
    """Return the rollups asked for: one consistent read, oldest first."""
    start, end = query.span(arguments)
    points = query.whole(arguments, "points", query.MOST_POINTS)
    return away(reader.series, query.period(arguments), start, end, points)


def fills(
    reader: Reader, arguments: query.Arguments, before: int | None = None
) -> tuple[int, Iterator[dict[str, Any]]]:
    """Return seq and the fills asked for, newest first; `before` ends an earlier page."""
    start, end = query.span(arguments)
    end = min((bound for bound in (end, before) if bound is not None), default=None)
    ticker, group = arguments.get("ticker"), arguments.get("series")
    return away(reader.fills, start, end, ticker, group, query.side(arguments))
