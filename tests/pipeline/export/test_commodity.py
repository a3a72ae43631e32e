"""Tickers as beancount's commodities: accepted, distinct, and back again."""

import re

import pytest
from beancount.core.amount import CURRENCY_RE
from hypothesis import given
from hypothesis import strategies as st

from pipeline.export.commodity import RESERVED, commodity, ticker

ODD = st.text(st.characters(codec="utf-8"), min_size=1) | st.sampled_from(
    ["X__", "A", "A-", "-A", "a", "A_B", "X__41", *RESERVED]
)


@given(ODD | st.from_regex(r"[A-Z][A-Z0-9.\-]{1,30}", fullmatch=True))
def test_a_name_is_one_that_beancount_accepts_and_says_its_ticker(name: str) -> None:
    made = commodity(name)
    assert re.fullmatch(CURRENCY_RE, made)
    assert made not in RESERVED
    assert ticker(made) == name


@pytest.mark.parametrize("name", ["KXCPI-26NOV-T3", "KXHIGHNY-26MAR01-B45.5", "KXBTC15M-X1"])
def test_a_ticker_as_the_exchange_writes_them_is_its_own_name(name: str) -> None:
    assert commodity(name) == name
