"""The bell: whether the database may have changed since the last look."""

from pathlib import Path

import pytest

from storage import engine, schema
from storage.bell import CHANNEL, Bell
from tests.storage.databases import Database
from tests.storage.processes import RedisServer, eventually


@pytest.fixture
def bell(db: Database) -> Bell:
    """Return a bell that has been looked at once."""
    bell = Bell(db.url)
    assert bell.changed()
    return bell


def test_it_rings_once_for_each_commit(db: Database, bell: Bell) -> None:
    assert not bell.changed()
    db.append()
    assert [bell.changed(), bell.changed()] == [True, False]
    db.append()
    db.append()
    assert [bell.changed(), bell.changed()] == [True, False]
    bell.close()


def test_it_stays_silent_for_what_is_not_committed(db: Database, bell: Bell) -> None:
    with pytest.raises(ZeroDivisionError), engine.guarded(db.engine, db.lease.guard):
        raise ZeroDivisionError
    assert not bell.changed()
    bell.close()


def test_it_waits_for_a_database_that_is_not_there_yet(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/late.db"
    bell = Bell(url)
    assert [bell.changed(), bell.changed()] == [False, False]
    made = engine.writer(url)
    schema.upgrade(made)
    assert [bell.changed(), bell.changed()] == [True, False]
    made.dispose()
    bell.close()


def test_it_can_be_asked_again_after_it_was_closed(bell: Bell) -> None:
    bell.close()
    assert bell.changed()
    bell.close()


def test_without_redis_ringing_is_left_to_the_database(bell: Bell) -> None:
    bell.ring(1)
    assert not bell.changed()
    bell.close()


def test_redis_carries_a_hint(db: Database, redis_server: RedisServer) -> None:
    worker, web = Bell(db.url, redis_server.url), Bell(db.url, redis_server.url)
    web.changed()
    worker.ring(1)
    eventually(web.changed)
    assert not web.changed()
    worker.close()
    web.close()


def test_a_hint_that_is_lost_costs_nothing_but_time(
    db: Database, redis_server: RedisServer
) -> None:
    now = [0.0]
    bell = Bell(db.url, redis_server.url, lambda: now[0])
    bell.changed()
    redis_server.kill()
    bell.ring(1)
    assert not bell.changed()
    db.append()
    assert bell.changed()
    redis_server.start()
    now[0] += 2
    assert not bell.changed()
    other = Bell(db.url, redis_server.url)
    other.ring(2)
    eventually(bell.changed)
    other.close()
    bell.close()


def test_the_channel_is_named_as_ours() -> None:
    assert CHANNEL == "northstar:bell"
