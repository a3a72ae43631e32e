"""Text: JSON with exact decimals, refused both ways when a number is none."""

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.text import NotExact, decode, encode

whole = st.integers(-(2**63), 2**63 - 1)
exact = st.decimals(allow_nan=False, allow_infinity=False, places=9)
leaf = st.none() | st.booleans() | whole | exact | st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    leaf, lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner), max_leaves=20
)


@settings(deadline=None)
@given(values)
def test_what_is_encoded_is_decoded_equal(value: object) -> None:
    assert decode(encode(value)) == value


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("0.000001", b"0.000001"),
        ("1E-9", b"0.000000001"),
        ("12E+2", b"1200"),
        ("-0", b"0"),
        ("-0.00", b"0"),
        ("-1234.56", b"-1234.56"),
        ("9223372036.854775807", b"9223372036.854775807"),
    ],
)
def test_a_decimal_is_a_plain_number(number: str, text: bytes) -> None:
    assert encode(Decimal(number)) == text


def test_numbers_are_read_as_int_or_decimal_never_float() -> None:
    read = decode(b'{"a": 1, "b": 0.1, "c": 1e2}')
    assert read == {"a": 1, "b": Decimal("0.1"), "c": Decimal(100)}
    assert [type(value) for value in read.values()] == [int, Decimal, Decimal]


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        {"a": [1.0, (None, float("-inf"))]},
        [Decimal("NaN")],
        [Decimal("Infinity")],
        {"a": object()},
        2**64,
        {1: "a key that is no text"},
        "\ud800",
    ],
)
def test_what_has_no_exact_json_is_refused(value: object) -> None:
    with pytest.raises(NotExact):
        encode(value)


def test_a_null_beside_finite_floats_is_kept() -> None:
    assert json.loads(encode({"a": None, "b": 0.5, "c": "null", "d": b"x".hex()})) == {
        "a": None,
        "b": 0.5,
        "c": "null",
        "d": "78",
    }


@pytest.mark.parametrize("text", [b"NaN", "[Infinity]", b'{"a": -Infinity}', b"{", b"\xff", ""])
def test_what_is_no_exact_json_is_not_read(text: bytes | str) -> None:
    with pytest.raises(NotExact):
        decode(text)
