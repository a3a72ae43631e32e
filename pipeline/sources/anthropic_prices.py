"""Anthropic's list prices as a dated table, and what usage comes to by it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from importlib import resources
from typing import Any

from ledger import moment, money

TOKENS = (
    "uncached_input_tokens",
    "cache_creation.ephemeral_5m_input_tokens",
    "cache_creation.ephemeral_1h_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
)
"""The kinds of tokens in the order of a price's rates."""

PRIORITY = "priority"
"""The tier whose tokens are paid by commitment: shown, and no cost by use."""

_MILLION = 1_000_000
_DATED = re.compile(r"-\d{8}$")
_BESIDE = re.compile(r"(?:[@:]|-(?!\d)).*")
"""What may follow a model's name: an alias, a variant; a further number is another model."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens in the order of TOKENS and web searches of one hour, and what prices them."""

    start: int
    model: str
    tokens: tuple[int, ...]
    searches: int = 0
    tier: str = ""
    geography: str = ""
    speed: str = ""
    context: str = ""


@dataclass(frozen=True, slots=True)
class Price:
    """One model's rates from a day on, nano-dollars per million tokens in the order of TOKENS.

    `long` are those of prompts over 200k tokens where they differ; `us` and `fast` multiply.
    """

    model: str
    since: int
    rates: tuple[int, ...]
    long: tuple[int, ...]
    us: Fraction
    fast: Fraction | None


@dataclass(frozen=True, slots=True)
class PriceTable:
    """What was known of prices at `version`; `search` is nano-dollars per 1,000 web searches."""

    version: str
    prices: tuple[Price, ...]
    tiers: Mapping[str, Fraction]
    geographies: frozenset[str]
    speeds: frozenset[str]
    search: int
    _found: dict[str, list[Price]] = field(default_factory=dict, repr=False, compare=False)

    def amount(self, usage: Usage) -> int | None:
        """Return nano-dollars, half to even; None when the table knows no price for it."""
        price = self.price(usage.model, usage.start)
        factor = None if price is None else self._factor(price, usage)
        if price is None or factor is None:
            return None
        rates = price.long if _is_long(usage.context) else price.rates
        tokens = sum(count * rate for count, rate in zip(usage.tokens, rates, strict=True))
        exact = Fraction(tokens, _MILLION) * factor + Fraction(usage.searches * self.search, 1_000)
        return money.half_even(exact.numerator, exact.denominator)

    def price(self, model: str, at: int) -> Price | None:
        """Return a model's price at an instant: of its longest known name, the newest by then."""
        if model not in self._found:
            self._found[model] = self._ever(_DATED.sub("", model))
        dated = [price for price in self._found[model] if price.since <= at]
        return max(dated, key=lambda price: price.since, default=None)

    def _ever(self, name: str) -> list[Price]:
        named = {price.model for price in self.prices if _is_of(name, price.model)}
        longest = max(named, key=len, default=None)
        return [price for price in self.prices if price.model == longest]

    def _factor(self, price: Price, usage: Usage) -> Fraction | None:
        tier = self.tiers.get(usage.tier)
        known = usage.geography in self.geographies and usage.speed in self.speeds
        if tier is None or not known:
            return None
        geography = price.us if usage.geography == "us" else Fraction(1)
        # A batch is never fast: what the report says of its speed is no price.
        if usage.speed != "fast" or usage.tier == "batch":
            return tier * geography
        return None if price.fast is None else tier * geography * price.fast


def shipped() -> PriceTable:
    """Return the table that comes with this version."""
    text = resources.files("pipeline.sources").joinpath("anthropic_prices.json").read_text("utf-8")
    return read(json.loads(text))


def read(table: Mapping[str, Any]) -> PriceTable:
    """Return a table from JSON with every number as text; MoneyError or KeyError otherwise."""
    return PriceTable(
        table["version"],
        tuple(_price(row) for row in table["models"]),
        {tier: Fraction(factor) for tier, factor in table["tiers"].items()},
        frozenset(table["geographies"]),
        frozenset(table["speeds"]),
        money.dollars(table["web_search"]),
    )


def _price(row: Mapping[str, Any]) -> Price:
    rates = _rates(row["rates"])
    return Price(
        row["model"],
        moment.parse(f"{row['effective_from']}T00:00:00Z"),
        rates,
        _rates(row["over_200k"]) if "over_200k" in row else rates,
        Fraction(row.get("us", "1")),
        Fraction(row["fast"]) if "fast" in row else None,
    )


def _rates(texts: Sequence[str]) -> tuple[int, ...]:
    rates = tuple(money.dollars(text, "rate") for text in texts)
    if len(rates) != len(TOKENS):
        raise money.MoneyError(f"a price has {len(TOKENS)} rates, not {len(rates)}")
    return rates


def _is_of(name: str, model: str) -> bool:
    rest = name.removeprefix(model)
    return name.startswith(model) and (not rest or _BESIDE.fullmatch(rest) is not None)


def _is_long(context: str) -> bool:
    return context.startswith("200k-")
