"""Runs at rest: the newest of each source is what differs now, the rest is history."""

from dataclasses import replace

import pytest

from ledger.difference import Difference, Kind, Unit
from ledger.moment import MINUTE
from ledger.money import CENT
from storage import engine
from storage.errors import LeaseLost
from storage.lease import Lease
from storage.reconciliation import (
    KEPT,
    Reconciliations,
    Run,
    Wanted,
    open_differences,
    read,
    runs,
)
from tests.storage.databases import FILL, NOW, Database

OWED = Difference("realized RAIN", "1", "1.25", 25 * CENT, Unit.USD, Kind.CHANGED)
MORE = Difference("position RAIN", "3", "3.5", 50, Unit.CONTRACTS, Kind.CHANGED)
NEW = replace(OWED, subject="fees RAIN", kind=Kind.LAG)


def kept(db: Database, *made: Run) -> Reconciliations:
    """Keep runs."""
    found = Reconciliations(db.engine, db.lease.guard)
    for run in made:
        found.keep(run)
    return found


def rows(db: Database, wanted: Wanted = Wanted()) -> list[dict[str, object]]:  # noqa: B008 - frozen
    """Return the differences that match."""
    with engine.deferred(db.engine).connect() as connection:
        return list(read(connection, wanted))


def test_a_run_is_kept_with_what_it_found(db: Database) -> None:
    kept(db, Run("kalshi", NOW, 812, (OWED, MORE, NEW), "1 row could not be read"))
    found = [(row["subject"], row["difference"], row["unit"], row["kind"]) for row in rows(db)]
    assert found == [
        ("fees RAIN", "0.25", "usd", "lag"),
        ("position RAIN", "0.5", "contracts", "changed"),
        ("realized RAIN", "0.25", "usd", "changed"),
    ]
    with engine.deferred(db.engine).connect() as connection:
        (run,) = runs(connection)
    assert (run["checked"], run["differences"]) == (812, 2)
    assert run["detail"] == "1 row could not be read"


def test_what_the_newest_runs_found_is_what_is_open(db: Database) -> None:
    """Lag is no difference, and what a later run no longer finds is settled."""
    kept(db, Run("kalshi", NOW, 1, (OWED, MORE)), Run("revenue", NOW, 1, (OWED,)))
    assert open_differences(db.engine) == 3
    kept(db, Run("kalshi", NOW + 1, 1, (NEW,)))
    assert open_differences(db.engine) == 1
    assert {row["source"] for row in rows(db)} == {"kalshi", "revenue"}


def test_a_span_shows_every_run_and_filters_narrow_it(db: Database) -> None:
    kept(db, Run("kalshi", NOW, 1, (OWED,)), Run("kalshi", NOW + 5, 1, (MORE,)))
    assert [row["time"] for row in rows(db, Wanted(start=NOW))] == [NOW + 5, NOW]
    assert [row["time"] for row in rows(db, Wanted(start=NOW, end=NOW + 5))] == [NOW]
    assert rows(db, Wanted(source="revenue")) == []
    assert rows(db, Wanted(kind="lag")) == []
    (last,) = rows(db)
    assert rows(db, Wanted(last=int(str(last["id"])))) == []


def test_what_a_run_a_while_ago_found_stands(db: Database) -> None:
    found = kept(db, Run("kalshi", NOW, 1, (OWED,)), Run("kalshi", NOW + MINUTE, 1, (MORE,)))
    assert found.standing("kalshi", NOW) == {OWED.identity}
    assert found.standing("kalshi", NOW + MINUTE) == {MORE.identity}
    assert found.standing("kalshi", NOW - 1) == set()
    assert found.standing("revenue", NOW) == set()


def test_runs_of_the_quarter_before_are_forgotten(db: Database) -> None:
    kept(db, Run("kalshi", NOW, 1, (OWED,)), Run("kalshi", NOW + KEPT + 1, 1, (MORE,)))
    assert len(rows(db, Wanted(start=0))) == 1
    assert db.rows("select count(*) from reconciliation_runs") == [(1,)]


def test_our_fills_are_found_by_their_ids(db: Database) -> None:
    db.record(FILL)
    found = Reconciliations(db.engine, db.lease.guard)
    assert found.fills(["f1", "unheard-of"]) == {"f1": FILL}


def test_who_lost_the_lease_keeps_nothing(db: Database) -> None:
    other = Lease(db.engine, "another")
    with pytest.raises(LeaseLost):
        Reconciliations(db.engine, other.guard).keep(Run("kalshi", NOW, 1, (OWED,)))
    assert rows(db) == []
