"""Holdings by average cost: golden numbers of the real exchange."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from emulators.world.amount import money, scaled
from emulators.world.holding import Fill, Holding, folded
from emulators.world.market import Outcome

GOLDEN = Path(__file__).parents[4] / "shared/data/golden/kalshi.json"


def fill(time: int, side: str, count: str, price: str, fee: str = "0") -> Fill:
    direction = 1 if side == "bid" else -1
    size, at = scaled(count, 100, "count"), scaled(price, 10_000, "price")
    paid = scaled(fee, 1_000_000_000, "fee")
    return Fill(time, str(time), "order", "T", direction, size, at, paid, is_taker=True)


def after(*trades: tuple[str, str, str]) -> Holding:
    return folded(fill(time, *trade) for time, trade in enumerate(trades))


def net(holding: Holding) -> Decimal:
    return Decimal(holding.realized - holding.fees) / 10**9


def test_realized_goes_by_average_cost_and_not_by_first_in_first_out() -> None:
    """Sells at .30 and .31 average .304: FIFO would say −0.10, LIFO −0.06."""
    held = after(
        ("ask", "1", ".30"), ("ask", "5", ".30"), ("ask", "3", ".31"),
        ("ask", "1", ".31"), ("bid", "5", ".32"), ("ask", "8", ".33"),
    )  # fmt: skip
    assert (held.position, money(held.realized)) == (-1_300, "-0.080000")


def test_a_flat_position_keeps_what_it_realized() -> None:
    held = after(
        ("ask", "20", ".91"), ("bid", "16", ".93"), ("bid", "4", ".90"),
        ("bid", "8", ".90"), ("ask", "8", ".90"),
    )  # fmt: skip
    assert (held.position, held.cost, money(held.realized)) == (0, 0, "-0.280000")


def test_three_yes_cost_what_was_paid_for_them() -> None:
    held = after(("bid", "1", ".99"), ("bid", "1", ".99"), ("bid", "1", ".52"))
    assert money(held.cost) == "2.500000"


def test_a_flat_market_realizes_half_its_shares_less_what_was_traded() -> None:
    held = after(("bid", "7", ".48"), ("ask", "7", ".46"))
    shares = (held.yes_count + held.no_count) // 100
    assert held.realized == shares * 10**9 // 2 - held.traded == -140_000_000


def test_crossing_zero_closes_all_and_opens_the_rest() -> None:
    held = after(("bid", "2", ".40"), ("ask", "5", ".50"))
    assert (held.position, money(held.cost), money(held.realized)) == (
        -300, "1.500000", "0.200000",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("yes", "no", "outcome", "revenue", "fee", "expected"),
    [
        ([("2.00", ".006")], [("2.00", ".20")], Outcome("no", 0), 0, "0.0233", "0.3647"),
        ([("99.00", ".53")], [("99.00", ".28")], Outcome("no", 0), 0, "3.1234", "-27.8734"),
        ([("38", ".42"), ("1", ".30")], [("17", ".15")], Outcome("yes", 100), 2_200, "0", "8.29"),
        ([("1.00", ".97")], [], Outcome("scalar", 50), 50, "0.0021", "-0.4721"),
        ([("2.00", ".89")], [], Outcome("yes", 100), 200, "0.0138", "0.2062"),
    ],
)
def test_a_settlement_pays_only_what_survived(
    yes: list[tuple[str, str]],
    no: list[tuple[str, str]],
    outcome: Outcome,
    revenue: int,
    fee: str,
    expected: str,
) -> None:
    trades = [*(("bid", *leg) for leg in yes), *(("ask", *leg) for leg in no)]
    held = folded(fill(time, *trade, "0" if time else fee) for time, trade in enumerate(trades))
    held.settle(outcome, 3)
    assert (held.position, held.revenue, net(held)) == (0, revenue, Decimal(expected))
    value = Decimal(outcome.value) / 100
    legs = held.yes_count * value / 100 + held.no_count * (1 - value) / 100
    assert net(held) == legs - Decimal(held.traded + held.fees) / 10**9


def test_the_revenue_of_half_a_cent_is_floored() -> None:
    held = after(("bid", "7.77", ".30"))
    held.settle(Outcome("scalar", 50), 9)
    assert (held.revenue, held.payout) == (388, 3_885_000_000)


@pytest.mark.skipif(not GOLDEN.exists(), reason="the golden numbers are not beside the checkout")
def test_the_observed_sequences_come_out_as_observed() -> None:
    cases: list[dict[str, Any]] = json.loads(GOLDEN.read_text())["average_cost"]
    assert cases
    for case in cases:
        held = folded(fill(time, *trade) for time, trade in enumerate(case["fills"]))
        assert held.position == scaled(case["position_fp"], 100, "count")
        assert Decimal(money(held.realized)) == Decimal(case["realized_pnl_dollars"])
