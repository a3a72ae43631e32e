"""Rollups at rest: one row a period and bucket."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Engine, select

from ledger.bucket import Row
from storage import rows, schema
from storage.engine import Guard, deferred, guarded

_BATCH = 10_000
"""Rows a transaction of `write`: about 0.2 s, so the lease's heartbeat never waits for 1 s."""


class Rollups:
    """The rollups of one database, written under the guard."""

    def __init__(self, engine: Engine, guard: Guard) -> None:
        """Write by `engine`; rollups can be recomputed, so its synchronous may be `normal`."""
        self._engine = engine
        self._guard = guard

    def write(self, by_period: Mapping[str, Sequence[Row]]) -> None:
        """Put rows in by (period, bucket), committed in batches: for imports and rebuilds."""
        for period, buckets in by_period.items():
            for start in range(0, len(buckets), _BATCH):
                with guarded(self._engine, self._guard) as connection:
                    self.upsert(connection, {period: buckets[start : start + _BATCH]})

    def upsert(self, connection: Connection, by_period: Mapping[str, Sequence[Row]]) -> None:
        """Put rows in by (period, bucket) inside the caller's transaction."""
        upsert(connection, by_period)

    def load(self, period: str, since: int, before: int | None = None) -> list[Row]:
        """Return the rows of buckets in [since, before), oldest first."""
        table = schema.rollups
        query = rows.chosen(table, Row).where(table.c.period == period, table.c.bucket >= since)
        query = query if before is None else query.where(table.c.bucket < before)
        return [Row(*row) for row in rows.each(self._engine, query.order_by(table.c.bucket))]

    def close_before(self, instant: int) -> int:
        """Return the trading close of the newest 1m bucket before an instant, 0 without one."""
        table = schema.rollups
        query = (
            select(table.c.close)
            .where(table.c.period == "1m", table.c.bucket < instant)
            .order_by(table.c.bucket.desc())
            .limit(1)
        )
        with deferred(self._engine).connect() as connection:
            return connection.scalar(query) or 0

    def clear(self) -> None:
        """Delete every row: a rebuild writes them anew."""
        with guarded(self._engine, self._guard) as connection:
            connection.execute(schema.rollups.delete())


def upsert(connection: Connection, by_period: Mapping[str, Sequence[Row]]) -> None:
    """Put rows in by (period, bucket) inside the caller's transaction."""
    for period, buckets in by_period.items():
        rows.put_plain(connection, schema.rollups, {"period": period}, buckets)
