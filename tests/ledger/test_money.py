"""Money: exact integers in, decimals out, never a float."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import money

AMOUNTS = st.integers(-money.LIMIT, money.LIMIT)


@pytest.mark.parametrize(
    ("text", "nano"),
    [
        ("0.30", 300_000_000),
        ("-0.0144", -14_400_000),
        ("1", 1_000_000_000),
        ("1e3", 1_000_000_000_000),
        ("0.000000001", 1),
        ("9223372036.854775807", 2**63 - 1),
        ("-9223372036.854775807", -(2**63 - 1)),
        ("-0", 0),
        ("0e-400", 0),
    ],
)
def test_dollars_become_nano_dollars(text: str, nano: int) -> None:
    assert money.dollars(text) == nano
    assert money.dollars(Decimal(text)) == nano


def test_anthropic_amounts_are_fractional_cents() -> None:
    assert money.cents("123.78912") == 1_237_891_200
    assert money.plain(money.cents("123.78912")) == "1.2378912"
    assert money.plain(money.cents("41280.000000")) == "412.8"
    assert money.number(money.cents("41280.000000")) == Decimal("412.80")


def test_an_integer_needs_no_decimal_point() -> None:
    assert money.cents(2200) == 22 * money.NANO
    assert money.contracts(39) == 3_900


def test_contracts_are_hundredths() -> None:
    assert money.contracts("2.00") == 200
    assert money.contracts("0.01") == 1
    assert money.quantity(250) == Decimal("2.5")
    assert str(money.quantity(-1_300)) == "-13"
    assert str(money.quantity(0)) == "0"


@pytest.mark.parametrize("value", [1.5, 0.0, float("nan"), float("inf"), True, None, b"1", [1]])
def test_what_is_no_decimal_is_refused(value: object) -> None:
    with pytest.raises(money.MoneyError, match="fee must be a decimal"):
        money.dollars(value, "fee")  # type: ignore[arg-type] # the outside sends anything


@pytest.mark.parametrize(
    "text",
    ["NaN", "sNaN", "-NaN", "Infinity", "-Infinity", "", "abc", "1,5", "1e999999", "1e-2000000"],
)
def test_what_is_not_finite_or_no_number_is_refused(text: str) -> None:
    with pytest.raises(money.MoneyError, match="price"):
        money.dollars(text, "price")


@pytest.mark.parametrize(
    "text",
    ["9223372036.854775808", "-9223372036.854775808", "1e10", "1e60", "1e400", str(2**200)],
)
def test_what_does_not_fit_64_bits_is_refused(text: str) -> None:
    with pytest.raises(money.MoneyError, match=r"does not fit|must be a decimal"):
        money.dollars(text)


@pytest.mark.parametrize("text", ["0.0000000001", "1.0000000005", "1e-12", "-0.1234567891"])
def test_what_is_finer_than_a_nano_dollar_is_refused(text: str) -> None:
    with pytest.raises(money.MoneyError, match="finer than 1/1000000000"):
        money.dollars(text)


def test_what_is_finer_than_a_hundredth_contract_is_refused() -> None:
    with pytest.raises(money.MoneyError, match=r"count '0\.005' is finer than 1/100"):
        money.contracts("0.005")


def test_more_digits_than_exact_arithmetic_holds_are_refused_not_rounded() -> None:
    with pytest.raises(money.MoneyError):
        money.dollars("1." + "0" * 70 + "1")


def test_limits_hold_whatever_the_precision_around() -> None:
    with localcontext(prec=6):
        assert money.dollars("9223372036.854775807") == money.LIMIT
        with pytest.raises(money.MoneyError, match="does not fit"):
            money.dollars("9223372036.854775808")


@given(AMOUNTS)
def test_plain_carries_every_decimal_and_reads_back(nano: int) -> None:
    text = money.plain(nano)
    assert money.dollars(text) == nano
    assert "E" not in text
    assert not ("." in text and text.endswith("0"))


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (0, "0"),
        (1, "0.000000001"),
        (-1, "-0.000000001"),
        (10**18, "1000000000"),
        (-5 * 10**8, "-0.5"),
    ],
)
def test_plain_never_has_an_exponent(nano: int, text: str) -> None:
    assert money.plain(nano) == text


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (500, "0"),
        (1_500, "0.000002"),
        (2_500, "0.000002"),
        (2_501, "0.000003"),
        (-500, "0"),
        (-1_500, "-0.000002"),
        (-2_500, "-0.000002"),
        (-2_501, "-0.000003"),
        (-1, "0"),
        (100 * money.NANO, "100"),
        (-1_234_560_000_000, "-1234.56"),
    ],
)
def test_a_json_member_has_six_decimals_half_even(nano: int, text: str) -> None:
    assert str(money.number(nano)) == text


@given(st.integers(-(10**16), 10**16))
def test_a_json_member_is_the_nearest_micro_dollar_and_never_minus_zero(nano: int) -> None:
    shown = money.number(nano)
    assert abs(Fraction(shown) - Fraction(nano, 10**9)) <= Fraction(1, 2 * 10**6)
    assert shown == round(Decimal(nano).scaleb(-9), 6)
    assert not shown.is_signed() or shown < 0


@given(AMOUNTS.map(lambda amount: amount // 10**3), st.integers(1, 10**9), st.booleans())
def test_half_even_is_rounding_of_the_exact_fraction(
    numerator: int,
    denominator: int,
    negative: bool,  # noqa: FBT001 - drawn by hypothesis
) -> None:
    signed = -denominator if negative else denominator
    assert money.half_even(numerator, signed) == round(Fraction(numerator, signed))


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [
        (1, 2, 0),
        (3, 2, 2),
        (5, 2, 2),
        (-1, 2, 0),
        (-3, 2, -2),
        (-5, 2, -2),
        (3, -2, -2),
        (-5, -2, 2),
    ],
)
def test_ties_go_to_the_even_neighbour(numerator: int, denominator: int, rounded: int) -> None:
    assert money.half_even(numerator, denominator) == rounded


def test_notional_is_exact_or_refused() -> None:
    assert money.notional(310_000_000, 300) == 930_000_000
    assert money.notional(310_000_000, -1) == -3_100_000
    with pytest.raises(money.MoneyError, match=r"price 0\.00000001 × count 1/100 is finer"):
        money.notional(10, 1)


def test_conversion_rounds_half_even() -> None:
    assert money.converted(100 * money.NANO, Decimal("1.0825")) == 108_250_000_000
    assert [money.converted(amount, Decimal("0.5")) for amount in (1, 3, -1, -3)] == [0, 2, 0, -2]


def test_a_conversion_may_fill_64_bits() -> None:
    assert money.converted(-money.LIMIT, Decimal(1)) == -money.LIMIT


@pytest.mark.parametrize("rate", ["NaN", "Infinity", "-Infinity", "1e30"])
def test_a_conversion_that_does_not_fit_is_refused(rate: str) -> None:
    with pytest.raises(money.MoneyError, match="does not fit"):
        money.converted(10 * money.NANO, Decimal(rate))


@pytest.mark.parametrize(
    ("cents", "nano"),
    [
        ("123.78912", 1_237_891_200),
        ("0.33333333", 3_333_333),
        ("0.00000005", 0),
        ("0.00000015", 2),
        ("-0.00000015", -2),
    ],
)
def test_a_bill_finer_than_a_nano_dollar_is_rounded_half_to_even(cents: str, nano: int) -> None:
    assert money.nearest_cents(cents) == nano


@pytest.mark.parametrize("value", ["NaN", "1e999", "much", 1.5])
def test_a_bill_that_is_no_number_is_refused_all_the_same(value: object) -> None:
    with pytest.raises(money.MoneyError):
        money.nearest_cents(value)
