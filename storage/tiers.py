"""Tiers: a cache beside the database, in process or in Redis; a failure is only a miss."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from cachelib.serializers import BaseSerializer
from flask import Flask
from flask_caching import Cache
from flask_caching.backends import RedisCache
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

import telemetry
from storage.errors import NotExact
from storage.text import decode, encode

HOT = "pnl:current"
"""The newest document: {epoch, seq, as_of, text}."""

HOT_SECONDS = 30
PREFIX = "northstar:"

_PAUSE = 1.0
_LOG_EVERY = 60.0
_ITEMS = 500
_PATIENCE = 0.25

_log = logging.getLogger(__name__)


class Json(BaseSerializer):
    """Exact JSON, never pickle: who can write to Redis must not run code here."""

    def dumps(self, value: Any, protocol: int = 0) -> bytes:  # noqa: ANN401 - any JSON value
        """Return the value's text."""
        del protocol
        return encode(value)

    def loads(self, bvalue: bytes | None) -> Any:  # noqa: ANN401 - any JSON value
        """Return the value; None when there is no text, or none of ours."""
        try:
            return None if bvalue is None else decode(bvalue)
        except NotExact:
            return None


class Tiers:
    """get, set and delete by key; nothing raises but a value that has no exact JSON."""

    def __init__(
        self, redis_url: str | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Keep values in Redis when its URL is given, else in this process."""
        self._client = client(redis_url) if redis_url else None
        self._cache = _bound(self._client)
        self._clock = clock
        # Nobody waits for a turn, a miss is cheaper: the locks inside the clients, once gevent
        # patched them, may lose a wake-up between threads.
        self._turn = threading.Lock()
        self._resume = 0.0
        self._quiet = 0.0
        self.failures = 0
        """Calls that Redis failed."""

    def get(self, key: str) -> Any:  # noqa: ANN401 - any JSON value
        """Return the value kept, None without one."""
        failures = self.failures
        value = self._tried(lambda: self._cache.get(key))
        missed = "miss" if self.failures == failures else "error"
        telemetry.TIER_READS.labels("hot", "hit" if value is not None else missed).inc()
        return value

    def set(self, key: str, value: Any, seconds: int) -> None:  # noqa: ANN401 - any JSON value
        """Keep a JSON value for some seconds; NotExact when it is none."""
        self._tried(lambda: self._cache.set(key, value, timeout=seconds))

    def delete(self, key: str) -> None:
        """Forget a value."""
        self._tried(lambda: self._cache.delete(key))

    def publish(self, epoch: str, seq: int, as_of: int, text: bytes) -> None:
        """Keep the newest document where readers look before they read the database."""
        head = {"epoch": epoch, "seq": seq, "as_of": as_of, "text": text.decode()}
        self.set(HOT, head, HOT_SECONDS)

    def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            self._client.close()

    def _tried(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the call returns
        if self._clock() < self._resume or not self._turn.acquire(blocking=False):
            return None
        try:
            return call()
        except (RedisError, OSError) as error:
            self._failed(error)
            return None
        finally:
            self._turn.release()

    def _failed(self, error: Exception) -> None:
        # A hung server costs a quarter second a call: leave it alone for a moment.
        now = self._clock()
        self._resume = now + _PAUSE
        self.failures += 1
        if now >= self._quiet:
            self._quiet = now + _LOG_EVERY
            _log.warning("redis fails, the database answers alone: %s", error)


def _bound(redis: Redis | None) -> Cache:
    """Return a Flask-Caching object on a Flask object of its own, so no request is needed."""
    place: dict[str, Any] = {"CACHE_TYPE": "SimpleCache", "CACHE_THRESHOLD": _ITEMS}
    if redis is not None:
        place = {"CACHE_TYPE": f"{__name__}.shared", "CACHE_ARGS": [redis]}
    kept = {"CACHE_SERIALIZER": Json, "CACHE_KEY_PREFIX": PREFIX}
    return Cache(Flask(__name__), with_jinja2_ext=False, config=place | kept)


def client(redis_url: str) -> Redis:
    """Return a Redis client that tries once and waits a quarter second at most."""
    return Redis.from_url(
        redis_url,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=_PATIENCE,
        socket_connect_timeout=_PATIENCE,
    )


def shared(
    app: Flask, config: dict[str, Any], args: list[Any], options: dict[str, Any]
) -> RedisCache:
    """Build Flask-Caching's Redis backend on a client of ours; named by CACHE_TYPE."""
    del app
    return RedisCache(host=args[0], key_prefix=config["CACHE_KEY_PREFIX"], **options)
