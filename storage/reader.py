"""The one door for pages, JSON, CSV and sockets: each read sees one state of the database."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, TypeVar

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DatabaseError

from storage import (
    audit,
    deals,
    inbox,
    progress,
    quarantine,
    reconciliation,
    restatements,
    schema,
    series,
    snapshots,
    tape,
    tiers,
)
from storage.bell import Bell
from storage.engine import CHUNK, begin, reading
from storage.errors import NoSuchPeriod, NotReady, Unusable
from storage.inbox import Answer
from storage.series import Series

__all__ = ["Head", "NoSuchPeriod", "NotReady", "Reader", "Series"]

Row = TypeVar("Row")

_SEQ, _AS_OF = schema.snapshots.c.seq, schema.snapshots.c.as_of


@dataclass(frozen=True, slots=True)
class Head:
    """One numbered live document: its text is what is sent, byte for byte."""

    epoch: str
    seq: int
    as_of: int
    text: bytes


class Reader:
    """Reads by read-only connections of their own, from any thread or greenlet.

    Every method raises NotReady while there is no file, no schema or, where one is needed, no
    snapshot; and recovers by itself once there is.
    """

    def __init__(self, url: str, redis_url: str | None = None, bell: Bell | None = None) -> None:
        """Read the database; nothing is opened before the first call."""
        self._engine = reading(url)
        self._bell = bell or Bell(url, redis_url)
        self._tiers = tiers.Tiers(redis_url) if redis_url else None

    def head(self) -> Head:
        """Return the newest document; from the hot tier only when it is as new or newer."""
        with self._transaction() as connection:
            epoch, (seq, as_of) = _epoch(connection), _newest(connection)
            hot = self._hot(epoch, seq)
            if hot is not None:
                return hot
            kept = select(schema.documents.c.text).where(schema.documents.c.seq == seq)
            return Head(epoch, seq, as_of, connection.execute(kept).scalar_one())

    def documents(self, after: int) -> list[Head]:
        """Return the documents kept whose seq is greater than `after`, ascending."""
        query = snapshots.documents().where(after < _SEQ).order_by(_SEQ)
        with self._transaction() as connection:
            epoch = _epoch(connection)
            return [Head(epoch, *row) for row in connection.execute(query)]

    def oldest(self) -> int:
        """Return the oldest seq whose document is kept."""
        with self._transaction() as connection:
            oldest = connection.scalar(select(func.min(schema.documents.c.seq)))
        if oldest is None:
            raise NotReady("there is no snapshot yet")
        return int(oldest)

    def series(
        self,
        period: str | None = None,
        start: int | None = None,
        end: int | None = None,
        points: int | None = None,
    ) -> Series:
        """Return rollups of [start, end) over bucket starts, oldest first, none in the future.

        `period` alone gives every row; `points` alone (default 1,500) the coarsest period that
        still gives as many, else 1m; both merge on the period's grid to at most `points` rows.
        No rows until the history is complete. NoSuchPeriod and ValueError name a bad question.
        """
        asked = series.Asked(period, start, end, points)
        with ExitStack() as stack:
            connection = stack.enter_context(self._transaction())
            found = series.read(connection, asked, *_newest(connection))
            rows = _streamed(stack, found.rows)
        return Series(found.period, found.start, found.end, found.seq, rows)

    def fills(
        self,
        start: int | None = None,
        end: int | None = None,
        ticker: str | None = None,
        series: str | None = None,
        side: str | None = None,
    ) -> tuple[int, Iterator[dict[str, Any]]]:
        """Return the seq read at and the fills of [start, end) that match, newest first."""
        wanted = tape.Wanted(start, end, ticker, series, side)
        with ExitStack() as stack:
            connection = stack.enter_context(self._transaction())
            seq, _ = _newest(connection)
            return seq, _streamed(stack, tape.read(connection, wanted))

    def deals(self, wanted: deals.Wanted) -> tuple[int, Iterator[dict[str, Any]]]:
        """Return the seq read at and the deals that match, newest day first."""
        with ExitStack() as stack:
            connection = stack.enter_context(self._transaction())
            seq, _ = _newest(connection)
            return seq, _streamed(stack, deals.read(connection, wanted))

    def audit(self, wanted: audit.Wanted) -> tuple[int, Iterator[dict[str, Any]]]:
        """Return the seq read at and the acts that match, newest first."""
        with ExitStack() as stack:
            connection = stack.enter_context(self._transaction())
            seq, _ = _newest(connection)
            return seq, _streamed(stack, audit.read(connection, wanted))

    def reconciliation(self, wanted: reconciliation.Wanted) -> tuple[int, Iterator[dict[str, Any]]]:
        """Return the seq read at and the differences from the sources' own figures that match."""
        with ExitStack() as stack:
            connection = stack.enter_context(self._transaction())
            seq, _ = _newest(connection)
            return seq, _streamed(stack, reconciliation.read(connection, wanted))

    def restatements(self, wanted: restatements.Wanted) -> tuple[int, Iterator[dict[str, Any]]]:
        """Return the seq read at and what changed late, newest first."""
        with ExitStack() as stack:
            connection = stack.enter_context(self._transaction())
            seq, _ = _newest(connection)
            return seq, _streamed(stack, restatements.read(connection, wanted))

    def reconciled(self) -> list[dict[str, Any]]:
        """Return each source's newest run: time, source, checked, differences, detail."""
        with self._transaction() as connection:
            return reconciliation.runs(connection)

    def imports(self) -> list[progress.Progress]:
        """Return how far each import has come, or came when it was whole."""
        with self._transaction() as connection:
            return progress.read(connection)

    def answer(self, command: int) -> Answer | None:
        """Return what became of a command; None when there is none of that number."""
        with self._transaction() as connection:
            return inbox.answer(connection, command)

    def changed(self) -> bool:
        """Tell whether the database may have changed since this was last asked."""
        return self._bell.changed()

    def ping(self) -> None:
        """Return when the database can be read; NotReady or OperationalError otherwise."""
        with self._transaction():
            pass

    def quarantined(self) -> int:
        """Return how many rows are refused still, kept for a person to see."""
        with self._transaction() as connection:
            return quarantine.standing(connection)

    def close(self) -> None:
        """Let go of what stays open between calls: the bell and Redis."""
        self._bell.close()
        if self._tiers is not None:
            self._tiers.close()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with begin(self._engine, schema.REVISION) as connection:
            yield connection

    def _hot(self, epoch: str, seq: int) -> Head | None:
        kept = self._tiers.get(tiers.HOT) if self._tiers else None
        if not isinstance(kept, dict) or kept.get("epoch") != epoch or kept.get("seq", 0) < seq:
            return None
        return Head(epoch, kept["seq"], kept["as_of"], str(kept["text"]).encode())


def _newest(connection: Connection) -> tuple[int, int]:
    row = connection.execute(select(_SEQ, _AS_OF).order_by(_SEQ.desc()).limit(1)).first()
    if row is None:
        raise NotReady("there is no snapshot yet")
    return row.seq, row.as_of


def _epoch(connection: Connection) -> str:
    query = select(schema.meta.c.value).where(schema.meta.c.key == "epoch")
    return str(connection.execute(query).scalar_one())


def _streamed(stack: ExitStack, rows: Iterator[Row]) -> Iterator[Row]:
    """Return rows in chunks; a short list is read at once, so that no connection waits for it."""
    first = list(islice(rows, CHUNK))
    if len(first) < CHUNK:
        return iter(first)
    return _rest(stack.pop_all(), chain(first, rows))


def _rest(stack: ExitStack, rows: Iterator[Row]) -> Iterator[Row]:
    with stack:
        yield from rows


def newest(url: str) -> int:
    """Return when the newest snapshot is of; NotReady before one, Unusable without a database."""
    reader = Reader(url)
    try:
        return reader.head().as_of
    except DatabaseError as error:
        raise Unusable(str(error.orig)) from error
    finally:
        reader.close()
