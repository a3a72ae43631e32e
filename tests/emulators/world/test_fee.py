"""Fees as the exchange charges them: golden vectors."""

from decimal import Decimal

import pytest

from emulators.world import fee
from emulators.world.amount import CENT, notional, scaled

DOLLAR = 1_000_000_000


def nano(text: str) -> int:
    return scaled(text, DOLLAR, "amount")


@pytest.mark.parametrize(
    ("price", "count", "expected"),
    [
        (5_200, 100, ".017500"),
        (9_900, 100, ".000700"),
        (100, 1_000, ".007000"),
        (2_300, 11_449, ".419400"),
        (3_300, 200, ".031000"),
    ],
)
def test_a_direct_members_taker_fee(price: int, count: int, expected: str) -> None:
    whole = "1" if (price, count) == (2_300, 11_449) else "0"
    assert fee.fill_fee(1, price, count, fee.TAKER_PPM) == nano(whole + expected)


@pytest.mark.parametrize(
    ("direction", "price", "count", "expected"),
    [
        (1, 1_500, 600, "0.06"),
        (1, 380, 2_400, "0.068"),
        (1, 1_200, 800, "0.06"),
        (1, 1_700, 500, "0.05"),
        (1, 3_500, 200, "0.04"),
        (1, 4_100, 200, "0.04"),
        (-1, 3_800, 700, "0.12"),
    ],
)
def test_everybody_elses_balance_moves_by_whole_cents(
    direction: int, price: int, count: int, expected: str
) -> None:
    order = fee.Order(precision=CENT)
    leg = price if direction > 0 else 10_000 - price
    charged = order.charge(notional(leg, count), fee.trade_fee(price, count, fee.TAKER_PPM))
    assert charged == nano(expected)


def test_an_order_gives_back_what_rounding_took_beyond_a_cent() -> None:
    order = fee.Order(precision=CENT)
    charged = [order.charge(nano("0.055"), nano("0.0085")) for _ in range(3)]
    assert charged == [nano("0.015"), nano("0.005"), nano("0.015")]


def test_a_finer_step_rounds_up_less() -> None:
    assert fee.trade_fee(5_200, 100, fee.TAKER_PPM, step=1_000) == nano("0.017472")


def test_a_maker_pays_by_the_series() -> None:
    def maker(kind: str) -> int:
        return fee.rate(kind, Decimal(1), is_taker=False)

    assert maker("quadratic") == 0
    assert maker("quadratic_with_maker_fees") == 17_500
    assert fee.rate("quadratic", Decimal("0.5"), is_taker=True) == 35_000
