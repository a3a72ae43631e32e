"""The price table: each model's own price of the day, modifiers that stack, nothing guessed."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.moment import DAY, parse
from ledger.money import MoneyError, plain
from pipeline.sources.anthropic_prices import TOKENS, Usage, read, shipped

TABLE = shipped()
TODAY = parse("2026-11-21T00:00:00Z")
MILLION = (1_000_000,) * 5

EXPECTED = """
claude-fable-5-2   8   10    16  0.20 40
claude-mythos-5-2  8   10    16  0.20 40
claude-fable-5-1   10  12.5  20  0.25 50
claude-mythos-5-1  10  12.5  20  0.25 50
claude-fable-5     10  12.5  20  1.00 50
claude-mythos-5    10  12.5  20  1.00 50
claude-opus-5-5    4   5     8   0.20 20
claude-opus-5      5   6.25  10  0.50 25
claude-opus-4-8    5   6.25  10  0.50 25
claude-opus-4-7    5   6.25  10  0.50 25
claude-opus-4-6    5   6.25  10  0.50 25
claude-opus-4-5    5   6.25  10  0.50 25
claude-opus-4-1    15  18.75 30  1.50 75
claude-opus-4-0    15  18.75 30  1.50 75
claude-sonnet-5-5  2   2.5   4   0.10 10
claude-sonnet-5    2   2.5   4   0.20 10
claude-sonnet-4-6  3   3.75  6   0.30 15
claude-sonnet-4-5  3   3.75  6   0.30 15
claude-sonnet-4    3   3.75  6   0.30 15
claude-haiku-5-5   0.10 0.125 0.20 0.01 0.50
claude-haiku-4-5   1   1.25  2   0.10 5
"""
"""USD per million: input, 5m write, 1h write, cache read, output."""


def used(model: str, at: int = TODAY, **more: object) -> Usage:
    return replace(Usage(at, model, MILLION), **more)  # type: ignore[arg-type] # a case's own


def dollars(usage: Usage) -> str | None:
    amount = TABLE.amount(usage)
    return None if amount is None else plain(amount)


@pytest.mark.parametrize("row", EXPECTED.split("\n")[1:-1])
def test_a_million_of_each_kind_costs_its_rate(row: str) -> None:
    model, *rates = row.split()
    for index, rate in enumerate(rates):
        tokens = tuple(1_000_000 if at == index else 0 for at in range(len(TOKENS)))
        assert dollars(used(model, tokens=tokens)) == plain(int(Decimal(rate) * 10**9))


@pytest.mark.parametrize(
    ("model", "named"),
    [
        ("claude-opus-4-20250514", "claude-opus-4"),
        ("claude-opus-4-1-20250805", "claude-opus-4-1"),
        ("claude-sonnet-5-5-20260901", "claude-sonnet-5-5"),
        ("claude-sonnet-5-latest", "claude-sonnet-5"),
        ("claude-haiku-4-5@20251001", "claude-haiku-4-5"),
        ("claude-opus-5-5-preview", "claude-opus-5-5"),
    ],
)
def test_the_longest_name_that_fits_prices_a_model(model: str, named: str) -> None:
    price = TABLE.price(model, TODAY)
    assert price is not None
    assert price.model == named


@pytest.mark.parametrize(
    "model", ["", "claude-opus-4-9", "claude-sonnet-5-7", "claude-opus-6", "claude-opus-55", "gpt"]
)
def test_a_further_number_is_another_model_that_nobody_priced(model: str) -> None:
    assert TABLE.amount(used(model)) is None


@pytest.mark.parametrize(
    ("model", "day", "read"),
    [
        ("claude-sonnet-5-5", "2026-10-06", "0.2"),
        ("claude-sonnet-5-5", "2026-10-07", "0.1"),
        ("claude-fable-5-2", "2026-11-09", "0.2"),
        ("claude-fable-5-2", "2026-11-08", None),
        ("claude-opus-5", "2025-12-31", None),
    ],
)
def test_usage_costs_what_held_on_its_day(model: str, day: str, read: str | None) -> None:
    at = parse(f"{day}T00:00:00Z") + DAY - 1
    assert dollars(used(model, at, tokens=(0, 0, 0, 1_000_000, 0))) == read


@pytest.mark.parametrize(
    ("model", "terms", "factor"),
    [
        ("claude-opus-5", {"tier": "batch"}, "0.5"),
        ("claude-opus-5", {"geography": "us"}, "1.1"),
        ("claude-opus-5", {"speed": "fast"}, "2"),
        ("claude-opus-5", {"tier": "batch", "geography": "us"}, "0.55"),
        ("claude-opus-5", {"geography": "us", "speed": "fast"}, "2.2"),
        ("claude-opus-5", {"tier": "batch", "speed": "fast"}, "0.5"),
        ("claude-opus-5-5", {"speed": "fast"}, "2"),
        ("claude-opus-4-8", {"speed": "fast"}, "2"),
        ("claude-opus-4-5", {"geography": "us"}, "1"),
        ("claude-opus-4-6", {"geography": "us"}, "1.1"),
        ("claude-opus-5", {"geography": "not_available", "speed": "standard"}, "1"),
        ("claude-opus-5", {"tier": "priority"}, "0"),
        ("claude-opus-5", {"context": "200k-1M"}, "1"),
    ],
)
def test_modifiers_multiply_and_stack(model: str, terms: dict[str, str], factor: str) -> None:
    plainly, modified = TABLE.amount(used(model)), TABLE.amount(used(model, **terms))
    assert plainly is not None
    assert modified == plainly * Fraction(factor)


@pytest.mark.parametrize(
    ("model", "terms"),
    [
        ("claude-sonnet-5", {"speed": "fast"}),
        ("claude-opus-5", {"speed": "faster"}),
        ("claude-opus-5", {"tier": "flex"}),
        ("claude-opus-5", {"geography": "eu"}),
    ],
)
def test_terms_without_a_known_price_are_not_guessed(model: str, terms: dict[str, str]) -> None:
    assert TABLE.amount(used(model, **terms)) is None


@pytest.mark.parametrize(
    ("model", "day", "cost"),
    [
        ("claude-sonnet-4-5", "2026-11-20", "22.5"),
        ("claude-opus-4-6", "2026-03-12", "37.5"),
        ("claude-opus-4-6", "2026-03-13", "25"),
        ("claude-haiku-5-5", "2026-11-20", "2.5"),
    ],
)
def test_long_prompts_cost_more_where_they_did(model: str, day: str, cost: str) -> None:
    at = parse(f"{day}T12:00:00Z")
    output = (0, 0, 0, 0, 1_000_000)
    assert dollars(used(model, at, tokens=output, context="200k-1M")) == cost


def test_searches_cost_the_same_under_all_terms() -> None:
    alone = used("claude-opus-5", tokens=(0,) * 5, searches=1_500)
    assert dollars(alone) == "15"
    assert dollars(replace(alone, tier="batch", geography="us")) == "15"


@given(st.integers(0, 10**13), st.sampled_from(["batch", "standard"]), st.sampled_from(["us", ""]))
def test_an_amount_is_exact_to_half_a_nano_dollar(count: int, tier: str, geography: str) -> None:
    usage = used("claude-haiku-5-5", tokens=(0, 0, 0, count, 0), tier=tier, geography=geography)
    exact = Fraction(count * 10) * (Fraction(1, 2) if tier == "batch" else 1)
    exact *= Fraction(11, 10) if geography else 1
    amount = TABLE.amount(usage)
    assert amount is not None
    assert abs(amount - exact) <= Fraction(1, 2)


def test_a_table_with_a_rate_too_few_is_refused() -> None:
    broken = {
        "version": "x", "web_search": "10", "tiers": {}, "geographies": [], "speeds": [],
        "models": [{"model": "m", "effective_from": "2026-01-01", "rates": ["1", "2"]}],
    }  # fmt: skip
    with pytest.raises(MoneyError, match="5 rates, not 2"):
        read(broken)


def test_the_shipped_table_names_itself() -> None:
    assert TABLE.version == "2026-11-21"
