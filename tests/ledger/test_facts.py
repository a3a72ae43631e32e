"""Facts: identities that make a second delivery recognisable."""

from dataclasses import FrozenInstanceError, replace
from datetime import date
from decimal import Decimal

import pytest

from ledger.facts import Cost, Deal, Fill, Mark, Market, Settlement, Side, Status
from ledger.money import NANO

FILL = Fill("f-1", 5, "KXRAIN", Side.YES, 250, 310_000_000, 17_500_000, is_taker=True)
DEAL = Deal("crm", "d-1", "Pilot", Status.RECOGNIZED, 100 * NANO, 5)


def test_a_fill_seen_twice_is_the_same_fill_whatever_its_time() -> None:
    assert FILL.identity == replace(FILL, time=6).identity == "f-1"
    assert FILL.identity != replace(FILL, fill_id="f-2").identity


def test_a_fill_of_no_counts_against_yes() -> None:
    assert FILL.signed == 250
    assert replace(FILL, side=Side.NO).signed == -250


def test_a_side_and_a_status_are_their_words() -> None:
    assert (Side("yes"), Side("no")) == (Side.YES, Side.NO)
    assert sorted(Status) == ["lost", "pending", "pipeline", "recognized", "void"]


def test_a_settlement_is_known_by_market_shard_and_subaccount() -> None:
    row = Settlement("KXRAIN", 9, "yes", NANO)
    assert row.identity == ("KXRAIN", 0, None)
    assert replace(row, time=10, value=0).identity == row.identity
    others = [replace(row, subaccount=0), replace(row, exchange_index=1), replace(row, ticker="X")]
    assert len({row.identity, *(other.identity for other in others)}) == 4


def test_what_a_source_does_not_say_is_none_zero_or_the_first_account() -> None:
    end = Settlement("KXRAIN", 9, "yes", NANO)
    assert (FILL.subaccount, FILL.exchange_index, FILL.order_id) == (0, 0, "")
    assert (end.subaccount, end.exchange_index, end.event) == (None, 0, "")
    assert (end.yes_count, end.yes_cost, end.no_count, end.no_cost) == (0, 0, 0, 0)
    assert (end.revenue, end.fee) == (0, 0)
    assert Cost("csv", 0, 3_600, (), 1) == Cost(
        "csv", 0, 3_600, (), 1, estimated=False, final=False
    )


def test_a_mark_changed_when_any_of_its_prices_did() -> None:
    mark = Mark("KXRAIN", 5, 310_000_000, 330_000_000, None)
    assert mark.quote == replace(mark, time=6).quote == (310_000_000, 330_000_000, None, None)
    assert mark.quote != replace(mark, last=0).quote
    assert mark.quote != replace(mark, value=0).quote


def test_a_cost_is_known_by_every_group_field_and_its_bucket() -> None:
    cost = Cost("analytics", 0, 3_600, (("model", "opus"), ("workspace", "a")), 7)
    assert cost.identity == replace(cost, amount=8, final=True, estimated=True).identity
    others = [
        replace(cost, source="legacy"),
        replace(cost, start=1),
        replace(cost, width=86_400),
        replace(cost, group=(("model", "opus"),)),
    ]
    assert len({cost.identity, *(other.identity for other in others)}) == 5


def test_a_deal_is_known_by_its_source_and_id() -> None:
    assert DEAL.identity == replace(DEAL, amount=1, updated_at=9).identity == ("crm", "d-1")
    assert DEAL.identity != replace(DEAL, source="hubspot").identity


def test_another_currency_counts_by_its_rate_only() -> None:
    euro = replace(DEAL, currency="EUR", rate=Decimal("1.0825"), rate_date=date(2026, 1, 2))
    assert DEAL.usd == 100 * NANO
    assert euro.usd == 108_250_000_000
    assert replace(euro, rate=None).usd is None
    assert replace(DEAL, rate=Decimal(2)).usd == 100 * NANO


@pytest.mark.parametrize("fact", [FILL, DEAL, Market("KXRAIN")], ids=["fill", "deal", "market"])
def test_facts_are_frozen(fact: Fill | Deal | Market) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(fact, fact.__slots__[0], "other")
