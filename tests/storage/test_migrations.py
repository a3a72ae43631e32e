"""Migrations: a database of an older revision keeps every row and gains what is new."""

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from ledger.facts import Cost
from storage import engine, schema
from storage.facts import Facts

HOUR = 3_600_000_000
ROWS = {
    "fills": "insert into fills values ('f', 1, 'M', 'yes', 100, 5, 1, 1, 'o', 0, 0)",
    "costs": "insert into costs values ('analytics', 3600000000, 3600, '[]', 7, 0, 1)",
}


def at_revision(path: Path, revision: str) -> str:
    """Make a database as an older version left it, one fill and one cost in it."""
    url = f"sqlite:///{path}/northstar.db"
    opened, config = engine.writer(url), Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    with opened.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for statement in ROWS.values():
            connection.exec_driver_sql(statement)
    opened.dispose()
    return url


@pytest.mark.parametrize("revision", ["0001"])
def test_an_older_database_is_brought_up_with_its_rows(tmp_path: Path, revision: str) -> None:
    opened = engine.writer(at_revision(tmp_path, revision))
    schema.upgrade(opened)
    facts = Facts(opened, lambda _: None)
    assert [fill.fill_id for fill in facts.fills()] == ["f"]
    assert list(facts.costs()) == [Cost("analytics", HOUR, 3600, (), 7, final=True)]
    with opened.connect() as connection:
        seen = connection.exec_driver_sql("select seen_at from fills").scalar()
    opened.dispose()
    assert seen == 0
