"""The audit: written with what it tells of, read newest first."""

from dataclasses import replace

import pytest

from storage.audit import Entry, Wanted, noted
from storage.facts import Page
from tests.storage.databases import NOW, Database

ENTRY = Entry(NOW, "local", "edit", "deal manual/d1", "{}", '{"a":1}')


def listed(db: Database, **wanted: object) -> list[int]:
    db.append()
    _, rows = db.reader.audit(Wanted(**wanted))  # type: ignore[arg-type]
    return [row["id"] for row in rows]


def test_an_entry_is_kept_word_for_word(db: Database) -> None:
    db.facts.record(Page("manual"), noted([ENTRY]), noted([]))
    db.append()
    _, rows = db.reader.audit(Wanted())
    (row,) = rows
    assert row == {"id": 1} | {name: getattr(ENTRY, name) for name in Entry.__slots__}


def test_entries_come_newest_first_and_by_what_is_wanted(db: Database) -> None:
    other = replace(ENTRY, subject="deal csv/x")
    entries = [replace(ENTRY, time=NOW + 1), other, replace(ENTRY, time=NOW + 2)]
    db.facts.record(Page("manual"), noted(entries))
    assert listed(db) == [3, 2, 1]
    assert listed(db, subject="deal csv/x") == [2]
    assert listed(db, start=NOW + 1, end=NOW + 2) == [1]
    assert listed(db, below=3) == [2, 1]


def test_no_entry_is_kept_when_its_page_is_not(db: Database) -> None:
    def fail(_: object) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        db.facts.record(Page("manual"), noted([ENTRY]), fail)
    assert listed(db) == []
