"""Minutes: levels into 1m, 5m and 1h rows."""

from collections.abc import Sequence
from dataclasses import fields

import pandas as pd

from bench import tape
from bench.harness import Benchmark, Case, Contender, Goal, Scale
from ledger import bucket
from ledger.bucket import PERIODS, Row
from ledger.moment import MINUTE
from ledger.pnl import Level
from pipeline import rollup

Rows = dict[str, list[Row]]

_SIZES = {Scale.QUICK: 2_000, Scale.USUAL: 200_000, Scale.FULL: 1_000_000}
_BEFORE = Row(tape.START - MINUTE, 0, 0, 0, 0, 0)
_ROW = [field.name for field in fields(Row)]
_FLOWS = ["realized", "fees", "fills"]


def prepare(scale: Scale) -> list[Case]:
    """Return the one case: a list of levels to the rows of every period."""
    levels = tape.levels(_SIZES[scale])
    return [
        Case(
            title=f"{len(levels):,} levels into dense 1m, 5m and 1h rows",
            operation="level",
            operations=len(levels),
            contenders=(
                Contender("pipeline.rollup", lambda: _ours(levels)),
                Contender("ledger.bucket, the plain definition", lambda: _plain(levels)),
                Contender("pandas resample", lambda: _resampled(levels)),
            ),
            goals=(Goal(0.75, "pandas resample"),),
            note=(
                "All begin with the same list of levels and end with equal rows. The pandas peer "
                "resamples in floats, which is exact below $9 million, as this data is; ours "
                "stays in integers at any size. Reading and writing the database is not in it."
            ),
        )
    ]


BENCHMARK = Benchmark(
    "minutes", "What does a rebuild of the rollups cost, without its database?", prepare
)


def _ours(levels: Sequence[Level]) -> Rows:
    return rollup.periods(rollup.minutes(levels, _BEFORE, levels[-1].time))


def _plain(levels: Sequence[Level]) -> Rows:
    rows = list(bucket.minutes(levels, _BEFORE))
    wider = {period: list(bucket.merged(rows, PERIODS[period])) for period in ("5m", "1h")}
    return {"1m": rows, **wider}


def _resampled(levels: Sequence[Level]) -> Rows:
    names = ("trading", "unrealized", *_FLOWS)
    times = pd.to_datetime([level.time for level in levels], unit="us", utc=True)
    columns = {name: [getattr(level, name) for level in levels] for name in names}
    frame = pd.DataFrame(columns, index=times)
    return {period: _merged(frame, f"{width // MINUTE}min") for period, width in PERIODS.items()}


def _merged(frame: pd.DataFrame, width: str) -> list[Row]:
    groups = frame.resample(width)
    trading = groups["trading"].agg(["max", "min", "last"])
    close = trading["last"].ffill()
    opened = close.shift(1, fill_value=0)
    rows = pd.DataFrame(
        {
            "bucket": trading.index.astype("int64"),
            "open": opened,
            "high": trading["max"].fillna(opened).clip(lower=opened),
            "low": trading["min"].fillna(opened).clip(upper=opened),
            "close": close,
            "unrealized": groups["unrealized"].last().ffill(),
            **groups[_FLOWS].sum().to_dict("series"),
        }
    ).assign(revenue=0, cost=0, restated=0)
    columns = [rows[name].astype("int64").tolist() for name in _ROW]
    return [Row(*row) for row in zip(*columns, strict=True)]
