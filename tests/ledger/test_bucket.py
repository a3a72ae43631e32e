"""Buckets: dense minutes from levels, and the same truth in 5 minutes and hours."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.bucket import PERIODS, Net, Row, merged, minutes, nets
from ledger.moment import HOUR, MINUTE, floor, parse
from ledger.pnl import Level

NOON = parse("2026-03-08T12:00:00Z")
BEFORE = Row(NOON - MINUTE, 0, 0, 0, 0, 0)


def level(minute: float, trading: int, unrealized: int = 0, fills: int = 0) -> Level:
    """Return a level some minutes after noon whose flows are 10 and 1 a fill."""
    return Level(NOON + int(minute * MINUTE), trading, unrealized, 10 * fills, fills, fills)


def test_the_periods_are_a_minute_five_minutes_and_an_hour() -> None:
    assert PERIODS == {"1m": MINUTE, "5m": 5 * MINUTE, "1h": HOUR}
    assert MINUTE == 60_000_000


def test_a_minute_opens_at_the_close_before_and_sums_its_flows() -> None:
    """From 0: to 5, down to −3, to 2 with one fill each."""
    rows = list(minutes([level(0, 5, 1, 1), level(0.5, -3, 2, 1), level(0.9, 2, 3, 1)], BEFORE))
    assert rows == [Row(NOON, 0, 5, -3, 2, 3, realized=30, fees=3, fills=3)]


def test_high_and_low_see_the_open() -> None:
    """A gap up: the open is the low; a gap down: the open is the high."""
    up, down = minutes([level(0, 5), level(1, -5)], BEFORE)
    assert (up.open, up.high, up.low, up.close) == (0, 5, 0, 5)
    assert (down.open, down.high, down.low, down.close) == (5, 5, -5, -5)


def test_quiet_minutes_carry_the_level_without_flows() -> None:
    rows = list(minutes([level(0, 5, 4, 1), level(3, 6, 5, 1)], BEFORE))
    assert [row.bucket for row in rows] == [NOON + minute * MINUTE for minute in range(4)]
    assert rows[1] == Row(NOON + MINUTE, 5, 5, 5, 5, 4)
    assert rows[2] == Row(NOON + 2 * MINUTE, 5, 5, 5, 5, 4)
    assert rows[3] == Row(NOON + 3 * MINUTE, 5, 6, 5, 6, 5, realized=10, fees=1, fills=1)


def test_minutes_before_the_first_level_carry_what_was_before() -> None:
    before = Row(NOON - 3 * MINUTE, 1, 9, 0, 7, 2, realized=3, revenue=5, cost=4, fills=1)
    rows = list(minutes([level(0, 8)], before))
    assert rows[:2] == [Row(NOON - left * MINUTE, 7, 7, 7, 7, 2) for left in (2, 1)]
    assert rows[2] == Row(NOON, 7, 8, 7, 8, 0)


def test_a_level_on_the_edge_belongs_to_the_minute_it_begins() -> None:
    rows = list(minutes([level(0, 5), replace(level(1, 6), time=NOON + MINUTE - 1)], BEFORE))
    assert len(rows) == 1
    assert [row.close for row in minutes([level(0, 5), level(1, 6)], BEFORE)] == [5, 6]


def test_levels_of_the_minute_before_go_on_with_its_row() -> None:
    """The running minute was to 9, down to −4 and closed at 2; now it goes to 11 and 3."""
    running = Row(NOON, 1, 9, -4, 2, 0, realized=20, fees=2, revenue=7, cost=6, fills=2, restated=1)
    later = [level(0.5, 11, 8, 1), level(0.9, 3, 1, 0), level(1, 4)]
    assert list(minutes(later, running)) == [
        replace(running, high=11, close=3, unrealized=1, realized=30, fees=3, fills=3),
        Row(NOON + MINUTE, 3, 4, 3, 4, 0),
    ]


def test_no_levels_make_no_rows() -> None:
    assert list(minutes([], BEFORE)) == []
    assert list(merged([], HOUR)) == []
    assert list(nets([], 5)) == []


def test_rows_merge_first_open_max_min_last_close_and_flows_added() -> None:
    rows = [
        Row(NOON, 1, 5, 0, 2, 7, 10, 1, 100, 40, 2, 1),
        Row(NOON + MINUTE, 2, 3, -9, -1, 8, -4, 2, 0, 0, 3, 0),
        Row(NOON + 5 * MINUTE, -1, -1, -1, -1, 8),
    ]
    assert list(merged(rows, 5 * MINUTE)) == [
        Row(NOON, 1, 5, -9, -1, 8, 6, 3, 100, 40, 5, 1),
        Row(NOON + 5 * MINUTE, -1, -1, -1, -1, 8),
    ]


def test_net_adds_revenue_less_cost_from_the_buckets_first_instant() -> None:
    """Trading 0 → 4 → 1; 20 revenue in the first hour, 30 cost in the second, 5 before."""
    rows = [Row(0, 0, 6, -2, 4, 0, revenue=20), Row(HOUR, 4, 4, 0, 1, 0, cost=30)]
    assert list(nets(rows, 5)) == [Net(5, 31, 5, 29), Net(29, 29, -5, -4)]


def test_net_from_the_middle_opens_at_the_trading_before() -> None:
    assert list(nets([Row(HOUR, 4, 4, 0, 1, 0)], 25)) == [Net(29, 29, 25, 26)]


LEVELS = st.lists(
    st.builds(
        Level,
        time=st.integers(0, 3 * HOUR // 10**6 - 1).map(lambda second: NOON + second * 10**6),
        trading=st.integers(-(10**12), 10**12),
        unrealized=st.integers(-(10**12), 10**12),
        realized=st.integers(-(10**10), 10**10),
        fees=st.integers(0, 10**8),
        fills=st.integers(0, 3),
    ),
    max_size=30,
    unique_by=lambda level: level.time,
).map(lambda found: sorted(found, key=lambda level: level.time))
FLOWS = st.lists(
    st.tuples(st.integers(-(10**12), 10**12), st.integers(0, 10**12)), min_size=3, max_size=3
)


def dense(levels: list[Level], flows: list[tuple[int, int]]) -> list[Row]:
    """Return 1m rows with (revenue, cost) in the first minute of each hour."""
    rows = []
    for row in minutes(levels, BEFORE):
        revenue, cost = (0, 0) if row.bucket % HOUR else flows[(row.bucket - NOON) // HOUR]
        rows.append(replace(row, revenue=revenue, cost=cost))
    return rows


def by_hand(levels: list[Level], start: int, width: int) -> tuple[int, int, int, int, int]:
    """Return open, high, low, close, unrealized of a bucket straight from the levels."""
    past = [level for level in levels if level.time < start]
    mine = [level for level in levels if start <= level.time < start + width]
    opened = past[-1].trading if past else 0
    seen = [opened, *(level.trading for level in mine)]
    worth = [0, *(level.unrealized for level in past + mine)]
    return opened, max(seen), min(seen), seen[-1], worth[-1]


@pytest.mark.parametrize("width", PERIODS.values())
@given(levels=LEVELS)
def test_every_period_is_what_its_levels_say(width: int, levels: list[Level]) -> None:
    rows = list(merged(minutes(levels, BEFORE), width))
    for row in rows:
        mine = [level for level in levels if row.bucket <= level.time < row.bucket + width]
        levelled = (row.open, row.high, row.low, row.close, row.unrealized)
        assert levelled == by_hand(levels, row.bucket, width)
        assert row.realized == sum(level.realized for level in mine)
        assert row.fees == sum(level.fees for level in mine)
        assert row.fills == sum(level.fills for level in mine)
    starts = [row.bucket for row in rows]
    last = floor(levels[-1].time, width) + width if levels else NOON
    assert starts == list(range(NOON, last, width))


@given(LEVELS, FLOWS)
def test_sixty_minutes_are_twelve_times_five_and_one_hour(
    levels: list[Level], flows: list[tuple[int, int]]
) -> None:
    ones = dense(levels, flows)
    fives = list(merged(ones, PERIODS["5m"]))
    hours = list(merged(ones, PERIODS["1h"]))
    assert list(merged(fives, HOUR)) == hours
    assert list(merged(ones, MINUTE)) == ones
    assert list(merged(hours, HOUR)) == hours


@given(LEVELS, FLOWS, st.integers(-(10**12), 10**12))
def test_net_is_trading_and_revenue_less_cost_in_every_bucket(
    levels: list[Level], flows: list[tuple[int, int]], opening: int
) -> None:
    for width in PERIODS.values():
        rows = list(merged(dense(levels, flows), width))
        shown = list(nets(rows, opening))
        earned = list(accumulate((row.revenue - row.cost for row in rows), initial=opening))[1:]
        for row, net, flow in zip(rows, shown, earned, strict=True):
            assert net.close == row.close + flow
            assert net.high == max(net.open, row.high + flow)
            assert net.low == min(net.open, row.low + flow)
            assert net.low <= min(net.open, net.close) <= max(net.open, net.close) <= net.high
        assert all(now.open == before.close for before, now in pairwise(shown))
        assert [net.open for net in shown[:1]] == [opening for _ in rows[:1]]


@given(LEVELS, FLOWS)
def test_net_of_an_hour_is_the_net_of_its_minutes(
    levels: list[Level], flows: list[tuple[int, int]]
) -> None:
    ones = dense(levels, flows)
    hours = list(merged(ones, HOUR))
    by_minute = [(row.bucket, net) for row, net in zip(ones, nets(ones, 7), strict=True)]
    for row, net in zip(hours, nets(hours, 7), strict=True):
        mine = [each for bucket, each in by_minute if floor(bucket, HOUR) == row.bucket]
        assert net == together(mine)


def together(found: Iterable[Net]) -> Net:
    """Return one net bucket from its parts."""
    parts = list(found)
    high, low = max(part.high for part in parts), min(part.low for part in parts)
    return Net(parts[0].open, high, low, parts[-1].close)


@given(LEVELS, st.integers(0, 30))
def test_minutes_in_two_parts_are_the_minutes_in_one(levels: list[Level], cut: int) -> None:
    whole = {row.bucket: row for row in minutes(levels, BEFORE)}
    first = {row.bucket: row for row in minutes(levels[:cut], BEFORE)}
    newest = first[max(first)] if first else BEFORE
    rest = {row.bucket: row for row in minutes(levels[cut:], newest)}
    assert first | rest == whole
