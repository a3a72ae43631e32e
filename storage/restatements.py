"""Restatements at rest: written with the snapshot that shows them first."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, select

from ledger.restatement import Restatement
from storage import schema
from storage.rows import each


def keep(connection: Connection, restatements: Sequence[Restatement]) -> None:
    """Append restatements inside the caller's transaction."""
    if restatements:
        connection.execute(schema.restatements.insert(), [_row(one) for one in restatements])


def read(engine: Engine, since: int = 0, before: int | None = None) -> Iterator[Restatement]:
    """Yield what was learned in [since, before), newest first, streamed."""
    table = schema.restatements
    columns = ("seen_at", "source", "fact", "from", "to", "amount")
    query = select(*(table.c[name] for name in columns)).where(table.c.seen_at >= since)
    query = query if before is None else query.where(table.c.seen_at < before)
    ordered = query.order_by(table.c.seen_at.desc(), table.c.id.desc())
    return (Restatement(*row) for row in each(engine, ordered))


def _row(one: Restatement) -> dict[str, Any]:
    return {
        "seen_at": one.seen_at,
        "source": one.source,
        "fact": one.fact,
        "from": one.start,
        "to": one.end,
        "amount": one.amount,
    }
