"""Commodities: tickers as names that beancount accepts, and back."""

import re

PLAIN = re.compile(r"[A-Z](?:[A-Z0-9.\-]*[A-Z0-9])")
"""Ticker and name alike: capital letters, digits, dots and dashes."""

PREFIX = "X__"
"""Begins a name that says its ticker in hexadecimal where it must; no plain one holds `_`."""

RESERVED = frozenset({"USD", "TRUE", "FALSE", "NULL"})

_PART = re.compile(r"_([0-9A-F]{2})")


def commodity(ticker: str) -> str:
    """Return the commodity of a market; most tickers are their own."""
    if PLAIN.fullmatch(ticker) and ticker not in RESERVED:
        return ticker
    return PREFIX + "".join(map(_escaped, ticker.encode()))


def ticker(name: str) -> str:
    """Return the ticker of a commodity."""
    if not name.startswith(PREFIX):
        return name
    escaped = name.removeprefix(PREFIX)
    text = _PART.sub(lambda part: chr(int(part[1], 16)), escaped)
    return text.encode("latin-1").decode()


def _escaped(byte: int) -> str:
    letter = chr(byte)
    return letter if letter.isascii() and (letter.isupper() or letter.isdigit()) else f"_{byte:02X}"
