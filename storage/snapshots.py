"""Snapshots at rest: numbered by the database, the document's text for the replay window."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Select, delete, select

from ledger.bucket import Row
from ledger.restatement import Restatement
from storage import restatements, rollups, schema
from storage.engine import Guard, deferred, guarded
from storage.errors import NotReady
from storage.rows import each, put
from storage.text import encode

Render = Callable[[str, int], Mapping[str, Any]]
"""Builds the document of an epoch and a seq."""

_MICROS = 1_000_000
_SEQ, _AS_OF = schema.snapshots.c.seq, schema.snapshots.c.as_of


class Snapshots:
    """The snapshots of one database, appended under the guard."""

    def __init__(self, engine: Engine, guard: Guard) -> None:
        """Write by `engine`."""
        self._engine = engine
        self._guard = guard

    def append(  # noqa: PLR0913 - one transaction takes all that a snapshot commits
        self,
        as_of: int,
        figures: Mapping[str, int],
        render: Render,
        rows: Mapping[str, Sequence[Row]],
        meta: Mapping[str, str],
        *,
        through: int | None = None,
        restated: Sequence[Restatement] = (),
    ) -> tuple[int, bytes]:
        """Append a snapshot with its rollup rows, restatements and meta in one transaction.

        Returns the seq the database assigned and the document's text; `figures` are named as in
        `schema.FIGURES`. All facts recorded, or those up to the `entry` of one Recorded given
        as `through`, are pending no more.
        """
        with guarded(self._engine, self._guard) as connection:
            seq = _numbered(connection, as_of, figures)
            text = encode(render(_epoch(connection), seq))
            connection.execute(schema.documents.insert().values(seq=seq, text=text))
            rollups.upsert(connection, rows)
            restatements.keep(connection, restated)
            _remember(connection, meta)
            _rolled(connection, through)
        return seq, text

    def last(self) -> tuple[int, int, bytes] | None:
        """Return seq, as_of and text of the newest snapshot, None before the first."""
        newest = each(self._engine, documents().order_by(_SEQ.desc()).limit(1))
        return next(((seq, as_of, text) for seq, as_of, text in newest), None)

    def epoch(self) -> str:
        """Return the database's random id."""
        with deferred(self._engine).connect() as connection:
            return _epoch(connection)

    def meta(self) -> dict[str, str]:
        """Return everything the database remembers, by name."""
        query = select(schema.meta.c.key, schema.meta.c.value)
        return dict(each(self._engine, query))

    def remember(self, meta: Mapping[str, str]) -> None:
        """Merge into what the database remembers, without a snapshot."""
        with guarded(self._engine, self._guard) as connection:
            _remember(connection, meta)

    def prune(self, keep: int = 300, seconds: int = 600) -> None:
        """Delete the texts that are neither of the newest `keep` nor of the last `seconds`."""
        with guarded(self._engine, self._guard) as connection:
            newest = connection.execute(select(_SEQ, _AS_OF).order_by(_SEQ.desc()).limit(1)).first()
            if newest is not None:
                before = newest.as_of - seconds * _MICROS
                connection.execute(_outdated(newest.seq - keep, before))


def documents() -> Select[int, int, bytes]:
    """Select seq, as_of and text of the documents that are kept."""
    joined = schema.documents.join(schema.snapshots)
    return select(_SEQ, _AS_OF, schema.documents.c.text).select_from(joined)


def _numbered(connection: Connection, as_of: int, figures: Mapping[str, int]) -> int:
    row = connection.execute(schema.snapshots.insert().values(as_of=as_of, **figures))
    if row.inserted_primary_key is None:
        raise NotReady("the database gave the snapshot no number")
    return int(row.inserted_primary_key[0])


def _epoch(connection: Connection) -> str:
    query = select(schema.meta.c.value).where(schema.meta.c.key == "epoch")
    return str(connection.execute(query).scalar_one())


def _remember(connection: Connection, meta: Mapping[str, str]) -> None:
    put(connection, schema.meta, [{"key": key, "value": value} for key, value in meta.items()])


def _rolled(connection: Connection, through: int | None) -> None:
    done = delete(schema.unrolled)
    connection.execute(done if through is None else done.where(schema.unrolled.c.id <= through))


def _outdated(seq: int, before: int) -> Any:  # noqa: ANN401 - sqlalchemy's own Delete
    table = schema.documents
    # Correlated, so that the cost is that of the few texts kept, not of all snapshots ever.
    as_of = select(_AS_OF).where(table.c.seq == _SEQ).scalar_subquery()
    return delete(table).where(table.c.seq <= seq, as_of < before)
