"""Reconciliations at rest: each run with what it found, kept for a quarter of a year."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Select, delete, func, select

from ledger.difference import Difference, Kind, Unit
from ledger.facts import Fill
from ledger.moment import DAY
from storage import rows, schema
from storage.differences import newest
from storage.engine import CHUNK, Also, Guard, deferred, guarded

KEPT = 92 * DAY

Identity = tuple[str, Unit, str]

COLUMNS = ("time", "source", "subject", "ours", "theirs", "difference", "unit", "kind")


@dataclass(frozen=True, slots=True)
class Run:
    """One comparison of a source: when (µs), how many things it looked at, what differs."""

    source: str
    time: int
    checked: int
    differences: tuple[Difference, ...]
    detail: str = ""

    @property
    def open(self) -> tuple[Difference, ...]:
        """What is a difference now: all but lag."""
        return tuple(each for each in self.differences if each.kind is not Kind.LAG)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which differences: found in [start, end), of a source, of a kind, with an id below `last`."""

    start: int | None = None
    end: int | None = None
    source: str | None = None
    kind: str | None = None
    last: int | None = None


class Reconciliations:
    """The runs of one database."""

    def __init__(self, engine: Engine, guard: Guard) -> None:
        """Write by `engine`, under the lease's guard."""
        self._engine = engine
        self._guard = guard

    def keep(self, run: Run) -> None:
        """Append a run; forget those older than a quarter of a year."""
        with guarded(self._engine, self._guard) as connection:
            _append(connection, run)

    def standing(self, source: str, until: int) -> set[Identity]:
        """Return what the newest run of a source up to an instant found."""
        table = schema.reconciliation
        query = select(table.c.subject, table.c.unit, table.c.difference)
        query = query.where(table.c.run == _newest(source, until).scalar_subquery())
        with deferred(self._engine).connect() as connection:
            found = connection.execute(query).all()
        return {(row.subject, Unit(row.unit), row.difference) for row in found}

    def fills(self, ids: Collection[str]) -> dict[str, Fill]:
        """Return those of our fills that have these ids, whatever their market."""
        query = rows.chosen(schema.fills, Fill)
        with deferred(self._engine).connect() as connection:
            found = [Fill(*row) for row in rows.of_keys(connection, query, "fill_id", ids)]
        return {fill.fill_id: fill for fill in found}


def appended(runs: Iterable[Run]) -> Also:
    """Return what appends runs inside somebody's transaction.

    One that is no newer than what its source has already is left out: the newest is what counts.
    """

    def write(connection: Connection) -> None:
        table = schema.reconciliation_runs
        for run in runs:
            newest = select(func.max(table.c.time)).where(table.c.source == run.source)
            if (connection.scalar(newest) or 0) < run.time:
                _append(connection, run)

    return write


def open_differences(engine: Engine) -> int:
    """Return how many differences the newest run of each source found, lag apart."""
    with deferred(engine).connect() as connection:
        return sum(newest(connection).values())


def runs(connection: Connection) -> list[dict[str, Any]]:
    """Return each source's newest run: time, source, checked, differences, detail."""
    table = schema.reconciliation_runs
    query = select(table).where(table.c.id.in_(_latest())).order_by(table.c.source)
    return [dict(row) for row in connection.execute(query).mappings()]


def read(connection: Connection, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """Yield differences newest first, streamed.

    Without a span those of each source's newest run, which is what differs now; with one every
    run's. `difference` is an exact decimal in `unit` (usd, contracts, count).
    """
    result = connection.execution_options(yield_per=CHUNK).execute(_query(wanted))
    return (dict(row) for row in result.mappings())


def _append(connection: Connection, run: Run) -> None:
    runs, found = schema.reconciliation_runs, schema.reconciliation
    head = {
        "time": run.time,
        "source": run.source,
        "checked": run.checked,
        "differences": len(run.open),
        "detail": run.detail,
    }
    key = (connection.execute(runs.insert().values(head)).inserted_primary_key or (0,))[0]
    lines = [_row(run, each) | {"run": key} for each in run.differences]
    if lines:
        connection.execute(found.insert(), lines)
    for table in (runs, found):
        connection.execute(delete(table).where(table.c.time < run.time - KEPT))


def _query(wanted: Wanted) -> Select[Any]:
    table = schema.reconciliation
    query = select(table.c.id, *(table.c[name] for name in COLUMNS))
    if wanted.start is None and wanted.end is None:
        query = query.where(table.c.run.in_(_latest()))
    if wanted.start is not None:
        query = query.where(table.c.time >= wanted.start)
    if wanted.end is not None:
        query = query.where(table.c.time < wanted.end)
    if wanted.source is not None:
        query = query.where(table.c.source == wanted.source)
    if wanted.kind is not None:
        query = query.where(table.c.kind == wanted.kind)
    if wanted.last is not None:
        query = query.where(table.c.id < wanted.last)
    return query.order_by(table.c.id.desc())


def _latest() -> Select[Any]:
    table = schema.reconciliation_runs
    return select(func.max(table.c.id)).group_by(table.c.source)


def _newest(source: str, until: int) -> Select[Any]:
    table = schema.reconciliation_runs
    return select(func.max(table.c.id)).where(table.c.source == source, table.c.time <= until)


def _row(run: Run, found: Difference) -> dict[str, Any]:
    return {
        "time": run.time,
        "source": run.source,
        "subject": found.subject,
        "ours": found.ours,
        "theirs": found.theirs,
        "difference": found.difference,
        "unit": found.unit.value,
        "kind": found.kind.value,
    }
