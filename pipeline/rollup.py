"""Rollups: levels into dense 1m rows, and those into 5m and 1h; many of them with pandas.

`ledger.bucket.minutes` and `merged` define the result and make the few rows of a snapshot, for
which pandas would need twenty times as long; in bulk pandas on integers computes the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from operator import attrgetter

import numpy as np
import pandas as pd

from ledger import bucket
from ledger.bucket import PERIODS, Row
from ledger.moment import MINUTE, floor
from ledger.pnl import Level

FEW = 2_000
"""Levels and minutes up to which rows are made one by one."""

_LEVEL = [field.name for field in fields(Level)]
_ROW = [field.name for field in fields(Row)]
_MINUTE = {
    "high": ("trading", "max"),
    "low": ("trading", "min"),
    "close": ("trading", "last"),
    "unrealized": ("unrealized", "last"),
    "realized": ("realized", "sum"),
    "fees": ("fees", "sum"),
    "fills": ("fills", "sum"),
}
_FLOWS = ("realized", "fees", "revenue", "cost", "fills", "restated")
_LEVELS = {"open": "first", "high": "max", "low": "min", "close": "last", "unrealized": "last"}
_MERGE = _LEVELS | dict.fromkeys(_FLOWS, "sum")


def minutes(levels: Iterable[Level], before: Row, until: int) -> list[Row]:
    """Return dense 1m rows after `before` through the bucket that holds `until`."""
    seen = list(levels)
    few = len(seen) + (until - before.bucket) // MINUTE <= FEW
    return (few_minutes if few else bulk_minutes)(seen, before, until)


def few_minutes(levels: Sequence[Level], before: Row, until: int) -> list[Row]:
    """Return the same, one by one."""
    seen = (level for level in levels if before.bucket + MINUTE <= level.time <= _end(until))
    rows = list(bucket.minutes(seen, before))
    last = rows[-1] if rows else before
    for start in range(last.bucket + MINUTE, _end(until), MINUTE):
        level = last.close
        rows.append(Row(start, level, level, level, level, last.unrealized))
    return rows


def onward(levels: Iterable[Level], last: Row, until: int) -> list[Row]:
    """Return `last` and what follows it through `until`; its minute goes on with levels in it."""
    rows = list(bucket.minutes(levels, last))
    rows = rows if rows and rows[0].bucket == last.bucket else [last, *rows]
    return rows + few_minutes((), rows[-1], until)


def _end(until: int) -> int:
    return floor(until, MINUTE) + MINUTE


def bulk_minutes(levels: Sequence[Level], before: Row, until: int) -> list[Row]:
    """Return the same, with pandas."""
    index = pd.RangeIndex(before.bucket + MINUTE, floor(until, MINUTE) + MINUTE, MINUTE)
    if not len(index):
        return []
    dense = _by_minute(levels).reindex(index)
    close = dense["close"].ffill().fillna(before.close)
    opened = close.shift(1).fillna(before.close)
    frame = pd.DataFrame(
        {
            "open": opened,
            "high": np.maximum(_whole(dense["high"].fillna(opened)), _whole(opened)),
            "low": np.minimum(_whole(dense["low"].fillna(opened)), _whole(opened)),
            "close": close,
            "unrealized": dense["unrealized"].ffill().fillna(before.unrealized),
            **{flow: dense[flow].fillna(0) for flow in ("realized", "fees", "fills")},
        }
    )
    return _rows(frame.assign(bucket=index, revenue=0, cost=0, restated=0))


def _by_minute(levels: Iterable[Level]) -> pd.DataFrame:
    """Aggregate by minute in nullable integers: a float would lose cents above $9 million."""
    records = list(map(attrgetter(*_LEVEL), levels))
    frame = pd.DataFrame.from_records(records, columns=_LEVEL).astype("Int64")
    return frame.groupby(frame["time"] // MINUTE * MINUTE).agg(**_MINUTE)


def periods(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return 1m rows in every period; the first of them begins a whole hour."""
    return (few_periods if len(rows) <= FEW else bulk_periods)(rows)


def few_periods(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the same, one by one."""
    coarser = {
        name: list(bucket.merged(rows, width)) for name, width in PERIODS.items() if name != "1m"
    }
    return {"1m": list(rows), **coarser}


def bulk_periods(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the same, with pandas; there is at least one row."""
    frame = pd.DataFrame.from_records(list(map(attrgetter(*_ROW), rows)), columns=_ROW)
    return {"1m": list(rows), "5m": _coarser(frame, "5m"), "1h": _coarser(frame, "1h")}


def _coarser(frame: pd.DataFrame, period: str) -> list[Row]:
    width = PERIODS[period]
    merged = frame.groupby(frame["bucket"] // width * width).agg(_MERGE)
    return _rows(merged.reset_index())


def _whole(column: "pd.Series[int]") -> "np.typing.NDArray[np.int64]":
    return np.asarray(column, dtype=np.int64)


def _rows(frame: pd.DataFrame) -> list[Row]:
    columns = [frame[name].astype("int64").tolist() for name in _ROW]
    return [Row(*values) for values in zip(*columns, strict=True)]
