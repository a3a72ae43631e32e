"""Cost: by the hour, from one source an hour, every nano-dollar once."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.cost import (
    ESTIMATES,
    PRECEDENCE,
    Hour,
    counted,
    hourly,
    is_silence,
    restated,
    shares,
    spread,
)
from ledger.facts import Cost
from ledger.moment import DAY, HOUR, MICROS, MINUTE, parse

MIDNIGHT = parse("2026-03-08T00:00:00Z")
LEGACY = Cost("legacy", MIDNIGHT, 86_400, (), 24_000)
HOURLY = Cost("analytics", MIDNIGHT, 3_600, (("model", "opus"),), 700)
ESTIMATE = replace(HOURLY, source=ESTIMATES, amount=50, estimated=True, price_table="v1")
FAR = MIDNIGHT + 365 * DAY

GROUPS = st.sampled_from([(), (("model", "opus"),), (("model", "haiku"),)])
HOURS = st.integers(0, 40).map(lambda hour: MIDNIGHT + hour * HOUR)
BILLS = st.builds(
    Cost,
    source=st.sampled_from(PRECEDENCE[:-1]),
    start=HOURS,
    width=st.sampled_from([3_600, 86_400]),
    group=GROUPS,
    amount=st.integers(-(10**10), 10**12),
)
GUESSES = st.builds(
    Cost,
    source=st.just(ESTIMATES),
    start=HOURS,
    width=st.just(3_600),
    group=GROUPS,
    amount=st.integers(0, 10**12),
    estimated=st.just(True),  # noqa: FBT003 - the field's own
    price_table=st.sampled_from(["", "v1"]),
)
COSTS = st.one_of(BILLS, GUESSES)


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


def test_an_estimate_is_replaced_by_the_bill_and_never_added_to() -> None:
    assert hourly([ESTIMATE], FAR) == {MIDNIGHT: Hour(estimated=50)}
    assert hourly([ESTIMATE, HOURLY], FAR) == {MIDNIGHT: Hour(billed=700)}
    assert hourly([ESTIMATE, replace(HOURLY, amount=3)], FAR) == {MIDNIGHT: Hour(billed=3)}


def test_billed_and_estimated_hours_make_one_total() -> None:
    later = replace(ESTIMATE, start=MIDNIGHT + HOUR)
    hours = hourly([HOURLY, later], FAR)
    assert sum(hour.total for hour in hours.values()) == 750


def test_an_hour_the_bill_knows_to_be_nothing_is_not_estimated() -> None:
    nothing = Cost("analytics", MIDNIGHT, 3_600, (), 0)
    assert hourly([ESTIMATE, nothing], FAR) == {}
    beyond = replace(ESTIMATE, start=MIDNIGHT + HOUR)
    assert hourly([beyond, nothing], FAR) == {MIDNIGHT + HOUR: Hour(estimated=50)}


def test_usage_without_a_price_adds_nothing_and_sets_the_flag_until_the_bill_comes() -> None:
    unknown = replace(ESTIMATE, group=(("model", "next"),), amount=0, price_table="")
    assert hourly([unknown], FAR) == {MIDNIGHT: Hour(unpriced=True)}
    assert hourly([unknown, ESTIMATE], FAR) == {MIDNIGHT: Hour(estimated=50, unpriced=True)}
    assert hourly([unknown, ESTIMATE, HOURLY], FAR) == {MIDNIGHT: Hour(billed=700)}


def test_a_spread_hour_is_flagged_daily() -> None:
    hours = hourly([LEGACY], FAR)
    assert {hour.daily for hour in hours.values()} == {True}


def test_a_day_is_spread_as_its_usage_was() -> None:
    """24,000 over usage of 50 at midnight and 150 at 5 o'clock; the other hours had none."""
    usage = [ESTIMATE, replace(ESTIMATE, start=MIDNIGHT + 5 * HOUR, amount=150)]
    hours = hourly([LEGACY, *usage], FAR)
    assert hours == {
        MIDNIGHT: Hour(billed=6_000, daily=True),
        MIDNIGHT + 5 * HOUR: Hour(billed=18_000, daily=True),
    }


def test_a_running_day_that_grows_with_its_usage_leaves_past_hours_alone() -> None:
    """Two hours used 50 and 150; a third brings 100 of usage and half as much cost again."""
    used = [50, 150, 100]
    usage = [
        replace(ESTIMATE, start=MIDNIGHT + hour * HOUR, amount=nano)
        for hour, nano in enumerate(used)
    ]
    day = replace(LEGACY, amount=2_000)
    before = hourly([day, *usage[:2]], MIDNIGHT + 2 * HOUR)
    after = hourly([replace(day, amount=3_000), *usage], MIDNIGHT + 3 * HOUR)
    assert [before[MIDNIGHT + hour * HOUR].billed for hour in range(2)] == [500, 1_500]
    assert [after[MIDNIGHT + hour * HOUR].billed for hour in range(3)] == [500, 1_500, 1_000]


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        (10, [1, 1, 1], [3, 3, 4]),
        (10, [0, 0, 0], [3, 3, 4]),
        (-10, [1, 2, 1], [-3, -5, -2]),
        (7, [1, 0, 0], [7, 0, 0]),
        (7, [5], [7]),
    ],
)
def test_shares_are_as_the_weights_and_sum_to_the_amount(
    amount: int, weights: list[int], parts: list[int]
) -> None:
    assert shares(amount, weights) == parts


@given(st.lists(COSTS, max_size=12), HOURS)
def test_what_counts_line_by_line_sums_to_the_hours(costs: list[Cost], until: int) -> None:
    sums: dict[int, int] = {}
    for hour, _, nano in counted(costs, until):
        sums[hour] = sums.get(hour, 0) + nano
    hours = hourly(costs, until)
    assert {hour: nano for hour, nano in sums.items() if nano} == {
        hour: cost.total for hour, cost in hours.items() if cost.total
    }


def test_a_late_change_restates_its_run_of_hours() -> None:
    """Two neighbouring hours grew by 10 and 20, a third far off shrank: two restatements."""
    before = {MIDNIGHT: Hour(100), MIDNIGHT + HOUR: Hour(100), MIDNIGHT + 9 * HOUR: Hour(50)}
    after = {MIDNIGHT: Hour(110), MIDNIGHT + HOUR: Hour(120)}
    late = [replace(HOURLY, start=hour) for hour in before]
    told = list(restated(late, before, after, FAR))
    assert [(one.start, one.end, one.amount) for one in told] == [
        (MIDNIGHT, MIDNIGHT + 2 * HOUR, -30),
        (MIDNIGHT + 9 * HOUR, MIDNIGHT + 10 * HOUR, 50),
    ]
    assert {(one.seen_at, one.source, one.fact) for one in told} == {
        (FAR, "anthropic", "cost (analytics)")
    }


def test_a_late_change_of_what_does_not_count_restates_nothing() -> None:
    hours = {MIDNIGHT: Hour(100)}
    assert list(restated([LEGACY], hours, hours, FAR)) == []


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


def test_a_row_that_became_zero_keeps_its_hour_from_the_next_source() -> None:
    hours = hourly([LEGACY, replace(HOURLY, amount=0)], FAR)
    assert MIDNIGHT not in hours
    assert len(hours) == 23


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
    weights: dict[int, int] = {}
    for cost in costs:
        if cost.estimated:
            weights[cost.start] = weights.get(cost.start, 0) + cost.amount
    said: dict[int, dict[str, list[int]]] = {}
    for cost in costs:
        for hour, nano in spread(cost, FAR, weights):
            said.setdefault(hour, {}).setdefault(cost.source, []).append(nano)
    hours = hourly(costs, FAR)
    for hour, by_source in said.items():
        best = next(by_source[source] for source in PRECEDENCE if source in by_source)
        assert hours.get(hour, Hour()).total == sum(best)
    assert hours.keys() <= said.keys()


def test_a_line_that_says_a_bucket_is_empty_is_no_line_to_show() -> None:
    silence = replace(LEGACY, amount=0)
    assert is_silence(silence)
    shown = (
        LEGACY,
        replace(HOURLY, amount=0),
        replace(silence, source=ESTIMATES, estimated=True),
    )
    assert not any(map(is_silence, shown))
