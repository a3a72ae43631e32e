"""Series: rollups as flat rows, net derived as they are read."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.bucket import PERIODS, Row, merged
from ledger.moment import DAY, HOUR, MINUTE, floor
from storage.errors import NoSuchPeriod, NotReady
from tests.storage.databases import NOW, Database

START = floor(NOW, DAY)
COMPLETE = {"complete": "1", "opening_revenue": "0"}
Flat = list[dict[str, Any]]


def quiet(count: int, first: int = START) -> list[Row]:
    """Return `count` minutes in which trading counts up by one."""
    return [
        Row(first + n * MINUTE, n, n + 1, n, n + 1, 0, realized=1, fills=1) for n in range(count)
    ]


def periods(minutes: list[Row]) -> dict[str, list[Row]]:
    """Return the minutes in every period."""
    return {period: list(merged(minutes, width)) for period, width in PERIODS.items()}


def keep(db: Database, minutes: list[Row], opening: int = 0, as_of: int | None = None) -> None:
    """Write minutes in every period, and the snapshot that ends them."""
    db.rollups.write(periods(minutes))
    meta = {"complete": "1", "opening_revenue": str(opening)}
    db.append(minutes[-1].bucket + 1 if as_of is None else as_of, meta=meta)


def read(db: Database, *asked: Any) -> Flat:
    """Return the rows asked for."""
    return list(db.reader.series(*asked).rows)


def test_before_the_first_snapshot_there_is_nothing(db: Database) -> None:
    with pytest.raises(NotReady, match="no snapshot yet"):
        db.reader.series("1m")


def test_no_row_shows_before_the_history_is_complete(db: Database) -> None:
    rows = periods(quiet(3))
    db.append(START + HOUR, rows)
    found = db.reader.series("1m", START, START + HOUR)
    assert (found.start, found.end, list(found.rows)) == (START, START + HOUR, [])
    db.append(START + HOUR, meta=COMPLETE)
    assert len(read(db, "1m")) == 3


def test_a_row_has_every_column_in_its_order(db: Database) -> None:
    row = Row(START, 0, 70, -30, 20, -5, 40, 15, 900, 100, 3, 2)
    keep(db, [row], opening=1_000)
    assert read(db, "1m") == [
        {
            "time": START,
            "net_open": 1_000,
            "net_high": 1_870,
            "net_low": 1_000,
            "net_close": 1_820,
            "trading_open": 0,
            "trading_high": 70,
            "trading_low": -30,
            "trading_close": 20,
            "unrealized": -5,
            "realized": 40,
            "fees": 15,
            "revenue": 900,
            "cost": 100,
            "fills": 3,
            "restated": 2,
        }
    ]
    assert list(read(db, "1m")[0])[:5] == ["time", "net_open", "net_high", "net_low", "net_close"]


def test_the_span_is_half_open_over_bucket_starts_and_is_echoed(db: Database) -> None:
    keep(db, quiet(10))
    found = db.reader.series("1m", START + MINUTE, START + 3 * MINUTE)
    assert [row["time"] for row in found.rows] == [START + MINUTE, START + 2 * MINUTE]
    assert (found.period, found.start, found.end) == ("1m", START + MINUTE, START + 3 * MINUTE)
    off_grid = read(db, "1m", START + 1, START + 2 * MINUTE + 1)
    assert [row["time"] for row in off_grid] == [START + MINUTE, START + 2 * MINUTE]


def test_an_open_span_is_told_by_what_is_there(db: Database) -> None:
    keep(db, quiet(10))
    found = db.reader.series("5m")
    assert (found.start, found.end, found.seq) == (START, START + 10 * MINUTE, 1)


def test_a_span_without_rows_is_empty(db: Database) -> None:
    keep(db, quiet(10))
    assert read(db, "1m", START + DAY, START + 2 * DAY) == []
    assert read(db, "1m", START + 5 * MINUTE, START) == []
    assert read(db, None, START + DAY) == []


def test_no_row_is_in_the_future(db: Database) -> None:
    keep(db, quiet(10), as_of=START + 4 * MINUTE)
    assert [row["time"] for row in read(db, "1m")] == [START + n * MINUTE for n in range(5)]
    assert len(read(db, None, START, None, 3)) == 5


def test_a_period_alone_gives_every_row(db: Database) -> None:
    keep(db, quiet(3_000))
    assert [len(read(db, period)) for period in ("1m", "5m", "1h")] == [3_000, 600, 50]


@pytest.mark.parametrize(
    ("points", "period", "count"),
    [(50, "1h", 50), (51, "5m", 600), (600, "5m", 600), (601, "1m", 3_000), (9_999, "1m", 3_000)],
)
def test_points_alone_choose_the_coarsest_period_that_still_gives_them(
    db: Database, points: int, period: str, count: int
) -> None:
    keep(db, quiet(3_000))
    found = db.reader.series(points=points)
    assert (found.period, len(list(found.rows))) == (period, count)


def test_without_period_and_points_1500_are_wanted(db: Database) -> None:
    keep(db, quiet(1_500 * 5))
    assert db.reader.series().period == "5m"
    assert db.reader.series(start=START + MINUTE).period == "1m"


@pytest.mark.parametrize("points", [1, 2, 7, 9, 10, 11, 999])
def test_period_and_points_merge_on_the_grid_of_the_period(db: Database, points: int) -> None:
    keep(db, quiet(10))
    rows = read(db, "1m", None, None, points)
    assert len(rows) <= points
    assert len(rows) == {1: 1, 2: 2, 7: 5, 9: 5}.get(points, 10)
    assert all(row["time"] % MINUTE == 0 for row in rows)
    assert rows[0]["time"] == START
    assert sum(row["fills"] for row in rows) == 10
    assert (rows[0]["trading_open"], rows[-1]["trading_close"]) == (0, 10)
    assert all(before["trading_close"] == row["trading_open"] for before, row in pairwise(rows))


@pytest.mark.parametrize(
    ("asked", "error"),
    [(("1d",), NoSuchPeriod), (("",), NoSuchPeriod), (("1m", None, None, 0), ValueError)],
)
def test_a_bad_question_is_named(db: Database, asked: tuple[Any, ...], error: type) -> None:
    keep(db, quiet(1))
    with pytest.raises(error, match="must be"):
        db.reader.series(*asked)


def test_flows_before_the_span_count_whole_hours_and_the_rest(db: Database) -> None:
    rows = quiet(200)
    for hour, revenue in enumerate((1_000, 20_000, 300_000, 0)):
        rows[60 * hour] = replace(rows[60 * hour], revenue=revenue, cost=7)
    keep(db, rows, opening=5)
    (row,) = read(db, "1m", START + 130 * MINUTE, START + 131 * MINUTE)
    assert row["net_open"] == 130 + 321_000 - 21 + 5
    assert row["net_close"] == 131 + 321_000 - 21 + 5
    hourly = read(db, "1h", START + 2 * HOUR, START + 3 * HOUR)
    assert hourly[0]["net_open"] == 120 + 21_000 - 14 + 5
    assert hourly[0]["net_close"] == 180 + 321_000 - 21 + 5


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Row], int]:
    """Return dense minutes whose revenue and cost fall on whole hours, and opening revenue."""
    amounts = st.integers(-(10**12), 10**12)
    count = draw(st.integers(1, 200))
    changes = draw(st.lists(amounts, min_size=count, max_size=count))
    swings = draw(st.lists(st.integers(0, 10**9), min_size=count, max_size=count))
    rows, close = [], 0
    for n, (change, swing) in enumerate(zip(changes, swings, strict=True)):
        opened, close = close, close + change
        high, low = max(opened, close) + swing, min(opened, close) - swing
        bucket = START + n * MINUTE
        row = Row(bucket, opened, high, low, close, change // 2, change, swing, fills=n % 3)
        if bucket % HOUR == 0:
            row = replace(row, revenue=draw(amounts), cost=abs(draw(amounts)))
        rows.append(row)
    return rows, draw(amounts)


def recomputed(rows: list[Row], opening: int) -> list[tuple[int, int, int, int]]:
    """Return net open, high, low, close as the ledger defines them, in plain Python."""
    found, before = [], opening
    for place, row in enumerate(rows):
        flows = opening + sum(each.revenue - each.cost for each in rows[: place + 1])
        high, low = max(before, row.high + flows), min(before, row.low + flows)
        found.append((before, high, low, row.close + flows))
        before = row.close + flows
    return found


def nets(rows: Flat) -> list[tuple[int, ...]]:
    """Return the net columns."""
    return [tuple(row[f"net_{name}"] for name in ("open", "high", "low", "close")) for row in rows]


searched = settings(
    deadline=None,
    max_examples=20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@searched
@given(histories(), st.data())
def test_net_is_what_a_plain_recomputation_gives_in_any_span(
    fresh: Callable[[], Database], history: tuple[list[Row], int], data: st.DataObject
) -> None:
    minutes, opening = history
    db = fresh()
    keep(db, minutes, opening)
    first = data.draw(st.integers(0, len(minutes) - 1))
    end = data.draw(st.integers(first, len(minutes)))
    span = (START + first * MINUTE, START + end * MINUTE)
    assert nets(read(db, "1m", *span)) == recomputed(minutes, opening)[first:end]
    for period, rows in periods(minutes).items():
        wanted = recomputed(rows, opening)
        kept = [net for net, row in zip(wanted, rows, strict=True) if row.bucket >= span[0]]
        assert nets(read(db, period, span[0])) == kept
    db.close()


@searched
@given(histories())
def test_60_minutes_merged_are_12_times_5_minutes_merged_are_the_hour(
    fresh: Callable[[], Database], history: tuple[list[Row], int]
) -> None:
    minutes, opening = history
    db = fresh()
    keep(db, minutes, opening)
    hours = read(db, "1h")
    whole = len(minutes) // 60
    for period, factor in (("1m", 60), ("5m", 12)):
        grid = read(db, period, START, START + whole * HOUR, whole) if whole else []
        assert grid == hours[:whole], f"{factor} × {period}"
    db.close()
