"""The lease: which one process may write, by a fencing token that only grows."""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.exc import OperationalError

from storage import schema
from storage.engine import deferred, guarded, is_locked, unguarded
from storage.errors import LeaseLost

__all__ = ["Lease", "LeaseLost"]

_NOBODY = ""
_PATIENCE = 3
"""Intervals without a beat after which an owner counts as gone."""


class _Seen(NamedTuple):
    owner: str
    token: int
    beat: int


class Lease:
    """One process's claim on the database; `interval` seconds between two heartbeats."""

    def __init__(
        self,
        engine: Engine,
        owner: str,
        clock: Callable[[], float] = time.monotonic,
        interval: float = 1.0,
    ) -> None:
        """Claim nothing yet; `owner` names the process for people, and is not empty."""
        self._engine = engine
        self._owner = owner
        self._clock = clock
        self._interval = interval
        self._token: int | None = None
        self._seen: _Seen | None = None
        self._since = 0.0

    @property
    def token(self) -> int | None:
        """The fencing token while this process holds the lease."""
        return self._token

    def acquire(self, stop: threading.Event) -> bool:
        """Wait as a standby until the lease is ours; False when `stop` is set first."""
        while not stop.is_set():
            if self.attempt():
                return True
            stop.wait(self._interval / 4)
        return False

    def attempt(self) -> bool:
        """Take the lease when it is free or its owner was silent for three intervals."""
        seen = self._look()
        if seen.owner != _NOBODY and not self._silent(seen):
            return False
        table = schema.lease
        claim = (
            update(table)
            .where(table.c.id == 1, table.c.token == seen.token, table.c.beat == seen.beat)
            .where(table.c.owner == seen.owner)
            .values(owner=self._owner, token=seen.token + 1, beat=seen.beat + 1)
        )
        with guarded(self._engine, unguarded) as connection:
            won = connection.execute(claim).rowcount == 1
        self._token = seen.token + 1 if won else None
        return won

    def heartbeat(self) -> None:
        """Show that the owner lives; LeaseLost when the lease is another's.

        A beat that finds the database locked is left out: nobody can take over meanwhile.
        """
        try:
            with guarded(self._engine, self.guard):
                pass
        except OperationalError as error:
            if not is_locked(error):
                raise

    def guard(self, connection: Connection) -> None:
        """Beat inside a write transaction, which must end when it raises LeaseLost."""
        table = schema.lease
        beat = (
            update(table)
            .where(table.c.id == 1, table.c.token == self._token)
            .values(beat=table.c.beat + 1)
        )
        if self._token is None or connection.execute(beat).rowcount != 1:
            raise LeaseLost(f"{self._owner} no longer owns the database; another worker does")

    def release(self) -> None:
        """Give the lease back, so that a standby takes it at once; nothing when it is lost."""
        table = schema.lease
        free = (
            update(table)
            .where(table.c.id == 1, table.c.token == self._token)
            .values(owner=_NOBODY, beat=table.c.beat + 1)
        )
        if self._token is not None:
            with guarded(self._engine, unguarded) as connection:
                connection.execute(free)
        self._token = None

    def _look(self) -> _Seen:
        table = schema.lease
        query = select(table.c.owner, table.c.token, table.c.beat).where(table.c.id == 1)
        with deferred(self._engine).connect() as connection:
            return _Seen(*connection.execute(query).one())

    def _silent(self, seen: _Seen) -> bool:
        now = self._clock()
        if seen != self._seen:
            self._seen, self._since = seen, now
        return now - self._since >= _PATIENCE * self._interval
