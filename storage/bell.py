"""The bell: whether the database may have changed since the last look."""

import sqlite3
import time
from collections.abc import Callable
from typing import Protocol

from redis.client import PubSub
from redis.exceptions import RedisError
from sqlalchemy import func, make_url, select
from sqlalchemy.exc import DBAPIError

from storage import schema
from storage.engine import file, opened, reading
from storage.tiers import PREFIX, client

CHANNEL = f"{PREFIX}bell"
_PAUSE = 1.0


class _Version(Protocol):
    def read(self) -> object:
        """Return what differs when the database changed; None while it cannot be read."""

    def close(self) -> None:
        """Let go of the connection."""


class Bell:
    """Rings when a snapshot may be there; a false ring is cheap, a missed hint only late."""

    def __init__(
        self,
        url: str,
        redis_url: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch the database; Redis, when given, adds a hint and is never the truth."""
        sqlite = make_url(url).get_backend_name() == "sqlite"
        self._version: _Version = _DataVersion(url) if sqlite else _NewestSeq(url)
        self._last: object = None
        self._hint = _Hint(redis_url, clock) if redis_url else None

    def changed(self) -> bool:
        """Tell whether to look: true once after each change, and at the first look."""
        version = self._version.read()
        moved = version is not None and version != self._last
        self._last = version
        hinted = self._hint is not None and self._hint.heard()
        return moved or hinted

    def ring(self, seq: int) -> None:
        """Tell other processes that snapshot `seq` is committed, as far as Redis carries it."""
        if self._hint is not None:
            self._hint.ring(seq)

    def close(self) -> None:
        """Let go of the connections."""
        self._version.close()
        if self._hint is not None:
            self._hint.close()


class _DataVersion:
    """SQLite's own counter of other connections' commits: 4 µs, no lock, no query."""

    def __init__(self, url: str) -> None:
        self._path = file(url)
        self._connection: sqlite3.Connection | None = None
        self._opened = 0

    def read(self) -> object:
        try:
            if self._connection is None:
                self._connection = opened(self._path)
                self._opened += 1
            (version,) = self._connection.execute("pragma data_version").fetchone()
        except sqlite3.Error:
            self.close()
            return None
        # Each connection counts on its own: the same number from another one means nothing.
        return self._opened, version

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class _NewestSeq:
    """The newest seq, for databases that count no commits."""

    def __init__(self, url: str) -> None:
        self._engine = reading(url)

    def read(self) -> object:
        try:
            with self._engine.connect() as connection:
                return int(connection.scalar(select(func.max(schema.snapshots.c.seq))) or 0)
        except DBAPIError:
            return None

    def close(self) -> None:
        self._engine.dispose()


class _Hint:
    """Redis pub/sub, tried again at most once a second while it fails."""

    def __init__(self, redis_url: str, clock: Callable[[], float]) -> None:
        self._client = client(redis_url)
        self._clock = clock
        self._resume = 0.0
        self._heard: PubSub | None = None

    def ring(self, seq: int) -> None:
        self._tried(lambda: self._client.publish(CHANNEL, seq))

    def heard(self) -> bool:
        return bool(self._tried(self._message))

    def close(self) -> None:
        if self._heard is not None:
            self._heard.close()
        self._client.close()

    def _message(self) -> object:
        if self._heard is None:
            self._heard = PubSub(self._client.connection_pool, ignore_subscribe_messages=True)
            self._heard.subscribe(CHANNEL)
        return self._heard.get_message(timeout=0)

    def _tried(self, call: Callable[[], object]) -> object:
        if self._clock() < self._resume:
            return None
        try:
            return call()
        except (RedisError, OSError):
            self._resume = self._clock() + _PAUSE
            if self._heard is not None:
                self._heard.close()
            self._heard = None
            return None
