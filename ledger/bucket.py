"""Buckets of 1 minute, 5 minutes and 1 hour: trading levels and the flows between them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from ledger.moment import HOUR, MINUTE, floor
from ledger.pnl import Level

PERIODS = {"1m": MINUTE, "5m": 5 * MINUTE, "1h": HOUR}


@dataclass(frozen=True, slots=True)
class Row:
    """One bucket from its `bucket` start: trading OHLC, unrealized at its close, flows.

    Trading = realized + unrealized − fees as a level; open is the close before. `realized`,
    `fees`, `revenue`, `cost` and `fills` are flows of the bucket; nano-dollars throughout.
    """

    bucket: int
    open: int
    high: int
    low: int
    close: int
    unrealized: int
    realized: int = 0
    fees: int = 0
    revenue: int = 0
    cost: int = 0
    fills: int = 0
    restated: int = 0


@dataclass(frozen=True, slots=True)
class Net:
    """Net OHLC of one row: trading with revenue − cost that took effect before its end."""

    open: int
    high: int
    low: int
    close: int


def minutes(levels: Iterable[Level], before: Row) -> Iterator[Row]:
    """Yield dense 1m rows from `before` (the newest row) through the last level.

    Levels of the minute that `before` holds go on with it: its row comes again, complete.
    """
    last = before
    for bucket, group in groupby(levels, key=lambda level: floor(level.time, MINUTE)):
        while last.bucket + MINUTE < bucket:
            last = _quiet(last)
            yield last
        now = _minute(bucket, last.close, list(group))
        last = _together(bucket, [last, now]) if last.bucket == bucket else now
        yield last


def _quiet(last: Row) -> Row:
    level = last.close
    return Row(last.bucket + MINUTE, level, level, level, level, last.unrealized)


def _minute(bucket: int, opened: int, levels: list[Level]) -> Row:
    trading = [level.trading for level in levels]
    return Row(
        bucket,
        opened,
        max(opened, *trading),
        min(opened, *trading),
        trading[-1],
        levels[-1].unrealized,
        sum(level.realized for level in levels),
        sum(level.fees for level in levels),
        fills=sum(level.fills for level in levels),
    )


def merged(rows: Iterable[Row], width: int) -> Iterator[Row]:
    """Yield rows of a coarser `width`: first open, max, min, last close, flows added."""
    for bucket, group in groupby(rows, key=lambda row: floor(row.bucket, width)):
        yield _together(bucket, list(group))


def _together(bucket: int, rows: list[Row]) -> Row:
    return Row(
        bucket,
        rows[0].open,
        max(row.high for row in rows),
        min(row.low for row in rows),
        rows[-1].close,
        rows[-1].unrealized,
        sum(row.realized for row in rows),
        sum(row.fees for row in rows),
        sum(row.revenue for row in rows),
        sum(row.cost for row in rows),
        sum(row.fills for row in rows),
        sum(row.restated for row in rows),
    )


def nets(rows: Iterable[Row], opening: int) -> Iterator[Net]:
    """Yield net OHLC; `opening` is the net close before the first row's trading open is 0-based.

    F = revenue − cost that takes effect before a bucket's end; revenue and cost count from the
    bucket's first instant, so high and low see all of F.
    """
    flows, close = opening, None
    for row in rows:
        opened = row.open + flows if close is None else close
        flows += row.revenue - row.cost
        close = row.close + flows
        yield Net(opened, max(opened, row.high + flows), min(opened, row.low + flows), close)
