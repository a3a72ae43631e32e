"""Kalshi's trading fee: quadratic in the price, rounded up, change floored to the balance."""

from decimal import Decimal

from emulators.world.amount import CENT, FULL, notional

TAKER_PPM = 70_000
"""0.07 · C · P · (1 − P), in millionths."""
MAKER_SHARE = {
    "quadratic": Decimal(0),
    "quadratic_with_maker_fees": Decimal("0.25"),
    "quadratic_with_combo_maker_fees": Decimal("0.5"),
    "flat": Decimal(0),
}
DIRECT = 100_000
"""A direct member's balance precision, $0.0001; everybody else's is a cent."""


def precision(*, direct: bool) -> int:
    """Return what an account's balance is kept to, in nano-dollars."""
    return DIRECT if direct else CENT


def rate(fee_type: str, multiplier: Decimal, *, is_taker: bool) -> int:
    """Return the rate of one side of a trade, in millionths."""
    share = Decimal(1) if is_taker else MAKER_SHARE[fee_type]
    return int(TAKER_PPM * multiplier * share)


def trade_fee(price: int, count: int, ppm: int, step: int = DIRECT) -> int:
    """Return the nano-dollars of the formula, rounded up to `step`."""
    exact = ppm * count * price * (FULL - price)
    return -(-exact // (step * 10_000_000)) * step


def rounding(change: int, precision: int = DIRECT) -> int:
    """Return what flooring a change of balance to its precision adds to the fee."""
    return change % precision


class Order:
    """The fees of one order: what rounding took beyond a cent is given back."""

    def __init__(self, precision: int = DIRECT) -> None:
        """Begin with nothing collected."""
        self._precision = precision
        self._collected = 0

    def charge(self, cost: int, fee: int) -> int:
        """Return the net fee of a fill that costs `cost` before its trade fee."""
        extra = rounding(-cost - fee, self._precision)
        self._collected += extra
        rebate = CENT if self._collected > CENT else 0
        self._collected -= rebate
        return fee + extra - rebate


def fill_fee(direction: int, price: int, count: int, ppm: int, precision: int = DIRECT) -> int:
    """Return the net fee of an order filled at once; direction + buys YES, − buys NO."""
    leg = price if direction > 0 else FULL - price
    return Order(precision).charge(notional(leg, count), trade_fee(price, count, ppm))
