"""Lines of AI cost at rest: the current ones, and the versions they replaced."""

from dataclasses import replace

import pytest

from ledger.cost import hourly
from ledger.facts import Cost
from ledger.moment import DAY, HOUR, floor
from ledger.money import NANO
from storage.facts import Changed, Window
from tests.storage.databases import COST, NOW, Database

VERSIONS = "select amount, replaced_at from cost_versions order by id"


def test_another_amount_replaces_the_line_and_the_old_one_is_kept(db: Database) -> None:
    db.record(COST)
    grown = replace(COST, amount=2 * NANO)
    recorded = db.record(grown)
    assert recorded.costs == (Changed(COST, grown),)
    assert list(db.facts.costs()) == [grown]
    assert db.rows(VERSIONS) == [(NANO, NOW)]


def test_a_first_line_had_nothing_before(db: Database) -> None:
    assert db.record(COST).costs == (Changed(None, COST),)
    assert db.rows(VERSIONS) == []


def test_an_estimate_that_is_billed_at_the_same_amount_has_changed(db: Database) -> None:
    estimate = replace(COST, estimated=True)
    db.record(estimate)
    assert db.record(COST).costs == (Changed(estimate, COST),)


def test_each_group_width_start_and_source_is_a_line_of_its_own(db: Database) -> None:
    lines = (
        COST,
        replace(COST, source="legacy"),
        replace(COST, width=24 * HOUR),
        replace(COST, start=NOW + HOUR),
        replace(COST, group=(("model", "m"),)),
        replace(COST, group=()),
    )
    assert len(db.record(*lines).costs) == len(lines)
    assert set(db.facts.costs()) == set(lines)
    assert db.record(*lines).duplicates == len(lines)


def test_a_line_absent_from_a_completely_read_window_counts_zero(db: Database) -> None:
    gone, outside = replace(COST, start=NOW + HOUR), replace(COST, start=NOW + 2 * HOUR)
    other = replace(COST, source="legacy", start=NOW + HOUR)
    db.record(COST, gone, outside, other)
    recorded = db.record(COST, window=Window("analytics", NOW, NOW + 2 * HOUR))
    assert recorded.costs == (Changed(gone, replace(gone, amount=0)),)
    assert {(line.source, line.start): line.amount for line in db.facts.costs()} == {
        ("analytics", NOW): NANO,
        ("analytics", NOW + HOUR): 0,
        ("analytics", NOW + 2 * HOUR): NANO,
        ("legacy", NOW + HOUR): NANO,
    }
    assert db.rows(VERSIONS) == [(NANO, NOW)]


def test_a_window_read_again_changes_nothing_and_a_line_may_come_back(db: Database) -> None:
    window = Window("analytics", NOW, NOW + HOUR)
    db.record(COST)
    db.record(window=window)
    again = db.record(window=window)
    assert (again.costs, again.entry) == ((), 0)
    back = db.record(COST, window=window)
    assert back.costs == (Changed(replace(COST, amount=0), COST),)


def test_an_empty_window_of_a_new_source_is_no_change(db: Database) -> None:
    assert db.record(window=Window("csv", 0, NOW)).costs == ()


def test_costs_are_read_by_the_span_they_start_in(db: Database) -> None:
    lines = [replace(COST, start=NOW + hour * HOUR) for hour in range(3)]
    db.record(*reversed(lines))
    assert list(db.facts.costs()) == lines
    assert list(db.facts.costs(NOW + HOUR, NOW + 2 * HOUR)) == [lines[1]]


def test_a_cost_that_changed_is_pending_from_its_start(db: Database) -> None:
    db.record(replace(COST, start=NOW - HOUR))
    assert db.facts.pending() == NOW - HOUR


MIDNIGHT = floor(NOW, DAY)
BILLED = Cost("analytics", MIDNIGHT, 3_600, (("model", "m"),), NANO)
USED = replace(BILLED, source="usage", estimated=True, price_table="v1")


def told(db: Database, *costs: Cost, spoken: int, end: int = MIDNIGHT + DAY) -> list[Changed]:
    """Record what a read of the day brings, when the bill had spoken that far before."""
    window = Window("analytics", MIDNIGHT, end, spoken)
    return list(db.record(*costs, window=window).costs)


def test_growth_of_a_bucket_the_bill_had_not_reached_is_normal(db: Database) -> None:
    db.record(BILLED)
    (grown,) = told(db, replace(BILLED, amount=2 * NANO), spoken=MIDNIGHT + HOUR - 1)
    assert (grown.late, grown.amount) == (False, NANO)


def test_a_change_of_what_the_bill_had_told_completely_is_late(db: Database) -> None:
    db.record(BILLED)
    (grown,) = told(db, replace(BILLED, amount=3 * NANO), spoken=MIDNIGHT + HOUR)
    assert (grown.late, grown.amount) == (True, 2 * NANO)


def test_a_line_that_comes_to_a_closed_bucket_or_goes_from_it_is_late(db: Database) -> None:
    other = replace(BILLED, group=(("model", "n"),), amount=5)
    db.record(BILLED)
    changes = told(db, other, spoken=MIDNIGHT + DAY)
    assert [(change.late, change.amount) for change in changes] == [(True, 5), (True, -NANO)]


def test_a_bucket_that_was_never_told_of_is_news_and_not_late(db: Database) -> None:
    """As in a history that is read for the first time, long after its buckets closed."""
    assert [change.late for change in told(db, BILLED, spoken=MIDNIGHT + DAY)] == [False]


def test_an_estimate_is_never_late(db: Database) -> None:
    db.record(USED)
    window = Window("usage", MIDNIGHT, MIDNIGHT + DAY, MIDNIGHT + DAY)
    (changed,) = db.record(replace(USED, amount=5), window=window).costs
    assert not changed.late


@pytest.mark.parametrize(
    ("start", "priced", "kept"),
    [(MIDNIGHT, "v1", True), (NOW, "v1", False), (MIDNIGHT, "", False)],
)
def test_an_estimate_of_the_past_is_not_made_anew_by_a_newer_table(
    db: Database,
    start: int,
    priced: str,
    kept: bool,  # noqa: FBT001 - a case
) -> None:
    """The running hour is; and so is what no table had priced."""
    made = replace(USED, start=floor(start, HOUR), price_table=priced)
    anew = replace(made, amount=7, price_table="v2")
    db.record(made)
    assert db.record(anew).costs == (() if kept else (Changed(made, anew),))
    assert list(db.facts.costs()) == [made if kept else anew]


def test_totals_come_to_the_same_hours_as_the_lines(db: Database) -> None:
    groups = [(("model", f"m{n}"),) for n in range(3)]
    lines = [
        replace(BILLED, start=MIDNIGHT + hour * HOUR, group=group, amount=100 * hour + len(group))
        for hour in range(3)
        for group in groups
    ]
    lines += [Cost("legacy", MIDNIGHT, 86_400, group, 1_001) for group in groups]
    lines += [replace(USED, start=MIDNIGHT + 5 * HOUR, group=group) for group in groups]
    unpriced = replace(USED, start=MIDNIGHT + 5 * HOUR, amount=0, price_table="")
    lines.append(replace(unpriced, group=(("model", "next"),)))
    lines.append(replace(USED, start=MIDNIGHT - HOUR, amount=3))
    db.record(*lines)
    totals = list(db.facts.cost_totals())
    assert len(totals) == 3 + 3 + 1 + 1 + 1
    assert {total.group for total in totals} == {()}
    assert hourly(totals, NOW) == hourly(lines, NOW)
    part = list(db.facts.cost_totals(MIDNIGHT, MIDNIGHT + HOUR))
    assert {total.start for total in part} == {MIDNIGHT}
