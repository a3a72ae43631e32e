"""Tokens counted by type, in the nested shape both usage reports share."""

from collections import Counter
from typing import Any

from emulators.world.spend import TOKEN_TYPES, Line

SEARCHES = "web_search_requests"
_REQUEST_TOKENS = 700


def counted(lines: list[Line]) -> Counter[str]:
    """Return the tokens of lines by type, and their web searches."""
    found: Counter[str] = Counter()
    for line in lines:
        found[line.token_type] += line.tokens
        found[SEARCHES] += line.searches
    return found


def requests(lines: list[Line]) -> int:
    """Return how many requests the lines stand for."""
    return sum(
        line.tokens // _REQUEST_TOKENS + 1 for line in lines if line.token_type == TOKEN_TYPES[1]
    )


def shown(tokens: Counter[str]) -> dict[str, Any]:
    """Return the counts as JSON."""
    return {
        "uncached_input_tokens": tokens["uncached_input_tokens"],
        "cache_creation": {
            name: tokens[f"cache_creation.{name}"]
            for name in ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
        },
        "cache_read_input_tokens": tokens["cache_read_input_tokens"],
        "output_tokens": tokens["output_tokens"],
        "server_tool_use": {SEARCHES: tokens[SEARCHES]},
    }
