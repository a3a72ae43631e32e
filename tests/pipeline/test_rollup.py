"""The bulk aggregation and the one by one against the plain definition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import bucket
from ledger.bucket import Row
from ledger.moment import HOUR, MINUTE
from ledger.pnl import Level
from pipeline import rollup

NANO = st.integers(-(2**62), 2**62)
START = 1_790_000_000_000_000 // HOUR * HOUR


@st.composite
def levels(draw: st.DrawFn) -> list[Level]:
    times = draw(st.lists(st.integers(0, 3 * HOUR), unique=True, max_size=30))
    flow = st.integers(-(10**12), 10**12)
    return [
        Level(START + time, draw(NANO), draw(NANO), draw(flow), draw(flow), draw(st.integers(0, 9)))
        for time in sorted(times)
    ]


def before(close: int, unrealized: int) -> Row:
    return Row(START - MINUTE, close, close, close, close, unrealized)


@given(levels(), NANO, NANO)
def test_bulk_minutes_equal_the_definition(seen: list[Level], close: int, worth: int) -> None:
    until = max((level.time for level in seen), default=START)
    expected = list(bucket.minutes(seen, before(close, worth)))
    bulk = rollup.bulk_minutes(seen, before(close, worth), until)
    assert bulk == rollup.few_minutes(seen, before(close, worth), until)
    early = START + HOUR
    assert rollup.few_minutes(seen, before(close, worth), early) == rollup.bulk_minutes(
        seen, before(close, worth), early
    )
    assert bulk[: len(expected)] == expected
    quiet = bulk[len(expected) :]
    assert len(quiet) == (0 if expected else 1)
    assert all(row.open == row.close == row.high == row.low for row in quiet)


@given(levels(), NANO)
def test_coarser_periods_equal_the_definition_and_each_other(seen: list[Level], close: int) -> None:
    rows = rollup.bulk_minutes(seen, before(close, 0), START + 3 * HOUR)
    assert rows == rollup.few_minutes(seen, before(close, 0), START + 3 * HOUR)
    periods = rollup.bulk_periods(rows)
    assert periods == rollup.few_periods(rows)
    assert periods["5m"] == list(bucket.merged(rows, 5 * MINUTE))
    assert periods["1h"] == list(bucket.merged(rows, HOUR))
    assert periods["1h"] == list(bucket.merged(periods["5m"], HOUR))


def test_rows_stay_exact_where_a_float_would_lose_cents() -> None:
    odd = 2**62 + 1
    rows = rollup.bulk_minutes([Level(START, odd, odd, 1, 0, 1)], before(0, 0), START + 2 * MINUTE)
    assert [row.close for row in rows] == [odd, odd, odd]


def test_no_time_has_passed_and_there_is_no_row() -> None:
    assert rollup.minutes([], before(1, 1), START - 1) == []
    assert rollup.periods([]) == {"1m": [], "5m": [], "1h": []}


@pytest.mark.parametrize("more", [0, 1])
def test_few_and_many_rows_read_the_same(more: int) -> None:
    """The last that is made one by one, and the first that is made in bulk."""
    length = rollup.FEW - 2 + more
    seen = [Level(START, 7, 5, 7, 0, 1), Level(START + HOUR, 3, 1, -4, 1, 2)]
    rows = rollup.minutes(seen, before(2, 1), START + (length - 1) * MINUTE)
    assert rows == list(bucket.minutes(seen, before(2, 1))) + rows[61:]
    assert [row.close for row in rows[61:]] == [3] * (length - 61)
    assert rollup.periods(rows * 1)["1h"] == list(bucket.merged(rows, HOUR))
