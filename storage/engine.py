"""Engines: how the database is opened, for the one writer and for readers."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from urllib.parse import quote
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, NullPool, Pool, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError

from storage.errors import NotReady

Guard = Callable[[Connection], None]
"""Runs first in each write transaction and raises when this process may no longer write."""

Also = Callable[[Connection], None]
"""Writes something more inside a transaction that another opened."""

CHUNK = 500
"""Rows fetched at a time from a long list."""

_turns: WeakKeyDictionary[Pool, Lock] = WeakKeyDictionary()

_Pragmas = dict[str, int | str]
_TUNED: _Pragmas = {"cache_size": -10_000, "mmap_size": 30_000_000, "temp_store": "memory"}
_BUSY_MS = 5_000
_TRIES = 40
_PAUSE = 0.005
_UNDEFINED_TABLE = "42P01"


def writer(url: str, synchronous: str = "full") -> Engine:
    """Return the engine that writes; on SQLite WAL, and each transaction BEGIN IMMEDIATE.

    `synchronous` is `full` for what must survive a power cut, `normal` for what can be
    recomputed. The folder of a SQLite file is created.
    """
    if not _is_sqlite(url):
        return create_engine(url)
    file(url).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)
    safety: _Pragmas = {"busy_timeout": _BUSY_MS, "synchronous": synchronous, "foreign_keys": 1}
    _hook(engine, safety | _TUNED, wal=True)
    return engine


def reading(url: str) -> Engine:
    """Return an engine that only reads and waits for no lock; each call has its connection.

    Connections may wander between threads; each transaction sees one state of the database.
    """
    if not _is_sqlite(url):
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        return create_engine(url, execution_options=options)
    path = file(url)
    first = [sqlite3.connect(":memory:", check_same_thread=False)]
    # Between threads, a lock that gevent patched may lose its wake-up and wait for ever. So no
    # pool, which would have one; and the first connection, for which SQLAlchemy has one, is
    # made here, where nobody else can want it. Opening anew costs 0.3 ms.
    engine = create_engine(
        "sqlite://",
        creator=lambda: first.pop() if first else opened(path),
        poolclass=NullPool,
    )
    _hook(engine, {"busy_timeout": 0, **_TUNED}, wal=False)
    engine.connect().close()
    return engine.execution_options(deferred=True)


def file(url: str) -> Path:
    """Return the absolute path of a SQLite URL's file; ValueError when it names none."""
    database = make_url(url).database
    if not database or database == ":memory:":
        raise ValueError(f"{url} names no file, as sqlite:///var/northstar.db does")
    return Path(database).absolute()


def opened(path: Path) -> sqlite3.Connection:
    """Return a read-only connection that waits for no lock and begins no transaction itself."""
    uri = f"file:{quote(str(path))}?mode=ro"
    return sqlite3.connect(uri, uri=True, timeout=0, check_same_thread=False, isolation_level=None)


def deferred(engine: Engine) -> Engine:
    """Return the writer's engine for reads: transactions that take no write lock."""
    return engine.execution_options(deferred=True)


@contextmanager
def guarded(engine: Engine, guard: Guard) -> Iterator[Connection]:
    """Open one write transaction in which the guard runs first; commit at the end.

    Threads of one process take turns here: SQLite's own waiting lets one of them starve.
    """
    with _turns.setdefault(engine.pool, Lock()), engine.begin() as connection:
        guard(connection)
        yield connection


def unguarded(_connection: Connection) -> None:
    """Allow every write: for tools that run while no worker does."""


def begin(engine: Engine, revision: str) -> Connection:
    """Open one read transaction on a database at `revision`; NotReady while there is none.

    A SQLite reader meets a lock only while another process recovers or removes the log, so a
    short wait, in steps that let other greenlets run, is enough.
    """
    for _ in range(_TRIES):
        try:
            return _begun(engine, revision)
        except DBAPIError as error:
            _let_pass(error)
        time.sleep(_PAUSE)
    raise NotReady("the database stays locked by another process")


def _begun(engine: Engine, revision: str) -> Connection:
    with ExitStack() as stack:
        connection = stack.enter_context(engine.connect())
        found = connection.exec_driver_sql("select version_num from alembic_version").scalar()
        if found != revision:
            raise NotReady(f"the database is at revision {found}, this version reads {revision}")
        stack.pop_all()
        return connection


def _let_pass(error: DBAPIError) -> None:
    """Return when another try may help; raise NotReady or the error itself otherwise."""
    if is_locked(error):
        return
    primary = _primary(error)
    absent = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_READONLY)
    if primary in absent or getattr(error.orig, "sqlstate", None) == _UNDEFINED_TABLE:
        raise NotReady("the database has no schema yet; the worker makes it") from error
    raise error


def is_locked(error: DBAPIError) -> bool:
    """Whether SQLite gave up waiting for another process's lock."""
    return _primary(error) == sqlite3.SQLITE_BUSY


def _primary(error: DBAPIError) -> int | None:
    code = getattr(error.orig, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def _hook(engine: Engine, pragmas: _Pragmas, *, wal: bool) -> None:
    @event.listens_for(engine, "connect")
    def tune(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        for name, value in pragmas.items():
            connection.execute(f"pragma {name} = {value}")
        if wal:
            _log_ahead(connection)

    @event.listens_for(engine, "begin")
    def begin_as_told(connection: Connection) -> None:
        calm = connection.get_execution_options().get("deferred", False)
        connection.exec_driver_sql("begin" if calm else "begin immediate")


def _log_ahead(connection: sqlite3.Connection) -> None:
    # Asking for WAL again would need the exclusive lock that two starting processes fight for.
    if connection.execute("pragma journal_mode").fetchone()[0] != "wal":
        connection.execute("pragma journal_mode = wal")
