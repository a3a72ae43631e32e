"""What rows say of orders, subaccounts, transfers and accounts of every kind."""

from decimal import Decimal
from typing import Any

import pytest

from tests.emulators.stage import Make, Stage


def position(stage: Stage, ticker: str, **params: Any) -> dict[str, Any]:
    params = {"ticker": ticker, "settlement_status": "all", **params}
    found = stage.kalshi("/portfolio/positions", **params).json()["market_positions"]
    assert len(found) == 1
    row: dict[str, Any] = found[0]
    return row


def settlement(stage: Stage, ticker: str, **params: Any) -> dict[str, Any]:
    found = stage.kalshi("/portfolio/settlements", ticker=ticker, **params).json()["settlements"]
    assert len(found) == 1
    row: dict[str, Any] = found[0]
    return row


def balance(stage: Stage, **params: Any) -> Decimal:
    return Decimal(stage.kalshi("/portfolio/balance", **params).json()["balance_dollars"])


def test_a_fill_of_ours_is_an_order_and_a_public_trade(stage: Stage) -> None:
    fill = stage.tell("fill", book_side="ask", count="7.77", yes_price=".52").json()
    order = stage.kalshi(f"/portfolio/orders/{fill['order_id']}").json()["order"]
    assert order["fill_count_fp"] == fill["count_fp"] == order["initial_count_fp"]
    assert order["taker_fees_dollars"] == fill["fee_cost"]
    assert Decimal(order["taker_fill_cost_dollars"]) == Decimal("7.77") * Decimal("0.48")
    trades = stage.kalshi("/markets/trades", ticker=fill["ticker"], limit=5).json()["trades"]
    assert fill["trade_id"] in {trade["trade_id"] for trade in trades}
    assert stage.kalshi("/portfolio/orders/none").status_code == 404


def test_sells_mislead_where_action_and_side_are_read(stage: Stage) -> None:
    fill = stage.tell("fill", book_side="ask", count=1).json()
    assert (fill["action"], fill["side"]) == ("sell", "no")
    order = stage.kalshi(f"/portfolio/orders/{fill['order_id']}").json()["order"]
    assert (order["action"], order["side"]) == ("buy", "no")


def test_subaccounts_hold_apart_and_are_settled_in_one_row(stage: Stage) -> None:
    """YES 10 at .40 in 0, NO 4 at .35 (YES at .65) in 2; it ends yes: 10.00, and nothing."""
    ticker = stage.untouched()
    fill = {"ticker": ticker, "fee_cost": "0.01"}
    stage.tell("fill", book_side="bid", count=10, yes_price=".40", **fill)
    stage.tell("fill", book_side="ask", count=4, yes_price=".65", subaccount=2, **fill)
    assert position(stage, ticker)["position_fp"] == "10.00"
    assert position(stage, ticker, subaccount=2)["position_fp"] == "-4.00"
    rows = stage.kalshi("/portfolio/fills", ticker=ticker).json()["fills"]
    assert sorted(row["subaccount_number"] for row in rows) == [0, 2]
    rows = stage.kalshi("/portfolio/fills", ticker=ticker, subaccount=2).json()["fills"]
    assert [row["subaccount_number"] for row in rows] == [2]
    stage.tell("settlement", ticker=ticker, result="yes")
    both = settlement(stage, ticker)
    assert (both["revenue"], both["fee_cost"]) == (1000, "0.020000")
    assert (both["yes_count_fp"], both["no_count_fp"]) == ("10.00", "4.00")
    assert settlement(stage, ticker, subaccount=2)["revenue"] == 0
    assert settlement(stage, ticker, subaccount=0)["revenue"] == 1000
    row = stage.totals()
    assert ticker not in row["positions"]
    assert balance(stage, subaccount=2) == Decimal("-1.41")


def test_a_deposit_and_a_withdrawal_move_the_balance_by_themselves(stage: Stage) -> None:
    stage.tell("trader", active=False)
    before = balance(stage)
    stage.tell("deposit", cents=12_345)
    stage.tell("withdrawal", cents=45)
    stage.tell("deposit", cents=777, subaccount=1)
    assert balance(stage) - before == Decimal("123.00")
    assert balance(stage, subaccount=1) == Decimal("7.77")
    rows = stage.all_of("/portfolio/deposits", "deposits", limit=1)
    assert [row["amount_cents"] for row in rows] != []
    assert {12_345, 777} <= {row["amount_cents"] for row in rows}
    out = stage.all_of("/portfolio/withdrawals", "withdrawals", limit=1)
    assert [row["amount_cents"] for row in out] == [45, 500_00]


@pytest.mark.parametrize("wish", [{}, {"cents": 0}, {"cents": 5, "time": "1970-01-01T00:00:00Z"}])
def test_a_transfer_that_is_none_is_refused(stage: Stage, wish: dict[str, Any]) -> None:
    assert stage.tell("deposit", **wish).status_code == 400


def test_an_unnetted_account_keeps_pairs_and_is_paid_both_legs(make: Make) -> None:
    """25 YES at .52 and 25 NO at .47: nothing comes back until the end, then 25.00."""
    stage = make(unnetted=True)
    stage.tell("trader", active=False)
    ticker = stage.untouched()
    before = balance(stage)
    fill = {"ticker": ticker, "count": 25, "fee_cost": "0.00"}
    stage.tell("fill", book_side="bid", yes_price=".52", **fill)
    stage.tell("fill", book_side="ask", yes_price=".53", **fill)
    row = position(stage, ticker)
    assert (row["position_fp"], row["market_exposure_dollars"]) == ("0.00", "24.750000")
    assert balance(stage) - before == Decimal("-24.75")
    worth = stage.kalshi("/portfolio/balance").json()["portfolio_value"]
    stage.tell("settlement", ticker=ticker, result="no")
    row = settlement(stage, ticker)
    assert (row["revenue"], row["yes_count_fp"], row["no_count_fp"]) == (2500, "25.00", "25.00")
    assert balance(stage) - before == Decimal("0.25")
    assert worth - stage.kalshi("/portfolio/balance").json()["portfolio_value"] == 2500


def test_a_member_to_the_cent_has_a_balance_of_whole_cents(make: Make) -> None:
    stage = make(direct=False)
    ticker = stage.untouched()
    told = stage.tell("fill", ticker=ticker, book_side="bid", count=6, yes_price=".15").json()
    assert told["fee_cost"] == "0.060000"
    fills = stage.all_of("/portfolio/fills", "fills", limit=1000)
    assert len(fills) > 400
    figures = [
        Decimal(fill["count_fp"])
        * Decimal(fill["yes_price_dollars" if fill["book_side"] == "bid" else "no_price_dollars"])
        + Decimal(fill["fee_cost"])
        for fill in fills
    ]
    assert all(figure * 100 % 1 == 0 for figure in figures)
    assert str(balance(stage)).endswith("00")
