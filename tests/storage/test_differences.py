"""Differences: how many the newest reconciliation of each source found."""

from sqlalchemy import Engine

from storage import engine, schema
from tests.storage.databases import Database


def ran(opened: Engine, number: int, source: str, differences: int) -> None:
    row = {"id": number, "time": number, "source": source, "checked": 9, "detail": ""}
    with opened.begin() as connection:
        table = schema.reconciliation_runs
        connection.execute(table.insert().values(**row, differences=differences))


def test_the_newest_run_of_each_source_counts(db: Database) -> None:
    assert db.facts.differences() == {}
    opened = engine.writer(db.url)
    for number, (source, found) in enumerate([("kalshi", 3), ("revenue", 0), ("kalshi", 1)], 1):
        ran(opened, number, source, found)
    opened.dispose()
    assert db.facts.differences() == {"kalshi": 1, "revenue": 0}
