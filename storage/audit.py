"""Audit at rest: who did what, when, and what it was before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from storage import schema
from storage.engine import CHUNK, Also


@dataclass(frozen=True, slots=True)
class Entry:
    """One act: `before` and `after` are JSON, "" where there is none; `time` in microseconds."""

    time: int
    actor: str
    action: str
    subject: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: of [start, end), of one subject, from the one before number `below` on."""

    start: int | None = None
    end: int | None = None
    subject: str | None = None
    below: int | None = None


def noted(entries: Sequence[Entry]) -> Also:
    """Return what writes the entries inside somebody's transaction."""
    return lambda connection: write(connection, entries)


def write(connection: Connection, entries: Sequence[Entry]) -> None:
    """Append entries."""
    if entries:
        connection.execute(schema.audit.insert(), [_row(entry) for entry in entries])


def read(connection: Connection, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """Yield the entries wanted, newest first, each with its number `id`, streamed."""
    table = schema.audit
    query = select(table).order_by(table.c.id.desc())
    if wanted.start is not None:
        query = query.where(table.c.time >= wanted.start)
    if wanted.end is not None:
        query = query.where(table.c.time < wanted.end)
    if wanted.subject is not None:
        query = query.where(table.c.subject == wanted.subject)
    if wanted.below is not None:
        query = query.where(table.c.id < wanted.below)
    result = connection.execution_options(yield_per=CHUNK).execute(query)
    return (dict(row) for row in result.mappings())


def _row(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in Entry.__slots__}
