"""Exact amounts: nano-dollars, prices in 1/10,000 dollar, counts in 1/100 contract."""

from decimal import Decimal, InvalidOperation

DOLLAR = 1_000_000_000
CENT = DOLLAR // 100
FULL = 10_000
"""The price that is one dollar: a contract's whole value."""


def half_even(numerator: int, denominator: int) -> int:
    """Return numerator ÷ denominator rounded half to even; denominator positive."""
    quotient, rest = divmod(numerator, denominator)
    return quotient + (2 * rest > denominator or (2 * rest == denominator and quotient % 2 == 1))


def notional(price: int, count: int) -> int:
    """Return the nano-dollars of `count` at `price`, exactly."""
    return price * count * 1_000


def fixed(nano: int, places: int) -> str:
    """Return dollars with `places` decimals, rounded half to even."""
    units = half_even(nano, 10 ** (9 - places))
    whole, rest = divmod(abs(units), 10**places)
    sign = "-" if units < 0 else ""
    return f"{sign}{whole}.{rest:0{places}d}"


def money(nano: int) -> str:
    """Return dollars with the six decimals of Kalshi's costs, fees and P&L."""
    return fixed(nano, 6)


def price(value: int) -> str:
    """Return a price with the four decimals of the wire."""
    return f"{value // FULL}.{value % FULL:04d}"


def count(value: int) -> str:
    """Return contracts with the two decimals of the wire."""
    sign = "-" if value < 0 else ""
    return f"{sign}{abs(value) // 100}.{abs(value) % 100:02d}"


def plain(nano: int) -> str:
    """Return dollars with every decimal that is there."""
    return _trimmed(Decimal(nano).scaleb(-9))


def cents(nano: int) -> str:
    """Return (fractional) cents with every decimal that is there."""
    return _trimmed(Decimal(nano).scaleb(-7))


def scaled(value: object, scale: int, what: str) -> int:
    """Return a decimal text times `scale`; ValueError when it is no exact, finite number."""
    try:
        product = Decimal(str(value)) * scale
        whole = int(product)
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise ValueError(f"{what} must be a decimal, not {value!r}") from error
    if product != whole:
        raise ValueError(f"{what} {value!r} is finer than 1/{scale}")
    return whole


def _trimmed(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
