"""Deals against the source's full list."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from ledger.difference import Difference, Kind
from ledger.facts import Deal, Status
from ledger.money import dollars
from pipeline.reconcile.deals import differences

DEAL = Deal(
    "revenue", "d1", "Pilot", Status.RECOGNIZED, dollars("1200"), 9,
    closed_date=date(2026, 11, 3),
)  # fmt: skip


def one(ours: list[Deal], theirs: list[Deal]) -> Difference:
    """Return the only difference."""
    (found,) = differences(ours, theirs)
    return found


def test_the_same_deals_do_not_differ_whatever_their_notes() -> None:
    assert list(differences([DEAL], [replace(DEAL, name="Renamed", notes="…")])) == []


def test_a_deal_that_one_side_lacks_is_missing_or_extra_by_its_amount() -> None:
    missing = one([], [DEAL])
    assert (missing.kind, missing.difference, missing.subject) == (Kind.MISSING, "1200", "deal d1")
    assert (missing.ours, missing.theirs) == ("", "1200 USD recognized 2026-11-03")
    extra = one([DEAL], [])
    assert (extra.kind, extra.difference) == (Kind.EXTRA, "-1200")


def test_a_deal_that_is_void_may_be_gone_from_their_list() -> None:
    assert list(differences([replace(DEAL, status=Status.VOID)], [])) == []


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"amount": dollars("1000.50")}, "-199.5"),
        ({"status": Status.PENDING}, "-1200"),
        ({"status": Status.VOID}, "-1200"),
        ({"closed_date": date(2026, 12, 3)}, "0"),
        ({"service_start": date(2026, 1, 1), "service_end": date(2026, 2, 1)}, "0"),
    ],
)
def test_a_deal_that_changed_is_named_by_what_it_moves(
    changes: dict[str, object], difference: str
) -> None:
    found = one([DEAL], [replace(DEAL, **changes)])
    assert (found.kind, found.difference) == (Kind.CHANGED, difference)


def test_of_what_is_not_recognized_on_either_side_the_amount_is_named() -> None:
    ours = replace(DEAL, status=Status.PENDING)
    assert one([ours], [replace(ours, amount=dollars("1500"))]).difference == "300"


def test_another_currency_is_compared_at_the_rate_ours_is_kept_with() -> None:
    ours = replace(DEAL, currency="EUR", rate=Decimal("1.1"))
    found = one([ours], [replace(ours, rate=None, amount=dollars("1300"))])
    assert found.difference == "110"
    assert list(differences([ours], [replace(ours, rate=None)])) == []


def test_an_id_with_two_contents_is_a_duplicate_and_a_repeated_row_is_none() -> None:
    other = replace(DEAL, amount=dollars("5"))
    assert list(differences([DEAL], [DEAL, DEAL])) == []
    assert one([DEAL], [DEAL, other]).kind is Kind.DUPLICATE
    assert list(differences([DEAL], [replace(other, updated_at=1), DEAL])) == []


def test_of_two_versions_in_one_list_the_newer_is_theirs() -> None:
    newer = replace(DEAL, amount=dollars("1300"), updated_at=10)
    assert one([DEAL], [DEAL, newer]).difference == "100"
    assert list(differences([newer], [DEAL, newer])) == []
