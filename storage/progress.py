"""Progress of imports at rest: how far each source's history has come, for whoever looks on."""

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Engine, func, select

from storage import rows, schema
from storage.engine import Guard, deferred, guarded

IMPORTING = "importing"
WHOLE = "whole"

_TABLES = {"kalshi": (schema.fills, schema.settlements), "anthropic": (schema.costs,)}
"""Where a source's facts are; every other source is one of deals."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One import: facts recorded and, as an estimate, of how many; instants in µs.

    `state` is importing, whole, or what the source said when it failed last.
    """

    source: str
    done: int
    total: int | None
    started_at: int
    updated_at: int
    state: str


def read(connection: Connection) -> list[Progress]:
    """Return every import there was, by source."""
    table = schema.progress
    columns = (table.c[name] for name in Progress.__slots__)
    return [Progress(*row) for row in connection.execute(select(*columns).order_by(table.c.source))]


class Imports:
    """The imports of one database."""

    def __init__(self, engine: Engine, guard: Guard) -> None:
        """Write by `engine`, under the lease's guard."""
        self._engine = engine
        self._guard = guard

    def note(self, *progress: Progress) -> None:
        """Keep how far imports are."""
        with guarded(self._engine, self._guard) as connection:
            rows.put(connection, schema.progress, [asdict(each) for each in progress])

    def known(self) -> dict[str, Progress]:
        """Return every import there was, by source."""
        with deferred(self._engine).connect() as connection:
            return {each.source: each for each in read(connection)}

    def recorded(self, source: str) -> int:
        """Return how many facts of a source an import has recorded so far, marks apart."""
        deals = (
            select(func.count()).select_from(schema.deals).where(schema.deals.c.source == source)
        )
        counts = [select(func.count()).select_from(table) for table in _TABLES.get(source, ())]
        with deferred(self._engine).connect() as connection:
            return sum(connection.scalar(query) or 0 for query in counts or [deals])

    def oldest(self) -> tuple[int | None, int | None]:
        """Return the oldest fill and the oldest settlement recorded, µs."""
        fills, ends = schema.fills, schema.settlements
        with deferred(self._engine).connect() as connection:
            return (
                connection.scalar(select(func.min(fills.c.time))),
                connection.scalar(select(func.min(ends.c.time))),
            )
