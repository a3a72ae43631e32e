"""Imports at rest: one row a source, replaced as it goes on."""

from ledger.facts import Status
from storage import engine
from storage.progress import IMPORTING, WHOLE, Imports, Progress, read
from tests.storage.databases import COST, DEAL, FILL, NOW, SETTLEMENT, Database


def test_an_import_is_one_row_that_goes_on(db: Database) -> None:
    imports = Imports(db.engine, db.lease.guard)
    begun = Progress("kalshi", 1_000, 90_000, NOW, NOW, IMPORTING)
    imports.note(begun, Progress("revenue", 3, None, NOW, NOW, IMPORTING))
    whole = Progress("kalshi", 91_000, 91_000, NOW, NOW + 1, WHOLE)
    imports.note(whole)
    assert imports.known()["kalshi"] == whole
    with engine.deferred(db.engine).connect() as connection:
        assert [each.source for each in read(connection)] == ["kalshi", "revenue"]


def test_what_an_import_has_recorded_is_counted_by_its_source(db: Database) -> None:
    imports = Imports(db.engine, db.lease.guard)
    db.record(FILL, SETTLEMENT, COST, DEAL)
    assert DEAL.status is Status.PENDING
    counts = {name: imports.recorded(name) for name in ("kalshi", "anthropic", "manual", "none")}
    assert counts == {"kalshi": 2, "anthropic": 1, "manual": 1, "none": 0}


def test_lists_have_come_back_to_their_oldest_row(db: Database) -> None:
    imports = Imports(db.engine, db.lease.guard)
    assert imports.oldest() == (None, None)
    db.record(FILL, SETTLEMENT)
    assert imports.oldest() == (NOW, NOW)
