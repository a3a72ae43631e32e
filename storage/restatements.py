"""Restatements at rest: written with the snapshot that shows them first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from ledger.restatement import Restatement
from storage import schema
from storage.engine import CHUNK

_NAMES = ("id", "seen_at", "source", "fact", "from", "to", "amount")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which restatements: seen in [start, end), of a source, before the row numbered `after`."""

    start: int | None = None
    end: int | None = None
    source: str | None = None
    after: int | None = None


def keep(connection: Connection, restatements: Sequence[Restatement]) -> None:
    """Append restatements inside the caller's transaction."""
    if restatements:
        connection.execute(schema.restatements.insert(), [_row(one) for one in restatements])


def read(connection: Connection, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """Return `id seen_at source fact from to amount`, newest first; micros and nano-dollars."""
    table = schema.restatements
    query = select(*(table.c[name] for name in _NAMES)).order_by(table.c.id.desc())
    if wanted.start is not None:
        query = query.where(table.c.seen_at >= wanted.start)
    if wanted.end is not None:
        query = query.where(table.c.seen_at < wanted.end)
    if wanted.source is not None:
        query = query.where(table.c.source == wanted.source)
    if wanted.after is not None:
        query = query.where(table.c.id < wanted.after)
    result = connection.execution_options(yield_per=CHUNK).execute(query)
    return (dict(row) for row in result.mappings())


def _row(one: Restatement) -> dict[str, Any]:
    return {
        "seen_at": one.seen_at,
        "source": one.source,
        "fact": one.fact,
        "from": one.start,
        "to": one.end,
        "amount": one.amount,
    }
