"""Flows: however facts arrive, each hour is what all facts at once make of it."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import cost, moment, revenue
from ledger.cost import Hour
from ledger.facts import Cost, Deal, Status
from ledger.moment import DAY, HOUR, MICROS, MINUTE, floor
from ledger.money import NANO, dollars
from ledger.snapshot import Costs
from pipeline.cycle import Store
from pipeline.flows import Flows
from storage import engine
from storage.engine import unguarded
from storage.facts import Facts, Page, Recorded, Window

START = moment.parse("2026-11-17T00:00:00Z")
SHIFTS = {"analytics": 0, "legacy": 0, "csv": 7 * HOUR, "usage": 0}
"""A provider's day begins at midnight UTC; one of a file may begin elsewhere."""


def spent(start: int, amount: int, source: str = "analytics", width: int = HOUR) -> Cost:
    return Cost(source, start, width // MICROS, (("model", "claude-opus-5"),), amount)


def deal(amount: int, day: date, version: int = 1, **more: Any) -> Deal:
    return Deal("api", "d1", "Acme", Status.RECOGNIZED, amount, version, closed_date=day, **more)


def taken(flows: Flows, recorded: Recorded, now: int) -> set[int]:
    return flows.take(recorded.costs, recorded.deals, now)


@st.composite
def lines(draw: st.DrawFn) -> Cost:
    source = draw(st.sampled_from(sorted(SHIFTS)))
    width = HOUR if source in {"analytics", "usage"} else DAY
    start = START + draw(st.integers(0, 3 * DAY // width)) * width + SHIFTS[source]
    group = (("model", draw(st.sampled_from(["opus", "haiku"]))),)
    if source == "usage":
        return estimate(start, draw(st.integers(0, 10**12)), draw(st.sampled_from(["", "v1"])))
    return Cost(source, start, width // MICROS, group, draw(st.integers(-(10**12), 10**12)))


def estimate(start: int, amount: int, table: str = "v1") -> Cost:
    return replace(spent(start, amount, "usage"), estimated=True, price_table=table)


@st.composite
def deals(draw: st.DrawFn) -> Deal:
    first = date(2026, 11, 17) + timedelta(days=draw(st.integers(0, 3)))
    served = {"service_start": first, "service_end": first + timedelta(days=2)}
    return Deal(
        "api",
        draw(st.sampled_from("ab")),
        "Acme",
        draw(st.sampled_from([Status.RECOGNIZED, Status.LOST, Status.PENDING])),
        draw(st.integers(-(10**12), 10**12)),
        draw(st.integers(1, 9)),
        closed_date=first,
        **(served if draw(st.booleans()) else {}),
    )


@st.composite
def pages(draw: st.DrawFn) -> tuple[int, Page]:
    """Draw what arrives, and how much later than what came before."""
    later = draw(st.sampled_from([0, 1, MINUTE, HOUR - 1, HOUR, 5 * HOUR, 30 * HOUR]))
    facts = draw(st.lists(st.one_of(lines(), deals()), max_size=4))
    covered = draw(st.none() | st.just(Window("analytics", START, START + DAY)))
    return later, Page("any", tuple(facts), window=covered)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrivals=st.lists(pages(), min_size=1, max_size=6))
def test_after_any_arrival_every_hour_is_what_all_facts_make_of_it(
    template: Path, arrivals: list[tuple[int, Page]]
) -> None:
    with TemporaryDirectory() as folder:
        shutil.copy(template, Path(folder) / "flows.db")
        opened = engine.writer(f"sqlite:///{folder}/flows.db", synchronous="off")
        facts = Facts(opened, unguarded)
        now = START + 10 * HOUR
        flows = Flows(facts)
        flows.load(now)
        for later, page in arrivals:
            now += later
            before = dict(flows.costs), dict(flows.earned)
            hours = taken(flows, facts.record(page), now)
            assert flows.costs == cost.hourly(facts.costs(), now)
            earned: dict[int, int] = {}
            for each in facts.deals():
                for instant, amount in revenue.earnings(each):
                    earned[instant] = earned.get(instant, 0) + amount
            assert flows.earned == earned
            assert hours == differing(*before, flows)
        opened.dispose()


def differing(costs: dict[int, Hour], earned: dict[int, int], flows: Flows) -> set[int]:
    """Return the hours at which either is another now."""
    hours = costs.keys() | earned.keys() | flows.costs.keys() | flows.earned.keys()
    return {
        hour
        for hour in hours
        if (costs.get(hour), earned.get(hour)) != (flows.costs.get(hour), flows.earned.get(hour))
    }


def test_an_open_day_is_spread_anew_when_another_hour_begins(store: Store) -> None:
    store.facts.record(Page("any", (spent(START, dollars("24"), "legacy", DAY),)))
    flows = Flows(store.facts)
    flows.load(START + 2 * HOUR)
    assert flows.at(START) == (0, dollars("12"))
    assert flows.take((), (), START + 2 * HOUR) == set()
    assert flows.take((), (), START + 2 * HOUR + 1) == {START, START + HOUR, START + 2 * HOUR}
    assert flows.at(START + 2 * HOUR) == (0, dollars("8"))
    assert flows.costs[START].daily
    flows.take((), (), START + 40 * HOUR)
    assert [flows.at(START + hour * HOUR)[1] for hour in range(24)] == [NANO] * 24


def test_a_clock_that_goes_back_takes_no_hour_away(store: Store) -> None:
    line = spent(START, dollars("24"), "legacy", DAY)
    store.facts.record(Page("any", (line,)))
    flows = Flows(store.facts)
    flows.load(START + 3 * HOUR)
    recorded = store.facts.record(Page("any", (spent(START, dollars("30"), "legacy", DAY),)))
    taken(flows, recorded, START + 2 * HOUR)
    assert flows.at(START + 2 * HOUR) == (0, dollars("10"))


def test_another_source_of_an_hour_supersedes_and_is_not_added(store: Store) -> None:
    flows = Flows(store.facts)
    flows.load(START)
    taken(flows, store.facts.record(Page("any", (spent(START, 7, "legacy"),))), START + HOUR)
    assert flows.at(START) == (0, 7)
    changed = taken(flows, store.facts.record(Page("any", (spent(START, 5),))), START + HOUR)
    assert changed == {START}
    assert flows.at(START) == (0, 5)


def test_an_estimate_counts_until_its_hour_is_billed_or_known_to_be_nothing(store: Store) -> None:
    flows = Flows(store.facts)
    flows.load(START)
    unknown = replace(estimate(START + HOUR, 0, ""), group=(("model", "next"),))
    page = Page("any", (estimate(START, 40), estimate(START + HOUR, 50), unknown))
    taken(flows, store.facts.record(page), START + 2 * HOUR)
    assert flows.spent(START) == Costs(0, 40)
    assert flows.spent(START + HOUR) == Costs(0, 90, unpriced=True)
    nothing = Cost("analytics", START + HOUR, 3_600, (), 0)
    billed = store.facts.record(Page("any", (spent(START, 44), nothing)))
    assert taken(flows, billed, START + 2 * HOUR) == {START, START + HOUR}
    assert flows.spent(START + HOUR) == Costs(44)
    assert flows.costs.keys() == {START}


def test_a_day_is_spread_anew_when_its_usage_is_learned(store: Store) -> None:
    flows = Flows(store.facts)
    flows.load(START)
    now = START + 2 * DAY
    taken(flows, store.facts.record(Page("any", (spent(START, 2_400, "legacy", DAY),))), now)
    assert flows.at(START + 5 * HOUR) == (0, 100)
    learned = store.facts.record(Page("any", (estimate(START + 5 * HOUR, 7),)))
    assert len(taken(flows, learned, now)) == 24
    assert flows.at(START + 5 * HOUR) == (0, 2_400)


def test_a_day_that_begins_elsewhere_is_weighed_by_both_days_it_touches(store: Store) -> None:
    """A file's day from 07:00: usage of 50 at 08:00, then 150 at 02:00 of the day after."""
    flows = Flows(store.facts)
    flows.load(START)
    now, morning, night = START + 3 * DAY, START + 8 * HOUR, START + 26 * HOUR
    bill = spent(START + 7 * HOUR, 400, "csv", DAY)
    taken(flows, store.facts.record(Page("any", (bill, estimate(morning, 50)))), now)
    assert flows.at(morning) == (0, 400)
    taken(flows, store.facts.record(Page("any", (estimate(night, 150),))), now)
    assert (flows.at(morning), flows.at(night)) == ((0, 100), (0, 300))
    taken(flows, store.facts.record(Page("any", (spent(START + 3 * HOUR, 1),))), now)
    assert (flows.at(morning), flows.at(night)) == ((0, 100), (0, 300))
    assert flows.costs == cost.hourly(store.facts.costs(), now)


def test_what_a_bill_changes_of_a_past_it_had_told_is_a_restatement(store: Store) -> None:
    """17:00 was told of as 5 and becomes 8 after the bill had passed it; 18:00 only grows."""
    flows = Flows(store.facts)
    flows.load(START)
    spoken = START + HOUR
    first = Page("any", (spent(START, 5), spent(START + HOUR, 1)))
    taken(flows, store.facts.record(first), START + 2 * HOUR)
    assert flows.restatements == []
    window = Window("analytics", START, START + 2 * HOUR, spoken)
    grown = Page("any", (spent(START, 8), spent(START + HOUR, 9)), window=window)
    taken(flows, store.facts.record(grown), START + 3 * HOUR)
    (told,) = flows.restatements
    assert (told.start, told.end, told.amount, told.seen_at) == (
        START,
        START + HOUR,
        -3,
        START + 3 * HOUR,
    )


def test_another_grouping_of_the_same_cost_restates_nothing(store: Store) -> None:
    flows = Flows(store.facts)
    flows.load(START)
    taken(flows, store.facts.record(Page("any", (spent(START, 5),))), START + 2 * HOUR)
    window = Window("analytics", START, START + HOUR, START + HOUR)
    finer = replace(spent(START, 5), group=(("model", "claude-opus-5"), ("tier", "batch")))
    recorded = store.facts.record(Page("any", (finer,), window=window))
    assert taken(flows, recorded, START + 3 * HOUR) == set()
    assert flows.restatements == []
    assert flows.at(START) == (0, 5)


def test_before_an_instant_excludes_it_and_spent_includes_it(store: Store) -> None:
    ten = moment.recognition(date(2026, 11, 17))
    page = Page("any", (spent(ten, 3), spent(ten + HOUR, 4), deal(100, date(2026, 11, 17))))
    store.facts.record(page)
    flows = Flows(store.facts)
    flows.load(ten + 2 * HOUR)
    assert (flows.before(ten), flows.before(ten + 1)) == (0, 97)
    assert (flows.earned_before(ten), flows.earned_before(ten + 1)) == (0, 100)
    assert (flows.spent(ten - 1), flows.spent(ten)) == (Costs(), Costs(3))
    assert (flows.first_cost(), flows.first_earned()) == (ten, ten)


def test_a_deal_moved_to_another_day_changes_both_hours(store: Store) -> None:
    flows = Flows(store.facts)
    flows.load(START)
    assert flows.first_cost() is flows.first_earned() is None
    first, second = date(2026, 11, 17), date(2026, 11, 18)
    taken(flows, store.facts.record(Page("any", (deal(5, first),))), START)
    moved = taken(flows, store.facts.record(Page("any", (deal(5, second, 2),))), START)
    assert moved == {moment.recognition(first), moment.recognition(second)}
    assert floor(min(moved), DAY) == START


def test_nothing_new_reads_nothing(store: Store, hands: Callable[[], int]) -> None:
    flows = Flows(store.facts)
    flows.load(hands())
    store.facts.record(Page("any", (spent(START, 7),)))
    assert flows.take((), (), hands()) == set()
    assert flows.costs == {}
