"""A database as a worker leaves it, a real Redis, and other processes that write."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage import engine, schema
from tests.storage.databases import Database, database
from tests.storage.processes import Process, RedisServer, Start, end, run


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database file with the schema and nothing else, to be copied."""
    file = tmp_path_factory.mktemp("empty") / "northstar.db"
    made = engine.writer(f"sqlite:///{file}")
    schema.upgrade(made)
    # The last connection to go writes the log back into the file.
    made.dispose()
    return file


@pytest.fixture
def fresh(empty: Path, tmp_path: Path) -> Iterator[Callable[[], Database]]:
    """Return what makes a new database at each call."""
    made: list[Database] = []

    def make() -> Database:
        file = tmp_path / f"{len(made)}.db"
        shutil.copy(empty, file)
        made.append(database(file))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def db(fresh: Callable[[], Database]) -> Database:
    """Return one new database."""
    return fresh()


@pytest.fixture
def start() -> Iterator[Start]:
    """Return what runs Python code in another process."""
    begun: list[Process] = []

    def begin(code: str, *arguments: str) -> Process:
        begun.append(run(code, *arguments))
        return begun[-1]

    yield begin
    for process in begun:
        end(process)


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """Return a running Redis of our own; REQUIRE_ALL=1 fails where it cannot be had."""
    binary = shutil.which("redis-server")
    if binary is None:
        missing = "redis-server is not on PATH"
        if os.environ.get("REQUIRE_ALL") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    server = RedisServer(binary, tmp_path)
    server.start()
    yield server
    server.kill()
