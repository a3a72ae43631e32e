"""Money as integers of nano-dollars, counts as integers of 1/100 contract."""

from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation, Overflow

NANO = 1_000_000_000
CENT = NANO // 100
LIMIT = 2**63 - 1
WIRE_STEP = 1_000
"""Nano-dollars per micro-dollar: JSON members carry six decimals."""

_EXACT = Context(prec=60, traps=[Inexact, InvalidOperation, Overflow])
_WIDE = Context(prec=60)

Number = str | int | Decimal


class MoneyError(ValueError):
    """The amount is not a finite number that fits its unit exactly."""


def scaled(value: Number, scale: int, what: str = "amount") -> int:
    """Return `value` × `scale` as an exact integer; MoneyError names `what` otherwise."""
    product = _product(value, scale, what)
    if product != product.to_integral_value():
        raise MoneyError(f"{what} {value!r} is finer than 1/{scale}")
    return int(product)


def _product(value: Number, scale: int, what: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise MoneyError(f"{what} must be a decimal, not {value!r}")
    try:
        product = _EXACT.multiply(Decimal(value), Decimal(scale))
    except ArithmeticError as error:
        raise MoneyError(f"{what} must be a decimal, not {value!r}") from error
    if not product.is_finite() or product.copy_abs() > LIMIT:
        raise MoneyError(f"{what} {value!r} does not fit 64 bits of 1/{scale}")
    return product


def dollars(value: Number, what: str = "amount") -> int:
    """Return nano-dollars from dollars."""
    return scaled(value, NANO, what)


def cents(value: Number, what: str = "amount") -> int:
    """Return nano-dollars from (fractional) cents."""
    return scaled(value, CENT, what)


def nearest_cents(value: Number, what: str = "amount") -> int:
    """Return nano-dollars from cents, half to even where a bill is finer than 10⁻⁹ dollars."""
    return int(_product(value, CENT, what).to_integral_value(rounding=ROUND_HALF_EVEN))


def contracts(value: Number, what: str = "count") -> int:
    """Return 1/100 contracts from contracts."""
    return scaled(value, 100, what)


def notional(price: int, count: int) -> int:
    """Return nano-dollars of `count` 1/100 contracts at `price`; exact or MoneyError."""
    amount, rest = divmod(price * count, 100)
    if rest:
        raise MoneyError(f"price {plain(price)} × count {count}/100 is finer than 1/{NANO}")
    return amount


def half_even(numerator: int, denominator: int) -> int:
    """Return numerator ÷ denominator rounded half to even; denominator not zero."""
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    quotient, rest = divmod(numerator, denominator)
    odd_tie = 2 * rest == denominator and quotient % 2 == 1
    return quotient + (2 * rest > denominator or odd_tie)


def number(nano: int) -> Decimal:
    """Return dollars for a JSON member: six decimals half-even, no trailing zeros, no −0."""
    micro = half_even(nano, WIRE_STEP)
    return _trimmed(Decimal(micro).scaleb(-6))


def plain(nano: int) -> str:
    """Return dollars with every decimal that is there, never an exponent."""
    return format(_trimmed(Decimal(nano).scaleb(-9)), "f")


def quantity(count: int) -> Decimal:
    """Return contracts from 1/100 contracts."""
    return _trimmed(Decimal(count).scaleb(-2))


def converted(amount: int, rate: Decimal) -> int:
    """Return `amount` × `rate` in nano-dollars, half-even; MoneyError when it does not fit."""
    product = _WIDE.multiply(Decimal(amount), rate)
    if not product.is_finite() or product.copy_abs() > LIMIT:
        raise MoneyError(f"{plain(amount)} at rate {rate} does not fit 64 bits of 1/{NANO}")
    return int(product.to_integral_value(rounding=ROUND_HALF_EVEN))


def _trimmed(value: Decimal) -> Decimal:
    if not value:
        return Decimal(0)
    whole = value.to_integral_value()
    return whole if value == whole else value.normalize(_WIDE)
