"""Tiers: a cache beside the database; a failure is only a miss."""

import logging
import pickle
from dataclasses import dataclass
from decimal import Decimal

import pytest
from redis import Redis

from storage.errors import NotExact
from storage.tiers import HOT, Tiers
from tests.storage.processes import RedisServer, free_port

VALUE = {"net_pnl": Decimal("-0.1"), "seq": 7, "text": "«»", "list": [None, True]}


@dataclass
class Clock:
    """A monotonic clock that moves when told."""

    now: float = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.mark.parametrize("place", ["process", "redis"])
def test_what_is_set_is_got_until_it_is_deleted(place: str, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue("redis_server") if place == "redis" else None
    tiers = Tiers(server.url if server else None)
    assert tiers.get("a") is None
    tiers.set("a", VALUE, 30)
    got = tiers.get("a")
    assert got == VALUE
    assert type(got["net_pnl"]) is Decimal
    tiers.delete("a")
    assert tiers.get("a") is None
    tiers.close()


@pytest.mark.parametrize("value", [float("nan"), object()])
def test_what_has_no_exact_json_is_refused(value: object) -> None:
    with pytest.raises(NotExact):
        Tiers().set("a", value, 30)


def test_redis_holds_json_under_our_prefix_and_forgets_it_in_time(
    redis_server: RedisServer,
) -> None:
    tiers = Tiers(redis_server.url)
    tiers.publish("e", 7, 5, b'{"seq":7}')
    with Redis.from_url(redis_server.url) as client:
        kept = client.get(f"northstar:{HOT}")
        assert kept == b'{"epoch":"e","seq":7,"as_of":5,"text":"{\\"seq\\":7}"}'
        assert 0 < client.ttl(f"northstar:{HOT}") <= 30
    tiers.close()


def test_a_pickle_in_redis_is_never_read(redis_server: RedisServer) -> None:
    tiers = Tiers(redis_server.url)
    with Redis.from_url(redis_server.url) as client:
        client.set("northstar:a", pickle.dumps({"a": 1}))
        client.set("northstar:b", b"!" + pickle.dumps({"a": 1}))
    assert [tiers.get("a"), tiers.get("b"), tiers.failures] == [None, None, 0]
    tiers.close()


def test_a_dead_redis_is_a_miss_counted_and_told_once_a_minute(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    tiers = Tiers(redis_server.url, clock)
    tiers.set("a", 1, 30)
    redis_server.kill()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert tiers.get("a") is None
            tiers.set("a", 2, 30)
            tiers.delete("a")
            clock.now += 2
    assert tiers.failures == 3, "one a pause, not one a call"
    assert len(caplog.records) == 1
    clock.now += 60
    tiers.get("a")
    assert len(caplog.records) == 2
    tiers.close()


def test_a_redis_that_comes_back_is_used_again(redis_server: RedisServer) -> None:
    clock = Clock()
    tiers = Tiers(redis_server.url, clock)
    redis_server.kill()
    assert tiers.get("a") is None
    redis_server.start()
    tiers.set("a", 1, 30)
    assert tiers.get("a") is None, "left alone for a moment"
    clock.now += 2
    tiers.set("a", 1, 30)
    assert tiers.get("a") == 1
    tiers.close()


def test_a_redis_that_never_was_is_only_a_miss() -> None:
    tiers = Tiers(f"redis://127.0.0.1:{free_port()}/0")
    tiers.set("a", 1, 30)
    assert (tiers.get("a"), tiers.failures) == (None, 1)
    tiers.close()
