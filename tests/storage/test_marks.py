"""Marks at rest: dense rows by instant and market, a later delivery replacing the earlier."""

from dataclasses import replace

from ledger.facts import Mark
from storage import engine, marks
from tests.storage.databases import MARK, NOW, Database


def test_a_later_delivery_replaces_the_earlier(db: Database) -> None:
    db.record(MARK)
    moved = replace(MARK, bid=1, value=2)
    recorded = db.record(moved)
    assert (recorded.marks, recorded.duplicates) == ((moved,), 0)
    assert list(db.facts.marks(0)) == [moved]


def test_the_last_of_a_page_counts(db: Database) -> None:
    moved = replace(MARK, last=3)
    recorded = db.record(MARK, moved)
    assert (recorded.marks, recorded.duplicates) == ((moved,), 1)


def test_marks_are_read_by_time_and_ticker_whatever_market_came_first(db: Database) -> None:
    known = [Mark(name, NOW + at, at, None, None) for at in (1, 2, 3) for name in "BAC"]
    db.record(*known)
    wanted = sorted(known, key=lambda mark: (mark.time, mark.ticker))
    assert list(db.facts.marks(0)) == wanted
    assert list(db.facts.marks(NOW + 2)) == wanted[3:]
    assert list(db.facts.marks(NOW + 1, NOW + 3)) == wanted[:6]


def test_the_newest_mark_of_each_market_is_strictly_before_the_instant(db: Database) -> None:
    a1, a3, b2 = (
        Mark("A", NOW + 1, 1, 2, 3),
        Mark("A", NOW + 3, 4, 5, 6),
        Mark("B", NOW + 2, 7, 8, 9),
    )
    db.record(a1, a3, b2)
    assert db.facts.marks_before(NOW + 4) == {"A": a3, "B": b2}
    assert db.facts.marks_before(NOW + 3) == {"A": a1, "B": b2}
    assert db.facts.marks_before(NOW + 2) == {"A": a1}
    assert db.facts.marks_before(NOW + 1) == {}


def test_the_newest_marks_are_sought_and_never_found_by_walking_over_all(db: Database) -> None:
    with engine.deferred(db.engine).connect() as connection:
        query = marks.newest_before(NOW).compile(connection, compile_kwargs={"literal_binds": True})
        plan = [step[-1] for step in connection.exec_driver_sql(f"explain query plan {query}")]
    assert not [step for step in plan if step.startswith("SCAN marks")]
    assert sum(step.startswith("SEARCH marks") for step in plan) == 2


def test_marks_of_many_instants_in_one_page_are_each_known_again(db: Database) -> None:
    known = [Mark("AB"[n % 2], NOW + n, n, None, None) for n in range(1_100)]
    assert len(db.record(*known).marks) == len(known)
    assert db.record(*known).duplicates == len(known)
