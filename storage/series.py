"""Series: rollups as flat rows, net derived as they are read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, tee
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from ledger.bucket import PERIODS, Row, nets
from ledger.moment import HOUR, floor
from storage import rows, schema
from storage.engine import CHUNK
from storage.errors import NoSuchPeriod

POINTS = 1_500
"""Rows wanted when neither a period nor a number is asked for."""

_TABLE = schema.rollups
_FLOWS = ("realized", "fees", "revenue", "cost", "fills", "restated")


@dataclass(frozen=True, slots=True)
class Series:
    """Rows of the buckets in [start, end), as known at snapshot `seq`.

    A row has `time` (bucket start, microseconds) and, in nano-dollars, the columns of
    `docs/wire.md`; `fills` and `restated` are counts.
    """

    period: str
    start: int
    end: int
    seq: int
    rows: Iterator[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A span of buckets and how finely it is wanted; None where the question left it open."""

    period: str | None = None
    start: int | None = None
    end: int | None = None
    points: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no rollup can answer."""
        if self.period is not None and self.period not in PERIODS:
            raise NoSuchPeriod(f"period must be one of {', '.join(PERIODS)}, not {self.period!r}")
        if self.points is not None and self.points < 1:
            raise ValueError(f"points must be at least 1, not {self.points}")


def read(connection: Connection, asked: Asked, seq: int, as_of: int) -> Series:
    """Return the series asked for, from one open read transaction at snapshot `seq`."""
    meta = _meta(connection)
    complete = meta.get("complete") == "1"
    period = asked.period or _coarsest(connection, asked, as_of)
    span = [*_span(period, asked, as_of), *(() if complete else (_TABLE.c.bucket < 0,))]
    first, last = connection.execute(
        select(func.min(_TABLE.c.bucket), func.max(_TABLE.c.bucket)).where(*span)
    ).one()
    width = PERIODS[period]
    start = next(at for at in (asked.start, first, as_of) if at is not None)
    end = next(
        at for at in (asked.end, None if last is None else last + width, start) if at is not None
    )
    if first is None:
        return Series(period, start, end, seq, iter(()))
    base = int(meta.get("opening_revenue", "0")) + _flows_before(connection, period, first)
    derived = _derived(_rows(connection, span), base)
    if asked.period and asked.points:
        step = width * -(-((last - first) // width + 1) // asked.points)
        derived = _merged(derived, first, step) if step > width else derived
    return Series(period, start, end, seq, derived)


def _meta(connection: Connection) -> dict[str, str]:
    return dict(connection.execute(select(schema.meta.c.key, schema.meta.c.value)).all())


def _span(period: str, asked: Asked, as_of: int) -> list[ColumnElement[bool]]:
    bucket = _TABLE.c.bucket
    where = [_TABLE.c.period == period, bucket <= as_of]
    where += [] if asked.start is None else [bucket >= asked.start]
    return where + ([] if asked.end is None else [bucket < asked.end])


def _coarsest(connection: Connection, asked: Asked, as_of: int) -> str:
    coarse_to_fine = sorted(PERIODS, key=PERIODS.__getitem__, reverse=True)
    for period in coarse_to_fine[:-1]:
        count = select(func.count()).select_from(_TABLE).where(*_span(period, asked, as_of))
        if (connection.scalar(count) or 0) >= (asked.points or POINTS):
            return period
    return coarse_to_fine[-1]


def _flows_before(connection: Connection, period: str, bucket: int) -> int:
    """Return revenue − cost of all buckets before one: whole hours, then the rest of its hour."""
    hour = floor(bucket, HOUR)
    whole = [_TABLE.c.period == "1h", _TABLE.c.bucket < hour]
    rest = [_TABLE.c.period == period, _TABLE.c.bucket >= hour, _TABLE.c.bucket < bucket]
    flow = func.coalesce(func.sum(_TABLE.c.revenue - _TABLE.c.cost), 0)
    return sum(
        int(connection.execute(select(flow).where(*part)).scalar_one()) for part in (whole, rest)
    )


def _rows(connection: Connection, span: Sequence[ColumnElement[bool]]) -> Iterator[Row]:
    query = rows.chosen(_TABLE, Row).where(*span).order_by(_TABLE.c.bucket)
    result = connection.execution_options(yield_per=CHUNK).execute(query)
    return (Row(*row) for row in result)


def _derived(trading: Iterator[Row], base: int) -> Iterator[dict[str, Any]]:
    first, second = tee(trading)
    for row, net in zip(first, nets(second, base), strict=True):
        yield {
            "time": row.bucket,
            "net_open": net.open,
            "net_high": net.high,
            "net_low": net.low,
            "net_close": net.close,
            "trading_open": row.open,
            "trading_high": row.high,
            "trading_low": row.low,
            "trading_close": row.close,
            "unrealized": row.unrealized,
            "realized": row.realized,
            "fees": row.fees,
            "revenue": row.revenue,
            "cost": row.cost,
            "fills": row.fills,
            "restated": row.restated,
        }


def _merged(derived: Iterator[dict[str, Any]], first: int, step: int) -> Iterator[dict[str, Any]]:
    """Yield one row for each `step` of time from the first bucket on, on the period's grid."""
    for place, group in groupby(derived, key=lambda row: (row["time"] - first) // step):
        yield _together(first + place * step, list(group))


def _together(time: int, group: Sequence[dict[str, Any]]) -> dict[str, Any]:
    opened, closed = group[0], group[-1]
    merged = dict(closed, time=time)
    for level in ("net", "trading"):
        merged[f"{level}_open"] = opened[f"{level}_open"]
        merged[f"{level}_high"] = max(row[f"{level}_high"] for row in group)
        merged[f"{level}_low"] = min(row[f"{level}_low"] for row in group)
    for flow in _FLOWS:
        merged[flow] = sum(row[flow] for row in group)
    return merged
