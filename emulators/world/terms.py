"""Under which terms tokens were used, and what a token costs under them."""

from dataclasses import dataclass

TOKEN_TYPES = (
    "uncached_input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation.ephemeral_5m_input_tokens",
    "cache_creation.ephemeral_1h_input_tokens",
)

MODELS = {
    "claude-fable-5": (10_000, 50_000, 1_000, 12_500, 20_000),
    "claude-opus-5": (5_000, 25_000, 500, 6_250, 10_000),
    "claude-sonnet-5": (2_000, 10_000, 200, 2_500, 4_000),
    "claude-haiku-4-5": (1_000, 5_000, 100, 1_250, 2_000),
}
"""Nano-dollars per token, in the order of TOKEN_TYPES."""

SEARCH = 10_000_000
"""Nano-dollars per web search."""

TIERS = ("standard", "batch", "priority", "priority_on_demand", "flex", "flex_discount")
GEOGRAPHIES = ("global", "us", "not_available")
SPEEDS = ("standard", "fast")
CONTEXTS = ("0-200k", "200k-1M")


@dataclass(frozen=True, slots=True)
class Terms:
    """What beside model and kind of token makes the price."""

    tier: str = "standard"
    geography: str = "global"
    speed: str = "standard"
    context: str = "0-200k"

    def rate(self, model: str, token_type: str) -> int | None:
        """Return nano-dollars per token; None for a model nobody has a price of."""
        if model not in MODELS:
            return None
        rate = MODELS[model][TOKEN_TYPES.index(token_type)]
        if self.tier == "batch":
            rate //= 2
        if self.geography == "us":
            rate = rate * 11 // 10
        if self.speed == "fast" and self.tier != "batch":
            rate *= 2
        return rate


USUAL = Terms()


def checked(terms: Terms) -> Terms:
    """Return the terms; ValueError when one of them is unknown."""
    for value, known in (
        (terms.tier, TIERS), (terms.geography, GEOGRAPHIES),
        (terms.speed, SPEEDS), (terms.context, CONTEXTS),
    ):  # fmt: skip
        if value not in known:
            raise ValueError(f"{value!r} is none of {', '.join(known)}")
    return terms
