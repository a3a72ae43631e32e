"""Rows: frozen facts to rows of their table and back, put in by their key."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import Connection, Engine, Select, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from storage.engine import CHUNK, deferred

Insert = sqlite.Insert | postgresql.Insert


def put(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, or replace those of the same primary key."""
    if rows:
        connection.execute(_upsert(connection, table, tuple(rows[0])), list(rows))


def put_plain(
    connection: Connection, table: Table, beside: Mapping[str, Any], facts: Sequence[Hashable]
) -> None:
    """Put facts in with the columns `beside`, in bulk; integers and text are taken as they are.

    On SQLite the driver takes them itself: a third of the time for a hundred thousand.
    """
    if not facts:
        return
    if connection.dialect.name != "sqlite":
        put(connection, table, [{**beside, **row(fact)} for fact in facts])
        return
    names = (*beside, *_names(type(facts[0])))
    statement = _upsert(connection, table, names).compile(
        dialect=connection.dialect, column_keys=list(names)
    )
    place = {name: index for index, name in enumerate(names)}
    order = [place[name] for name in statement.positiontup or ()]
    read, first = attrgetter(*_names(type(facts[0]))), tuple(beside.values())
    columns = list(zip(*(first + read(fact) for fact in facts), strict=True))
    for index, name in enumerate(names):
        written = table.c[name].type.dialect_impl(connection.dialect)
        process = written.bind_processor(connection.dialect)
        columns[index] = columns[index] if process is None else tuple(map(process, columns[index]))
    values = zip(*itemgetter(*order)(columns), strict=True)
    connection.exec_driver_sql(str(statement), list(values))


def _upsert(connection: Connection, table: Table, names: Sequence[str]) -> Insert:
    insert = _insert(connection, table)
    rest = {name: insert.excluded[name] for name in names if name not in table.primary_key}
    return insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=rest)


def add(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, leaving those alone whose key or unique mark is there already."""
    if rows:
        insert = _insert(connection, table)
        connection.execute(insert.on_conflict_do_nothing(), list(rows))


def row(fact: Hashable) -> dict[str, Any]:
    """Return a fact's columns by name."""
    return {name: getattr(fact, name) for name in _names(type(fact))}


def dated(facts: Iterable[Hashable], seen_at: int) -> list[dict[str, Any]]:
    """Return facts' columns with when they were learned."""
    return [row(fact) | {"seen_at": seen_at} for fact in facts]


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
