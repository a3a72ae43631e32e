"""Quarantine: rows that were refused, kept once each with the reason."""

from dataclasses import replace
from datetime import date

import pytest

from ledger.facts import Fact
from ledger.moment import EARLIEST
from storage.quarantine import Refusals, Reject
from storage.text import decode
from tests.storage.databases import COST, DEAL, FILL, MARK, NOW, SETTLEMENT, Database

REJECT = Reject("kalshi", "f9", "price", "not a decimal: 'x'", '{"fill_id": "f9"}')


def test_a_refused_row_is_kept_once_with_its_reason(db: Database) -> None:
    for _ in range(2):
        db.record(rejects=(REJECT, REJECT))
    query = 'select source, identity, field, reason, "row", seen_at from quarantine'
    assert db.rows(query) == [
        ("kalshi", "f9", "price", "not a decimal: 'x'", '{"fill_id": "f9"}', NOW)
    ]
    assert db.reader.quarantined() == 1


def test_a_refused_row_is_no_conflict_and_the_rest_of_its_page_counts(db: Database) -> None:
    recorded = db.record(FILL, rejects=(REJECT,))
    assert (recorded.fills, recorded.conflicts) == ((FILL,), 0)


def test_another_reason_is_another_refusal(db: Database) -> None:
    db.record(rejects=(REJECT, replace(REJECT, reason="too large")))
    assert db.reader.quarantined() == 2


@pytest.mark.parametrize(
    "fact",
    [
        replace(FILL, time=EARLIEST - 1),
        replace(SETTLEMENT, time=0),
        replace(MARK, time=-(2**63)),
        replace(COST, start=EARLIEST - 1),
        replace(DEAL, closed_date=date(2009, 12, 31)),
        replace(DEAL, closed_date=date(2026, 1, 1), service_start=date(1, 1, 1)),
    ],
    ids=lambda fact: type(fact).__name__,
)
def test_a_fact_before_2010_is_quarantined_and_never_counts(db: Database, fact: Fact) -> None:
    recorded = db.record(fact, FILL, cursor={"cursor": "a"})
    assert recorded.fills == (FILL,)
    kept = [*db.facts.fills(), *db.facts.settlements(), *db.facts.marks(0), *db.facts.costs()]
    assert [*kept, *db.facts.deals()] == [FILL]
    ((field, reason, row),) = db.rows('select field, reason, "row" from quarantine')
    assert (field, reason) == ("time", "is before 2010")
    assert decode(row)


def test_the_first_instant_of_2010_counts(db: Database) -> None:
    assert db.record(replace(FILL, time=EARLIEST)).fills
    assert db.reader.quarantined() == 0


def test_refusals_are_counted_by_source_and_field(db: Database) -> None:
    others = (replace(REJECT, identity="f8"), replace(REJECT, field="count", reason="is missing"))
    db.record(rejects=(REJECT, *others, replace(others[1], reason="is no number")))
    found = sorted(db.facts.refusals(), key=lambda each: each.field)
    assert found == [
        Refusals("kalshi", "count", "is missing", same=False, rows=2),
        Refusals("kalshi", "price", REJECT.reason, same=True, rows=2),
    ]
