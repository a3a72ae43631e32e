"""AI cost: of a believable size, rising with the day's work, growing until its hour is over."""

from collections import Counter

import pytest

from emulators.world import activity
from emulators.world.instant import DAY, HOUR, MINUTE
from emulators.world.spend import MODELS, Spend
from tests.emulators.stage import START

BEGIN = START - 90 * DAY


def daily(spend: Spend) -> Counter[int]:
    days: Counter[int] = Counter()
    for line in spend.lines(BEGIN, START, START):
        days[line.hour // DAY] += line.amount
    return days


def test_a_day_costs_tens_of_dollars_over_all_workspaces_and_models() -> None:
    spend = Spend("7", BEGIN)
    whole = sorted(daily(spend).values())[2:]
    assert all(45 < amount / 10**9 < 180 for amount in whole)
    lines = list(spend.lines(BEGIN, START, START))
    assert {line.model for line in lines} == set(MODELS)
    assert {line.workspace for line in lines} == {0, 1, 2}


def test_busy_hours_cost_more() -> None:
    spend = Spend("7", BEGIN)
    hours: Counter[int] = Counter()
    for line in spend.lines(BEGIN, START, START):
        hours[line.hour % DAY // HOUR] += line.amount
    busiest = max(range(24), key=lambda hour: activity.level(hour * HOUR))
    quietest = min(range(24), key=lambda hour: activity.level(hour * HOUR))
    assert hours[busiest] > 4 * hours[quietest]


def test_the_running_hour_grows_every_five_minutes_and_never_shrinks() -> None:
    spend = Spend("7", BEGIN)
    totals = [spend.total(START + minute * MINUTE) for minute in range(0, 120, 5)]
    assert totals == sorted(totals)
    assert len(set(totals)) > 20
    assert spend.total(START + MINUTE) == spend.total(START + 4 * MINUTE)


def test_figures_reach_three_to_eight_minutes_back() -> None:
    ages = {(now - Spend.refreshed(now)) // MINUTE for now in range(START, START + HOUR, MINUTE)}
    assert ages == {3, 4, 5, 6, 7}


def test_an_injected_cost_counts_at_once() -> None:
    spend = Spend("7", BEGIN)
    before = spend.total(START)
    spend.inject(spend.prepared({"amount_cents": "123.78912"}, START))
    assert spend.total(START) - before == 1_237_891_200


def test_a_cost_of_an_unknown_workspace_is_refused() -> None:
    with pytest.raises(ValueError, match="workspace must be one of"):
        Spend("7", BEGIN).prepared({"amount_cents": "1", "workspace": "Elsewhere"}, START)


def test_busy_time_runs_on_and_can_be_turned_back() -> None:
    moments = range(START, START + 2 * DAY, 7 * MINUTE)
    busy = [activity.elapsed(moment) for moment in moments]
    assert busy == sorted(busy)
    assert max(abs(activity.when(b) - m) for b, m in zip(busy, moments, strict=True)) < 1_000
