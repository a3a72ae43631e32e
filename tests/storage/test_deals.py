"""Deals at rest: the current ones by `updated_at`, and every other version."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

from ledger.facts import Deal, Status
from ledger.moment import DAY, recognition
from ledger.money import NANO
from storage.deals import Wanted
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


EURO = replace(DEAL, currency="EUR", status=Status.RECOGNIZED, closed_date=date(2026, 3, 4))
COMING = replace(EURO, id="d2", status=Status.PENDING)
RATES = {"EUR": Decimal("1.08"), "GBP": Decimal("1.27")}


def test_a_foreign_deal_without_a_rate_is_kept_and_not_counted(db: Database) -> None:
    db.record(EURO)
    (deal,) = db.facts.deals()
    assert (deal, deal.usd) == (EURO, None)


def test_a_recognized_deal_is_kept_with_the_rate_of_its_day(db: Database) -> None:
    db.facts.convert(RATES)
    db.record(EURO, COMING)
    db.facts.convert({"EUR": Decimal(2)})
    earned, coming = db.facts.deals()
    assert (earned.rate, earned.rate_date, earned.usd) == (
        Decimal("1.08"),
        date(2026, 11, 18),
        1_080_000_000,
    )
    assert (coming.usd, coming.rate_date) == (2 * NANO, None)
    assert db.facts.deals_named(["d2"]) == [COMING]
    assert db.facts.rates() == {"EUR": Decimal(2)}


def test_the_same_row_again_is_a_duplicate_whatever_the_rate(db: Database) -> None:
    db.facts.convert(RATES)
    db.record(EURO)
    db.facts.convert({"EUR": Decimal(2)})
    again = db.record(EURO)
    assert (again.duplicates, again.conflicts, again.deals) == (1, 0, ())
    db.record(replace(EURO, updated_at=NOW + 1, amount=2 * NANO))
    (deal,) = db.facts.deals()
    assert deal.usd == 2_160_000_000


def test_a_rate_that_comes_late_is_given_to_those_that_waited(db: Database) -> None:
    db.record(EURO, COMING)
    db.append()
    ((before, after),) = db.facts.convert(RATES)
    assert (before, after.usd) == (EURO, 1_080_000_000)
    assert db.facts.pending() == recognition(date(2026, 3, 4))
    assert db.record(EURO).duplicates == 1
    assert db.facts.convert(RATES) == []
    (entry,) = db.rows("select actor, action, subject, before, after from audit")
    assert entry[:3] == ("setting", "rate", "deal manual/d1")
    assert "rate" not in json.loads(entry[3])
    assert json.loads(entry[4])["rate"] == 1.08


def listed(db: Database, **wanted: object) -> list[str]:
    db.append()
    _, rows = db.reader.deals(Wanted(**wanted))  # type: ignore[arg-type]
    return [row["id"] for row in rows]


def test_deals_are_listed_by_the_day_they_count_on(db: Database) -> None:
    """Recognized, else closed, else the first day of the service; those without one come last."""
    days = [date(2026, 3, day) for day in (1, 2, 3)]
    base = replace(DEAL, status=Status.RECOGNIZED)
    db.record(
        replace(base, id="recognized", recognized_at=days[2], closed_date=days[0]),
        replace(base, id="closed", closed_date=days[1]),
        replace(base, id="service", service_start=days[0], service_end=days[2]),
        replace(base, id="undated", status=Status.PIPELINE),
    )
    assert listed(db) == ["recognized", "closed", "service", "undated"]
    second = recognition(days[1])
    assert listed(db, start=second, end=second + DAY) == ["closed"]
    assert listed(db, start=second + 1, end=second + DAY + 1) == ["recognized"]
    assert listed(db, status="pipeline") == ["undated"]
    assert listed(db, source="csv") == []
    assert listed(db, until=days[1]) == ["closed", "service", "undated"]
    assert listed(db, id="service") == ["service"]


def test_a_listed_deal_is_worth_what_counts(db: Database) -> None:
    db.facts.convert({"EUR": Decimal("1.5")})
    db.record(COMING, replace(DEAL, id="d3", currency="GBP"))
    db.append()
    _, rows = db.reader.deals(Wanted())
    found = {row["id"]: (row["amount_usd"], row["flag"]) for row in rows}
    assert found == {"d2": (1_500_000_000, None), "d3": (None, "no rate for GBP: not counted")}
