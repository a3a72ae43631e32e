"""How tables are written: one metadata, columns by what they hold."""

from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, Text

from storage.columns import Micros, Name, Nano, RowKey

metadata = MetaData()


def text(name: str) -> Column[Any]:
    """Return a column of text that is never absent."""
    return Column(name, Text, nullable=False)


def texts(*names: str) -> list[Column[Any]]:
    """Return columns of text that are never absent."""
    return [text(name) for name in names]


def whole(name: str) -> Column[Any]:
    """Return a column of integers that are never absent."""
    return Column(name, BigInteger, nullable=False)


def nano(*names: str) -> list[Column[Any]]:
    """Return columns of nano-dollars that are never absent."""
    return [Column(name, Nano, nullable=False) for name in names]


def instant(name: str, *, known: bool = True) -> Column[Any]:
    """Return a column of microseconds; `known` instants are never absent."""
    return Column(name, Micros, nullable=not known)


def number() -> Column[Any]:
    """Return the row's own number, assigned by the database."""
    return Column("id", RowKey, primary_key=True)


def key(*names: str) -> list[Column[Any]]:
    """Return columns of names that together are the primary key."""
    return [Column(name, Name, primary_key=True) for name in names]


def seen() -> Column[Any]:
    """Return the column of when a fact was learned; 0 for what older revisions recorded."""
    return Column("seen_at", Micros, nullable=False, server_default="0")
