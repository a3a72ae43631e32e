"""Cost: by the hour, from one source an hour, every nano-dollar once."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.cost import PRECEDENCE, Hour, hourly, spread
from ledger.facts import Cost
from ledger.moment import DAY, HOUR, MICROS, MINUTE, parse

MIDNIGHT = parse("2026-03-08T00:00:00Z")
LEGACY = Cost("legacy", MIDNIGHT, 86_400, (), 24_000)
HOURLY = Cost("analytics", MIDNIGHT, 3_600, (("model", "opus"),), 700)
FAR = MIDNIGHT + 365 * DAY

COSTS = st.builds(
    Cost,
    source=st.sampled_from(PRECEDENCE),
    start=st.integers(0, 40).map(lambda hour: MIDNIGHT + hour * HOUR),
    width=st.sampled_from([3_600, 86_400]),
    group=st.sampled_from([(), (("model", "opus"),), (("model", "haiku"),)]),
    amount=st.integers(-(10**10), 10**12),
    estimated=st.booleans(),
)


def test_an_hour_takes_effect_at_its_start() -> None:
    assert list(spread(HOURLY, FAR)) == [(MIDNIGHT, 700)]
    assert list(spread(replace(HOURLY, start=MIDNIGHT + 59 * MINUTE), FAR)) == [(MIDNIGHT, 700)]
    assert list(spread(HOURLY, MIDNIGHT - DAY)) == [(MIDNIGHT, 700)]


def test_a_day_is_spread_over_its_hours() -> None:
    assert list(spread(LEGACY, FAR)) == [(MIDNIGHT + hour * HOUR, 1_000) for hour in range(24)]


def test_a_running_day_is_spread_over_the_hours_begun() -> None:
    """24,000 after 2 h 30 min: three hours of 8,000."""
    until = MIDNIGHT + 2 * HOUR + 30 * MINUTE
    assert list(spread(LEGACY, until)) == [(MIDNIGHT + hour * HOUR, 8_000) for hour in range(3)]
    assert len(list(spread(LEGACY, MIDNIGHT + 3 * HOUR))) == 3
    assert len(list(spread(LEGACY, MIDNIGHT + 3 * HOUR + 1))) == 4


@pytest.mark.parametrize("until", [MIDNIGHT - DAY, MIDNIGHT, MIDNIGHT + 1, MIDNIGHT + HOUR])
def test_a_day_just_begun_falls_on_its_first_hour(until: int) -> None:
    assert list(spread(LEGACY, until)) == [(MIDNIGHT, 24_000)]


@pytest.mark.parametrize(
    ("amount", "shares"), [(10, [3, 3, 4]), (-10, [-4, -4, -2]), (2, [0, 0, 2]), (0, [0, 0, 0])]
)
def test_the_last_hour_takes_the_rest(amount: int, shares: list[int]) -> None:
    hours = spread(replace(LEGACY, amount=amount), MIDNIGHT + 3 * HOUR)
    assert [nano for _, nano in hours] == shares


@given(COSTS, st.integers(0, 80).map(lambda half: MIDNIGHT + half * HOUR // 2))
def test_a_spread_adds_up_and_stays_inside_its_bucket(cost: Cost, until: int) -> None:
    hours = list(spread(cost, until))
    end = cost.start + cost.width * MICROS
    assert sum(nano for _, nano in hours) == cost.amount
    assert all(cost.start <= hour < end for hour, _ in hours)
    assert len({hour for hour, _ in hours}) == len(hours)


def test_every_group_of_an_hour_counts() -> None:
    other = replace(HOURLY, group=(("model", "haiku"),), amount=50)
    assert hourly([HOURLY, other], FAR) == {MIDNIGHT: Hour(billed=750)}


def test_billed_and_estimated_are_apart_and_total_is_both() -> None:
    estimate = replace(HOURLY, group=(("model", "haiku"),), amount=50, estimated=True)
    hour = hourly([HOURLY, estimate], FAR)[MIDNIGHT]
    assert hour == Hour(billed=700, estimated=50)
    assert hour.total == 750


@pytest.mark.parametrize("estimated", [True, False])
def test_a_spread_hour_is_flagged_daily(estimated: bool) -> None:  # noqa: FBT001 - a case
    hours = hourly([replace(LEGACY, estimated=estimated)], FAR)
    assert {hour.daily for hour in hours.values()} == {True}
    assert sum(hour.estimated for hour in hours.values()) == (24_000 if estimated else 0)


def test_an_hour_stays_daily_beside_an_hourly_row_of_its_source() -> None:
    beside = replace(LEGACY, width=3_600, amount=5)
    assert hourly([LEGACY, beside], FAR)[MIDNIGHT] == Hour(billed=1_005, daily=True)
    assert hourly([beside, LEGACY], FAR)[MIDNIGHT] == Hour(billed=1_005, daily=True)


def test_an_hour_counts_from_the_first_source_that_has_it() -> None:
    """Analytics knows the second hour, legacy the day, csv the day before too."""
    known = replace(HOURLY, start=MIDNIGHT + HOUR)
    old = replace(LEGACY, source="csv", start=MIDNIGHT - DAY, width=2 * 86_400, amount=48_000_000)
    hours = hourly([old, LEGACY, known], FAR)
    assert hours[MIDNIGHT - HOUR] == Hour(billed=1_000_000, daily=True)
    assert hours[MIDNIGHT] == Hour(billed=1_000, daily=True)
    assert hours[MIDNIGHT + HOUR] == Hour(billed=700)
    assert len(hours) == 48


def test_a_row_that_became_zero_still_has_its_hour() -> None:
    assert hourly([LEGACY, replace(HOURLY, amount=0)], FAR)[MIDNIGHT] == Hour()


def test_a_source_without_a_precedence_is_refused() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        hourly([replace(HOURLY, source="invented")], FAR)


@given(st.lists(COSTS, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(costs: list[Cost], random: Random) -> None:
    shuffled = list(costs)
    random.shuffle(shuffled)
    assert hourly(shuffled, FAR) == hourly(costs, FAR)


@given(st.lists(COSTS, max_size=12))
def test_each_hour_is_the_sum_of_its_best_source_only(costs: list[Cost]) -> None:
    for hour, counted in hourly(costs, FAR).items():
        by_source = {
            source: [
                nano
                for cost in costs
                if cost.source == source
                for start, nano in spread(cost, FAR)
                if start == hour
            ]
            for source in PRECEDENCE
        }
        best = by_source["analytics"] or by_source["legacy"] or by_source["csv"]
        assert counted.total == sum(best)
