"""Column types that keep exactly what a fact holds, on SQLite and PostgreSQL alike."""

import json
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from sqlalchemy import BigInteger, Dialect, Integer, Text, TypeDecorator

Nano = BigInteger
"""Nano-dollars."""

Micros = BigInteger
"""An instant."""

RowKey = BigInteger().with_variant(Integer, "sqlite")
"""A number the database assigns; SQLite does so for INTEGER only."""

Name = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that sorts by code point everywhere, as Python sorts it."""

_EVERY = -1


class Word(TypeDecorator[StrEnum]):
    """One of the words of a StrEnum."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        """Keep the words by their text."""
        super().__init__()
        self.words = words
        self._known = {word.value: word for word in words}

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        """Write the plain text."""
        del dialect
        return None if value is None else value.value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        """Read the word."""
        del dialect
        return None if value is None else self._known[value]


class Exact(TypeDecorator[Decimal]):
    """A Decimal as its own text: SQLite's numeric would pass through a float."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """Write every digit."""
        del dialect
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        """Read every digit."""
        del dialect
        return None if value is None else Decimal(value)


class Pairs(TypeDecorator[tuple[tuple[str, str], ...]]):
    """Group fields with their values, in the order their source gave them."""

    impl = Name
    cache_ok = True

    def process_bind_param(
        self, value: tuple[tuple[str, str], ...] | None, dialect: Dialect
    ) -> str | None:
        """Write a list of pairs."""
        del dialect
        return None if value is None else _written(value)

    def process_result_value(
        self, value: str | None, dialect: Dialect
    ) -> tuple[tuple[str, str], ...] | None:
        """Read the pairs."""
        del dialect
        return None if value is None else _pairs(value)


@lru_cache(maxsize=4_096)
def _written(pairs: tuple[tuple[str, str], ...]) -> str:
    return json.dumps(pairs, separators=(",", ":"))


@lru_cache(maxsize=4_096)
def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in json.loads(text))


class Subaccount(TypeDecorator[int]):
    """A subaccount, or every one: no key may hold a null, so «every» is a number below 0."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int:
        """Write None as every subaccount."""
        del dialect
        return _EVERY if value is None else value

    def process_result_value(self, value: int | None, dialect: Dialect) -> int | None:
        """Read every subaccount as None."""
        del dialect
        return None if value == _EVERY else value
