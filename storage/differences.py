"""Differences from the sources' own figures, as the newest reconciliation found them."""

from sqlalchemy import Connection, func, select

from storage import schema


def newest(connection: Connection) -> dict[str, int]:
    """Return how many differences each source's newest run found."""
    runs = schema.reconciliation_runs
    last = select(func.max(runs.c.id)).group_by(runs.c.source)
    query = select(runs.c.source, runs.c.differences).where(runs.c.id.in_(last))
    return {row.source: row.differences for row in connection.execute(query)}
