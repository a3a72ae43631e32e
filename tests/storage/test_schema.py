"""Schema: the tables, and how a database is brought to them."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from storage import engine, schema
from storage.errors import Unusable
from tests.storage.databases import Database
from tests.storage.processes import Start

UPGRADE = """
import sys
from storage import engine, schema
schema.upgrade(engine.writer(sys.argv[1]))
"""


def test_the_revisions_make_exactly_the_tables_the_code_uses(db: Database) -> None:
    with engine.deferred(db.engine).connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, schema.metadata) == []


def test_the_revision_readers_wait_for_is_the_last_one() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [schema.REVISION]


def test_an_upgrade_again_changes_nothing(db: Database) -> None:
    epoch = db.snapshots.epoch()
    schema.upgrade(db.engine)
    assert db.snapshots.epoch() == epoch


def test_two_processes_that_upgrade_at_once_make_one_database(tmp_path: Path, start: Start) -> None:
    url = f"sqlite:///{tmp_path}/northstar.db"
    racers = [start(UPGRADE, url) for _ in range(3)]
    assert [racer.wait() for racer in racers] == [0, 0, 0]
    made = engine.writer(url)
    with made.connect() as connection:
        found = connection.exec_driver_sql("select count(*) from lease").scalar()
    made.dispose()
    assert found == 1


def test_a_new_database_has_a_new_epoch(tmp_path: Path) -> None:
    epochs = set()
    for name in ("a", "b"):
        made = engine.writer(f"sqlite:///{tmp_path}/{name}.db")
        schema.upgrade(made)
        with made.connect() as connection:
            query = "select value from meta where key = 'epoch'"
            epochs.add(connection.exec_driver_sql(query).scalar())
        made.dispose()
    assert len(epochs) == 2


def test_no_index_repeats_another_or_an_integer_key(fresh: Callable[[], Database]) -> None:
    db = fresh()
    names = [name for (name,) in db.rows("select name from sqlite_master where type = 'index'")]
    columns = {
        name: tuple(column for (*_, column) in db.rows(f"pragma index_info({name})"))
        for name in names
    }
    tables = dict(db.rows("select name, tbl_name from sqlite_master where type = 'index'"))
    indexed = Counter((tables[name], on) for name, on in columns.items())
    assert max(indexed.values()) == 1
    assert not {on for on in columns.values() if on in {("seq",), ("id",)}}


def test_dense_tables_have_no_second_key_and_a_seq_is_never_used_again(db: Database) -> None:
    made = dict(db.rows("select name, lower(sql) from sqlite_master where type = 'table'"))
    assert {name for name, sql in made.items() if "without rowid" in sql} == {"marks", "rollups"}
    assert "autoincrement" in made["snapshots"]
    assert "autoincrement" in made["unrolled"]


def test_a_file_that_is_no_database_is_unusable(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("nothing of a database, but long enough to be read as one " * 100)
    with pytest.raises(Unusable, match="not a database"):
        schema.upgrade(engine.writer(f"sqlite:///{file}"))


def test_a_database_of_a_later_version_is_unusable(tmp_path: Path) -> None:
    opened = engine.writer(f"sqlite:///{tmp_path / 'later.db'}")
    schema.upgrade(opened)
    with opened.begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '9999'")
    with pytest.raises(Unusable, match="9999"):
        schema.upgrade(opened)
