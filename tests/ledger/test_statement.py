"""Statements: lines of days as people count them, summing to the total."""

import itertools
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.bucket import Row, nets
from ledger.moment import HOUR, parse
from ledger.statement import By, Line, Opening, lines, total

PACIFIC = ZoneInfo("America/Los_Angeles")
UTC = ZoneInfo("UTC")
SPRING = parse("2026-03-07T08:00:00Z")
"""The first instant of the day before clocks go forward in Los Angeles."""


def hours(first: int, moves: list[tuple[int, int, int, int, int]]) -> list[Row]:
    """Return dense hours from (realized, unrealized move, fees, revenue, cost) of each."""
    rows, level, open_value = list[Row](), 0, 0
    for index, (realized, moved, fees, revenue, cost) in enumerate(moves):
        before, open_value = level, open_value + moved
        level += realized + moved - fees
        extremes = max(before, level), min(before, level)
        flows = realized, fees, revenue, cost, 1
        rows.append(Row(first + index * HOUR, before, *extremes, level, open_value, *flows))
    return rows


STILL = (0, 0, 0, 0, 0)
MOVES = st.lists(st.tuples(*[st.integers(-1_000, 1_000)] * 5), max_size=80)


def test_a_day_sums_its_flows_and_the_change_of_unrealized() -> None:
    """Two hours: +10 realized, 5 open and 1 fee; then −3 open, 7 revenue, 2 cost."""
    rows = hours(SPRING, [(10, 5, 1, 0, 0), (0, -3, 0, 7, 2)])
    (line,) = lines(rows, (SPRING, SPRING + 24 * HOUR), By.DAY, PACIFIC)
    assert line == Line(SPRING, SPRING + 24 * HOUR, 10, 2, 1, 7, 2)
    assert line.net == 10 + 2 - 1 + 7 - 2


@pytest.mark.parametrize(
    ("day", "length"), [("2026-03-08T08:00:00Z", 23), ("2026-11-01T07:00:00Z", 25)]
)
def test_a_day_on_which_clocks_change_has_its_own_length(day: str, length: int) -> None:
    first = parse(day)
    rows = hours(first - 24 * HOUR, [STILL] * 24 + [(1, 0, 0, 0, 0)] * length + [STILL] * 24)
    span = first - 24 * HOUR, first + 48 * HOUR
    before, changing, _ = lines(rows, span, By.DAY, PACIFIC)
    assert before.end == changing.start == first
    assert changing.end - changing.start == length * HOUR
    assert changing.realized == length


def test_the_first_and_the_last_line_are_clipped_to_the_range() -> None:
    rows = hours(SPRING, [(1, 0, 0, 0, 0)] * 72)
    span = SPRING + 5 * HOUR, SPRING + 50 * HOUR
    parts = list(lines(rows, span, By.DAY, PACIFIC))
    assert (parts[0].start, parts[-1].end) == span
    assert [line.realized for line in parts] == [19, 23, 3]


@pytest.mark.parametrize(
    ("by", "starts"),
    [
        (By.WEEK, ["2026-02-23", "2026-03-02", "2026-03-09"]),
        (By.MONTH, ["2026-02-01", "2026-03-01"]),
        (By.YEAR, ["2026-01-01"]),
    ],
)
def test_weeks_begin_on_monday_months_and_years_on_their_first_day(
    by: By, starts: list[str]
) -> None:
    first = parse("2026-02-25T00:00:00Z")
    span = parse("2020-01-01T00:00:00Z"), parse("2030-01-01T00:00:00Z")
    rows = hours(first, [STILL] * 24 * 14)
    shown = [line.start for line in lines(rows, span, by, UTC)]
    assert shown == [parse(f"{day}T00:00:00Z") for day in starts]


def test_nothing_has_no_lines_and_a_total_of_zero() -> None:
    assert list(lines([], (0, HOUR), By.DAY, UTC)) == []
    assert total([], (0, HOUR)) == Line(0, HOUR)


def test_what_stood_before_the_first_row_is_no_move_of_unrealized() -> None:
    """An hour that ends with 12 open after 9: a change of 3."""
    row = Row(SPRING, 9, 12, 9, 12, unrealized=12)
    (line,) = lines([row], (SPRING, SPRING + HOUR), By.DAY, PACIFIC, Opening(unrealized=9))
    assert line.unrealized_change == 3


@given(MOVES, st.sampled_from(By), st.integers(0, 100), st.integers(0, 100), st.integers(0, 500))
def test_lines_sum_to_the_total_which_is_the_move_of_the_net_level(
    moves: list[tuple[int, int, int, int, int]], by: By, start: int, length: int, earlier: int
) -> None:
    rows = hours(SPRING, moves)
    levels = [0, *(net.close for net in nets(rows, earlier))]
    span = SPRING + start * HOUR, SPRING + (start + length) * HOUR
    begin, end = min(start, len(moves)), min(start + length, len(moves))
    opening = Opening(rows[begin - 1].unrealized if begin else 0, 0 if begin else earlier)
    parts = list(lines(rows, span, by, PACIFIC, opening))
    whole = total(parts, span)
    assert sum(line.net for line in parts) == whole.net
    assert whole.net == levels[end] - levels[begin]
    assert all(earlier.end == later.start for earlier, later in itertools.pairwise(parts))
