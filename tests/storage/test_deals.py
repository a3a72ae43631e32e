"""Deals at rest: the current ones by `updated_at`, and every other version."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from ledger.facts import Deal, Status
from ledger.moment import recognition
from tests.storage.databases import DEAL, NOW, Database

VERSIONS = "select name, updated_at from deal_versions order by updated_at"
FULL = Deal(
    "csv",
    "7",
    "Größe «S»",
    Status.RECOGNIZED,
    -(2**62),
    NOW,
    "EUR",
    date(2026, 1, 31),
    date(2026, 2, 1),
    date(2026, 2, 1),
    date(2026, 12, 31),
    Decimal("0.10"),
    Decimal("1.0834500"),
    date(2026, 1, 30),
    "customer",
    "owner",
    "stage",
    "https://example.com/7",
    "=notes",
)


def test_every_field_of_a_deal_is_kept_exactly(db: Database) -> None:
    db.record(FULL)
    (kept,) = db.facts.deals()
    assert kept == FULL
    assert str(kept.rate) == "1.0834500"


def test_a_newer_version_replaces_and_the_old_one_is_kept(db: Database) -> None:
    newer = replace(DEAL, name="Pilot II", updated_at=NOW + 1)
    db.record(DEAL)
    assert db.record(newer).deals == (newer,)
    assert db.facts.deals() == [newer]
    assert db.rows(VERSIONS) == [("Pilot", NOW)]


def test_an_older_version_is_kept_and_changes_nothing(db: Database) -> None:
    older = replace(DEAL, name="Draft", updated_at=NOW - 1)
    db.record(DEAL)
    recorded = db.record(older, older)
    assert (recorded.deals, recorded.conflicts, recorded.entry) == ((), 0, 0)
    assert db.facts.deals() == [DEAL]
    assert db.rows(VERSIONS) == [("Draft", NOW - 1)]


def test_several_versions_in_one_page_are_one_change(db: Database) -> None:
    versions = [replace(DEAL, name=f"v{n}", updated_at=NOW + n) for n in (2, 0, 3, 1)]
    recorded = db.record(*versions)
    assert recorded.deals == (versions[2],)
    assert [name for name, _ in db.rows(VERSIONS)] == ["v0", "v1", "v2"]


def test_another_content_without_an_update_is_a_conflict(db: Database) -> None:
    db.record(DEAL)
    recorded = db.record(replace(DEAL, amount=1))
    assert (recorded.deals, recorded.conflicts) == ((), 1)
    assert db.facts.deals() == [DEAL]


def test_the_same_id_of_another_source_is_another_deal(db: Database) -> None:
    other = replace(DEAL, source="hubspot")
    db.record(DEAL)
    assert db.record(other).deals == (other,)
    assert db.facts.deals() == [other, DEAL]


def test_a_deal_that_moved_is_pending_from_the_earlier_of_its_dates(db: Database) -> None:
    closed = replace(DEAL, closed_date=date(2026, 3, 4))
    db.record(closed)
    db.append()
    db.record(replace(closed, closed_date=date(2026, 5, 6), updated_at=NOW + 1))
    assert db.facts.pending() == recognition(date(2026, 3, 4))


def test_a_deal_without_a_date_reaches_back_to_nothing(db: Database) -> None:
    assert db.record(DEAL).entry == 0
