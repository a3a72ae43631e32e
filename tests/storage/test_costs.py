"""Lines of AI cost at rest: the current ones, and the versions they replaced."""

from dataclasses import replace

from ledger.moment import HOUR
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
