"""Engine: how the database is opened, for the one writer and for readers."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import DatabaseError, OperationalError

from storage import engine
from storage.errors import NotReady
from storage.schema import REVISION
from tests.storage.databases import Database

PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": 2,
    "cache_size": -10_000,
    "mmap_size": 30_000_000,
    "temp_store": 2,
    "busy_timeout": 5_000,
}


def test_the_writer_has_the_pragmas_of_a_ledger(db: Database) -> None:
    assert {name: db.rows(f"pragma {name}")[0][0] for name in PRAGMAS} == PRAGMAS


def test_what_can_be_recomputed_may_be_written_with_less_waiting(tmp_path: Path) -> None:
    quick = engine.writer(f"sqlite:///{tmp_path}/quick.db", synchronous="normal")
    with quick.connect() as connection:
        assert connection.exec_driver_sql("pragma synchronous").scalar() == 1
    quick.dispose()


def test_the_folder_of_the_file_is_made(tmp_path: Path) -> None:
    made = engine.writer(f"sqlite:///{tmp_path}/a/b/northstar.db")
    with made.connect() as connection:
        connection.exec_driver_sql("select 1")
    made.dispose()
    assert (tmp_path / "a/b/northstar.db").exists()


def test_a_write_transaction_locks_out_the_next_from_its_beginning(db: Database) -> None:
    other = sqlite3.connect(engine.file(db.url), timeout=0, isolation_level=None)
    with engine.guarded(db.engine, db.lease.guard), pytest.raises(sqlite3.OperationalError):
        other.execute("begin immediate")
    other.execute("begin immediate")
    other.close()


def test_a_read_of_the_writer_takes_no_write_lock(db: Database) -> None:
    with engine.deferred(db.engine).connect() as reading:
        reading.exec_driver_sql("select * from meta").all()
        db.lease.heartbeat()


def test_an_error_leaves_nothing_of_its_transaction(db: Database) -> None:
    before = db.rows("select * from lease")
    with pytest.raises(ZeroDivisionError), engine.guarded(db.engine, db.lease.guard):
        raise ZeroDivisionError
    assert db.rows("select * from lease") == before


def test_a_reader_cannot_write(db: Database) -> None:
    with engine.reading(db.url).connect() as connection, pytest.raises(OperationalError):
        connection.exec_driver_sql("delete from meta")


def test_a_missing_file_is_not_ready_and_is_not_made(tmp_path: Path) -> None:
    absent = engine.reading(f"sqlite:///{tmp_path}/absent.db")
    with pytest.raises(NotReady, match="no schema yet"):
        engine.begin(absent, REVISION)
    assert not (tmp_path / "absent.db").exists()


def test_a_file_without_tables_is_not_ready(tmp_path: Path) -> None:
    (tmp_path / "new.db").touch()
    with pytest.raises(NotReady, match="no schema yet"):
        engine.begin(engine.reading(f"sqlite:///{tmp_path}/new.db"), REVISION)


def test_a_database_at_another_revision_is_not_ready(db: Database) -> None:
    with pytest.raises(NotReady, match=f"at revision {REVISION}, this version reads 9999"):
        engine.begin(engine.reading(db.url), "9999")


def test_a_lock_that_stays_is_not_ready_and_one_that_goes_is_no_matter(db: Database) -> None:
    url, file = db.url, engine.file(db.url)
    db.close()
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("pragma locking_mode = exclusive")
    holder.execute("begin exclusive")
    with pytest.raises(NotReady, match="locked"):
        engine.begin(engine.reading(url), REVISION)
    holder.close()
    engine.begin(engine.reading(url), REVISION).close()


def test_a_file_that_is_no_database_is_an_error_and_not_a_wait(tmp_path: Path) -> None:
    (tmp_path / "bad.db").write_text("no database at all " * 100)
    with pytest.raises(DatabaseError, match="not a database"):
        engine.begin(engine.reading(f"sqlite:///{tmp_path}/bad.db"), REVISION)


def test_a_path_may_hold_what_a_uri_gives_meaning(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/50%25 a#b c.db"
    made = engine.writer(url)
    with made.begin() as connection:
        connection.exec_driver_sql("create table alembic_version (version_num text)")
        connection.exec_driver_sql("insert into alembic_version values ('x')")
    engine.begin(engine.reading(url), "x").close()
    made.dispose()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="names no file"):
        engine.writer(url)


def test_another_database_is_only_a_url(tmp_path: Path) -> None:
    del tmp_path
    url = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    assert engine.writer(url).dialect.name == "postgresql"
    options = engine.reading(url).get_execution_options()
    assert options["isolation_level"] == "REPEATABLE READ"
    assert options["postgresql_readonly"] is True
