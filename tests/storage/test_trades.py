"""Fills and settlements at rest."""

from dataclasses import replace

import pytest

from ledger.facts import Settlement, Side
from ledger.money import NANO
from storage.facts import Retimed
from storage.text import decode
from tests.storage.databases import FILL, NOW, SETTLEMENT, Database, fill


@pytest.mark.parametrize(
    "content",
    [
        {"price": 1},
        {"fee": 2},
        {"count": 300},
        {"side": Side.NO},
        {"ticker": "SNOW"},
        {"subaccount": 1},
    ],
)
def test_a_fill_with_other_content_is_quarantined_and_never_wins(
    db: Database, content: dict[str, object]
) -> None:
    db.record(FILL)
    recorded = db.record(replace(FILL, **content))
    assert (recorded.fills, recorded.conflicts, recorded.duplicates) == ((), 1, 0)
    assert list(db.facts.fills()) == [FILL]
    ((source, identity, field, reason, row),) = db.rows(
        'select source, identity, field, reason, "row" from quarantine'
    )
    assert (source, identity, field) == ("kalshi", FILL.fill_id, next(iter(content)))
    assert reason == "differs from the first"
    assert decode(row)[field] == next(iter(content.values()))


def test_a_conflict_inside_one_page_leaves_the_first(db: Database) -> None:
    recorded = db.record(FILL, replace(FILL, price=1))
    assert (recorded.fills, recorded.conflicts) == ((FILL,), 1)
    assert list(db.facts.fills()) == [FILL]


def test_a_conflict_seen_again_is_not_counted_again(db: Database) -> None:
    db.record(FILL)
    other = replace(FILL, price=1)
    assert [db.record(other).conflicts for _ in range(3)] == [1, 0, 0]
    assert db.reader.quarantined() == 1


def test_what_is_no_content_makes_no_conflict(db: Database) -> None:
    db.record(FILL)
    recorded = db.record(replace(FILL, order_id="o1", is_taker=False))
    assert (recorded.duplicates, recorded.conflicts) == (1, 0)
    assert list(db.facts.fills()) == [FILL]


def test_a_later_time_replaces_the_stored_one_silently(db: Database) -> None:
    db.record(FILL)
    db.append()
    precise = replace(FILL, time=FILL.time + 123)
    recorded = db.record(precise)
    assert (recorded.fills, recorded.conflicts, recorded.duplicates) == ((), 0, 1)
    assert recorded.retimed == (Retimed(FILL, precise),)
    assert list(db.facts.fills()) == [precise]
    assert db.facts.pending() == FILL.time


@pytest.mark.parametrize("off", [-123, 123])
def test_the_exchanges_own_time_stays_whichever_comes_first(db: Database, off: int) -> None:
    """The stream told whole milliseconds; a list tells microseconds, a little before or after."""
    precise = replace(FILL, time=FILL.time + off)
    moved = db.record(FILL), db.record(precise), db.record(FILL)
    assert [recorded.retimed for recorded in moved] == [(), (Retimed(FILL, precise),), ()]
    assert list(db.facts.fills()) == [precise]
    assert db.facts.pending() == min(FILL.time, precise.time)


def test_of_two_times_as_exact_the_later_stays(db: Database) -> None:
    db.record(FILL)
    recorded = db.record(replace(FILL, time=FILL.time - 1_000))
    assert (recorded.retimed, recorded.duplicates) == ((), 1)
    assert list(db.facts.fills()) == [FILL]


def test_a_fill_both_ways_in_one_page_is_new_once_with_the_later_time(db: Database) -> None:
    precise = replace(FILL, time=FILL.time + 123)
    recorded = db.record(FILL, precise)
    assert (recorded.fills, recorded.retimed, recorded.duplicates) == ((precise,), (), 1)


def test_more_fills_than_one_question_may_name_are_recorded_once(db: Database) -> None:
    many = [fill(f"{n:05}", NOW + n) for n in range(1_201)]
    assert len(db.record(*many).fills) == len(many)
    assert db.record(*many).duplicates == len(many)


def test_the_latest_settled_time_wins_and_every_version_is_kept(db: Database) -> None:
    amended = replace(SETTLEMENT, time=NOW + 1, result="no", value=0)
    db.record(SETTLEMENT)
    db.append()
    recorded = db.record(amended)
    assert recorded.settlements == (amended,)
    assert db.facts.settlements() == [amended]
    assert db.rows("select count(*) from settlements") == [(2,)]
    assert db.facts.pending() == SETTLEMENT.time, "what the first booked is taken back"


def test_an_older_version_that_comes_late_is_kept_and_changes_nothing(db: Database) -> None:
    db.record(SETTLEMENT)
    db.append()
    recorded = db.record(replace(SETTLEMENT, time=NOW - 1, value=0))
    assert (recorded.settlements, recorded.conflicts, recorded.duplicates) == ((), 0, 0)
    assert db.facts.settlements() == [SETTLEMENT]
    assert db.rows("select count(*) from settlements") == [(2,)]
    assert db.facts.pending() is None


@pytest.mark.parametrize("outcome", [{"value": NANO // 2}, {"result": "no"}])
def test_another_outcome_at_the_same_time_is_a_conflict(
    db: Database, outcome: dict[str, object]
) -> None:
    db.record(SETTLEMENT)
    recorded = db.record(replace(SETTLEMENT, **outcome))
    assert (recorded.settlements, recorded.conflicts) == ((), 1)
    assert db.facts.settlements() == [SETTLEMENT]


def test_what_the_exchange_reports_beside_the_outcome_is_kept_as_last_said(db: Database) -> None:
    db.record(SETTLEMENT)
    reported = replace(SETTLEMENT, revenue=NANO, fee=7, yes_count=100)
    recorded = db.record(reported)
    assert (recorded.settlements, recorded.conflicts, recorded.duplicates) == ((), 0, 1)
    assert db.facts.settlements() == [reported]


def test_a_subaccount_settles_apart_from_the_market(db: Database) -> None:
    own = replace(SETTLEMENT, subaccount=0, value=0)
    shard = replace(SETTLEMENT, exchange_index=1, value=1)
    recorded = db.record(SETTLEMENT, own, shard)
    assert set(recorded.settlements) == {SETTLEMENT, own, shard}
    assert set(db.facts.settlements()) == {SETTLEMENT, own, shard}


def test_settlements_come_in_order_of_time(db: Database) -> None:
    late, early = Settlement("A", NOW + 9, "yes", NANO), Settlement("B", NOW - 9, "no", 0)
    db.record(late, SETTLEMENT, early)
    assert db.facts.settlements() == [early, SETTLEMENT, late]
