"""Quarantine: rows that were refused, kept once each with the reason."""

from dataclasses import replace
from datetime import date

import pytest

from ledger import moment
from ledger.facts import Fact
from ledger.moment import EARLIEST
from storage.facts import Window
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


OPEN = "select identity from quarantine where resolved_at is null order by identity"


@pytest.mark.parametrize(
    ("identity", "row", "fact"),
    [
        ("f1", '{"fill_id": "f1"}', FILL),
        ("RAIN", '{"settled_time": "x"}', SETTLEMENT),
        (str(SETTLEMENT.identity), "{}", SETTLEMENT),
        ("d1", '{"id": "d1"}', DEAL),
        ("RAIN", '{"yes_bid_dollars": "x"}', MARK),
    ],
    ids=["fill", "settlement", "conflict", "deal", "mark"],
)
def test_a_refusal_is_resolved_once_its_row_could_be_taken(
    db: Database, identity: str, row: str, fact: Fact
) -> None:
    mine, other = replace(REJECT, identity=identity, row=row), replace(REJECT, identity="x")
    db.record(rejects=(mine, other))
    db.record(fact, source="revenue")
    assert len(db.rows(OPEN)) == 2, "another source's fact says nothing of it"
    db.record(fact)
    assert db.rows(OPEN) == [("x",)]
    assert db.reader.quarantined() == db.facts.refused() == 1
    assert [each.rows for each in db.facts.refusals()] == [1]
    assert db.rows("select count(*) from quarantine") == [(2,)]


def test_a_quote_says_nothing_of_a_settlement_that_was_refused(db: Database) -> None:
    db.record(rejects=(replace(REJECT, identity="RAIN", row='{"settled_time": "x"}'),))
    db.record(MARK)
    assert db.rows(OPEN) == [("RAIN",)]


def test_a_window_read_whole_resolves_the_lines_in_it(db: Database) -> None:
    hour = 3_600_000_000
    start = NOW - NOW % hour
    inside = replace(REJECT, source="anthropic", identity=f"{moment.text(start)[:19]}Z tokens")
    outside = replace(inside, identity=f"{moment.text(start - hour)[:19]}Z tokens")
    db.record(rejects=(inside, outside), source="anthropic")
    db.record(source="anthropic", window=Window("analytics", start, start + hour))
    assert db.rows(OPEN) == [(outside.identity,)]


def test_what_is_refused_again_stands_again(db: Database) -> None:
    """Other content under a known id, the right row, then the other content once more."""
    other = replace(FILL, price=1)
    db.record(FILL)
    assert [db.record(fact).conflicts for fact in (other, FILL, other)] == [1, 0, 0]
    assert db.rows(OPEN) == [("f1",)]
    db.record(other, FILL)
    assert db.rows(OPEN) == [("f1",)]
    db.record(FILL)
    assert db.rows(OPEN) == []
