"""Rows: frozen facts to rows of their table and back, put in by their key."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, Select, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from storage.engine import CHUNK, deferred

Insert = sqlite.Insert | postgresql.Insert


def put(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, or replace those of the same primary key."""
    if not rows:
        return
    insert = _insert(connection, table)
    key = list(table.primary_key.columns)
    rest = {name: insert.excluded[name] for name in rows[0] if name not in table.primary_key}
    connection.execute(insert.on_conflict_do_update(index_elements=key, set_=rest), list(rows))


def add(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, leaving those alone whose key or unique mark is there already."""
    if rows:
        insert = _insert(connection, table)
        connection.execute(insert.on_conflict_do_nothing(), list(rows))


def row(fact: Hashable) -> dict[str, Any]:
    """Return a fact's columns by name."""
    return {name: getattr(fact, name) for name in _names(type(fact))}


def chosen(table: Table, kind: type) -> Select[Any]:
    """Select a fact's columns in the order its class takes them."""
    return select(*(table.c[name] for name in _names(kind)))


def of_keys(
    connection: Connection, query: Select[Any], column: str, keys: Iterable[Any]
) -> Iterator[Any]:
    """Yield the query's rows whose column is one of the keys, a bounded number at a time."""
    target = query.selected_columns[column]
    distinct = list(dict.fromkeys(keys))
    for start in range(0, len(distinct), CHUNK):
        yield from connection.execute(query.where(target.in_(distinct[start : start + CHUNK])))


def each(engine: Engine, query: Select[*tuple[Any, ...]]) -> Iterator[Any]:
    """Yield the query's rows from one state of the database, streamed."""
    with deferred(engine).connect() as connection:
        result = connection.execution_options(yield_per=CHUNK).execute(query)
        yield from result


def _insert(connection: Connection, table: Table) -> Insert:
    """Return the dialect's own insert: both know `on conflict`, the standard does not."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(member.name for member in fields(kind))
