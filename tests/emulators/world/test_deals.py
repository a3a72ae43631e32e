"""Deals: in all states by the start, each step at its own instant, earned at ten."""

from decimal import Decimal

import pytest

from emulators.world import instant
from emulators.world.deals import STATUSES, Deals, earned
from emulators.world.instant import DAY
from tests.emulators.stage import START


def deal(**members: str | None) -> dict[str, str | None]:
    usual = {"status": "recognized", "amount": "100.00", "recognized_at": "2026-11-21"}
    return {**usual, **members}


def test_about_sixty_deals_are_in_all_states_at_the_start() -> None:
    known = Deals("7", START).known(START)
    assert 55 <= len(known) <= 65
    assert {one["status"] for one in known} == set(STATUSES)
    amounts = [Decimal(one["amount"]) for one in known]
    assert any(amount < 0 for amount in amounts), "a credit note is among them"
    assert all(1_000 * Decimal("0.9") < a <= 40_000 for a in amounts if a > 0)


def test_a_deal_changes_only_when_its_updated_at_does() -> None:
    deals = Deals("7", START)
    before = {one["id"]: one for one in deals.known(START)}
    for one in deals.known(START + 5 * DAY):
        if instant.parse(one["updated_at"]) <= START:
            assert before[one["id"]] == one
        else:
            assert one["id"] not in before or before[one["id"]] != one


def test_new_deals_come_and_old_ones_move_on() -> None:
    deals = Deals("7", START)
    later = deals.known(START + 60 * DAY)
    assert len(later) >= len(deals.known(START)) + 25


@pytest.mark.parametrize(("hour", "expected"), [(9, "0"), (10, "100.00")])
def test_a_deal_is_earned_at_ten_of_its_day(hour: int, expected: str) -> None:
    assert earned(deal(), instant.at(2026, 11, 21, hour)) == Decimal(expected)


def test_a_service_is_earned_by_day_and_its_last_day_takes_the_rest() -> None:
    service = deal(service_start="2026-11-01", service_end="2026-11-03")
    days = [earned(service, instant.at(2026, 11, day, 10)) for day in (1, 2, 3, 9)]
    assert days == [Decimal("33.33"), Decimal("66.66"), Decimal(100), Decimal(100)]
    assert earned(service, instant.at(2026, 11, 1, 9)) == 0


def test_only_what_is_recognized_is_earned() -> None:
    assert earned(deal(status="pending"), START) == 0
    assert earned(deal(currency="EUR"), START) == 0


def test_an_injected_version_replaces_and_a_status_must_be_known() -> None:
    deals = Deals("7", START)
    first = deals.known(START)[0]
    deals.inject(deals.prepared({"id": first["id"], "amount": "12.50", "status": "void"}, START))
    changed = next(one for one in deals.known(START) if one["id"] == first["id"])
    assert changed == first | {
        "amount": "12.50", "status": "void", "updated_at": instant.text(START)
    }  # fmt: skip
    with pytest.raises(ValueError, match="status must be one of"):
        deals.prepared({"amount": "1", "status": "won"}, START)
