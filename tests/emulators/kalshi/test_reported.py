"""Rows that say something else than the fills, each by exactly what was asked for."""

from decimal import Decimal
from typing import Any

import pytest

from tests.emulators.ear import listening
from tests.emulators.stage import Make, Stage


def position(stage: Stage, ticker: str) -> dict[str, Any]:
    params = {"ticker": ticker, "settlement_status": "all"}
    found: dict[str, Any] = stage.kalshi("/portfolio/positions", **params).json()[
        "market_positions"
    ][0]
    return found


def settlement(stage: Stage, ticker: str) -> dict[str, Any]:
    rows = stage.kalshi("/portfolio/settlements", ticker=ticker).json()["settlements"]
    found: dict[str, Any] = rows[0]
    return found


def differing(before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: (before[name], after[name]) for name in before if before[name] != after[name]}


def held(stage: Stage, **wish: Any) -> tuple[str, dict[str, Any]]:
    """Fill an untouched market; return its ticker and the fill's row."""
    stage.tell("trader", active=False)
    ticker = stage.untouched()
    told = {"ticker": ticker, "book_side": "bid", "count": 10, "yes_price": ".40", **wish}
    return ticker, stage.tell("fill", **told).json()


@pytest.mark.parametrize(
    ("member", "by", "name", "wrong"),
    [
        ("position", "1.5", "position_fp", "11.50"),
        ("realized", "-0.05", "realized_pnl_dollars", "-0.050000"),
        ("fees", "0.01", "fees_paid_dollars", "0.030000"),
        ("traded", "1", "total_traded_dollars", "5.000000"),
        ("exposure", "1", "market_exposure_dollars", "5.000000"),
    ],
)
def test_a_position_is_wrong_in_one_member(
    stage: Stage, member: str, by: str, name: str, wrong: str
) -> None:
    ticker, _ = held(stage, fee_cost="0.02")
    before, totals = position(stage, ticker), stage.totals()
    answer = stage.tell("discrepancy", row="position", ticker=ticker, **{member: by})
    assert [one["kind"] for one in answer.json()] == ["position"]
    assert differing(before, position(stage, ticker)) == {name: (before[name], wrong)}
    assert stage.totals() == totals, "the world itself stays right"
    stage.tell("discrepancy", clear=True)
    assert position(stage, ticker) == before


@pytest.mark.parametrize(
    ("member", "by", "name", "wrong"),
    [
        ("revenue", 100, "revenue", 1100),
        ("value", -1, "value", 99),
        ("fee_cost", "0.01", "fee_cost", "0.030000"),
        ("yes_count", "1", "yes_count_fp", "11.00"),
        ("no_count", "1", "no_count_fp", "1.00"),
        ("yes_cost", "0.5", "yes_total_cost_dollars", "4.500000"),
        ("no_cost", "0.5", "no_total_cost_dollars", "0.500000"),
    ],
)
def test_a_settlement_is_wrong_in_one_member(
    stage: Stage, member: str, by: object, name: str, wrong: object
) -> None:
    ticker, _ = held(stage, fee_cost="0.02")
    stage.tell("settlement", ticker=ticker, result="yes")
    before = settlement(stage, ticker)
    stage.tell("discrepancy", row="settlement", ticker=ticker, **{member: by})
    assert differing(before, settlement(stage, ticker)) == {name: (before[name], wrong)}


def test_interest_is_in_the_balance_and_nowhere_else(stage: Stage) -> None:
    stage.tell("trader", active=False)
    before = stage.kalshi("/portfolio/balance").json()
    deposits = stage.kalshi("/portfolio/deposits").json()
    stage.tell("discrepancy", row="balance", amount="1.23")
    after = stage.kalshi("/portfolio/balance").json()
    assert after["balance"] - before["balance"] == 123
    gained = Decimal(after["balance_dollars"]) - Decimal(before["balance_dollars"])
    assert gained == Decimal("1.23")
    assert stage.kalshi("/portfolio/deposits").json() == deposits


@pytest.mark.parametrize("kind", ["deposit", "withdrawal"])
def test_a_transfer_can_be_a_row_without_money(stage: Stage, kind: str) -> None:
    stage.tell("trader", active=False)
    before = stage.kalshi("/portfolio/balance").json()["balance"]
    rows = stage.all_of(f"/portfolio/{kind}s", f"{kind}s")
    stage.tell("discrepancy", row=kind, cents=500)
    more = [row for row in stage.all_of(f"/portfolio/{kind}s", f"{kind}s") if row not in rows]
    assert [row["amount_cents"] for row in more] == [500]
    assert stage.kalshi("/portfolio/balance").json()["balance"] == before


def fills(stage: Stage, ticker: str) -> list[dict[str, Any]]:
    return stage.all_of("/portfolio/fills", "fills", ticker=ticker)


def test_a_fill_can_be_in_no_list_though_its_position_has_it(stage: Stage) -> None:
    ticker, row = held(stage)
    stage.tell("discrepancy", row="fill", fill_id=row["fill_id"], how="hide")
    assert fills(stage, ticker) == []
    everywhere = stage.all_of("/portfolio/fills", "fills", limit=1000)
    assert row["fill_id"] not in {one["fill_id"] for one in everywhere}
    assert position(stage, ticker)["position_fp"] == "10.00"


def test_a_fill_can_come_twice_or_again_under_another_name(stage: Stage) -> None:
    ticker, row = held(stage)
    stage.tell("discrepancy", row="fill", fill_id=row["fill_id"], how="twice")
    assert fills(stage, ticker) == [row, row]
    stage.tell("discrepancy", row="fill", fill_id=row["fill_id"], how="copy")
    first, second = fills(stage, ticker)
    assert first == row
    assert set(differing(row, second)) == {"fill_id", "trade_id"}


def test_a_fill_can_change_its_content_under_its_own_name(stage: Stage) -> None:
    ticker, row = held(stage)
    wish = {"yes_price": "0.41", "count": "9", "fee_cost": "0.5"}
    stage.tell("discrepancy", row="fill", fill_id=row["fill_id"], how="change", **wish)
    changed = differing(row, fills(stage, ticker)[0])
    assert {name: after for name, (_, after) in changed.items()} == {
        "yes_price_dollars": "0.4100", "no_price_dollars": "0.5900", "count_fp": "9.00",
        "fee_cost": "0.500000",
    }  # fmt: skip


def test_the_next_fills_can_be_struck_before_anybody_sees_them(stage: Stage) -> None:
    ticker = stage.untouched()
    stage.tell("discrepancy", row="fill", next=2, how="hide")
    with listening(stage) as ear:
        ear.join("fill")
        told = [
            stage.tell("fill", ticker=ticker, book_side="bid", count=1).json() for _ in range(3)
        ]
        assert ear.next("fill")["msg"]["trade_id"] == told[2]["trade_id"]
    assert [row["fill_id"] for row in fills(stage, ticker)] == [told[2]["fill_id"]]
    shown = stage.session.get(f"{stage.urls['admin']}/discrepancy", timeout=10).json()
    assert {one["subject"] for one in shown} == {row["fill_id"] for row in told[:2]}


def test_discrepancies_outlive_a_restart(make: Make) -> None:
    first = make()
    ticker, row = held(first)
    first.tell("discrepancy", row="fill", next=1, how="twice")
    told = first.tell("fill", ticker=ticker, book_side="bid", count=1).json()
    second = make()
    assert fills(second, ticker) == [told, told, row] or fills(second, ticker) == [row, told, told]


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"row": "rumour"},
        {"row": "position", "ticker": "A"},
        {"row": "position", "position": 1},
        {"row": "balance", "amount": "0"},
        {"row": "balance", "amount": "much"},
        {"row": "fill", "fill_id": "a", "how": "lose"},
        {"row": "fill", "how": "hide"},
    ],
)
def test_a_discrepancy_that_is_none_is_refused(stage: Stage, wish: dict[str, Any]) -> None:
    assert stage.tell("discrepancy", **wish).status_code == 400
    assert stage.session.get(f"{stage.urls['admin']}/discrepancy", timeout=10).json() == []
