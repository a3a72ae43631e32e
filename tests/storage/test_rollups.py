"""Rollups at rest: one row a period and bucket."""

from dataclasses import replace

import pytest

from ledger.bucket import Row
from ledger.moment import HOUR, MINUTE, floor
from storage import engine
from storage.errors import LeaseLost
from storage.lease import Lease
from storage.rollups import Rollups
from tests.storage.databases import NOW, Database

START = floor(NOW, HOUR)
ROW = Row(START, 0, 5, -5, 3, 2, 1, 4, 6, 7, 8, 9)


def minute(place: int, **other: int) -> Row:
    """Return the row of the place-th minute."""
    return replace(ROW, bucket=START + place * MINUTE, **other)


def test_rows_are_read_as_they_were_written(db: Database) -> None:
    by_period = {"1m": [minute(0), minute(1)], "5m": [ROW], "1h": [replace(ROW, close=4)]}
    db.rollups.write(by_period)
    assert {period: db.rollups.load(period, 0) for period in by_period} == by_period


def test_a_row_written_again_replaces_the_row_of_its_bucket(db: Database) -> None:
    db.rollups.write({"1m": [minute(0), minute(1)]})
    db.rollups.write({"1m": [minute(1, close=9, revenue=1)]})
    assert db.rollups.load("1m", 0) == [minute(0), minute(1, close=9, revenue=1)]


def test_load_is_half_open(db: Database) -> None:
    db.rollups.write({"1m": [minute(place) for place in range(4)]})
    assert db.rollups.load("1m", START + MINUTE, START + 3 * MINUTE) == [minute(1), minute(2)]
    assert db.rollups.load("1m", START + 3 * MINUTE) == [minute(3)]


def test_the_close_before_an_instant_is_that_of_the_newest_earlier_minute(db: Database) -> None:
    db.rollups.write({"1m": [minute(0, close=1), minute(2, close=2)], "1h": [ROW]})
    assert db.rollups.close_before(START) == 0
    assert db.rollups.close_before(START + 1) == 1
    assert db.rollups.close_before(START + 2 * MINUTE) == 1
    assert db.rollups.close_before(START + HOUR) == 2


def test_clear_leaves_no_row(db: Database) -> None:
    db.rollups.write({"1m": [minute(0)], "1h": [ROW]})
    db.rollups.clear()
    assert [db.rollups.load(period, 0) for period in ("1m", "1h")] == [[], []]


def test_a_long_import_is_committed_in_batches_that_others_can_read(db: Database) -> None:
    seen: list[int] = []
    watched = Rollups(db.engine, lambda _: seen.append(len(db.rollups.load("1m", 0))))
    rows = [minute(place) for place in range(20_001)]
    watched.write({"1m": rows})
    assert seen == [0, 10_000, 20_000]
    assert db.rollups.load("1m", 0) == rows


def test_rows_join_the_transaction_of_their_caller(db: Database) -> None:
    with engine.guarded(db.engine, db.lease.guard) as connection:
        db.rollups.upsert(connection, {"1m": [minute(0)]})
        connection.rollback()
    assert db.rollups.load("1m", 0) == []


def test_who_lost_the_lease_writes_and_clears_nothing(db: Database) -> None:
    db.rollups.write({"1m": [minute(0)]})
    db.lease.release()
    assert Lease(db.engine, "other").attempt()
    with pytest.raises(LeaseLost):
        db.rollups.write({"1m": [minute(1)]})
    with pytest.raises(LeaseLost):
        db.rollups.clear()
    assert db.rollups.load("1m", 0) == [minute(0)]
