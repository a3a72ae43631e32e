"""A local token bucket, so that the upstream's own never runs dry."""

import threading

from pipeline.sources.source import Deadline, Timepiece


class Budget:
    """Tokens that refill by the second; each request takes `cost` of them.

    `rate` is tokens per second, `capacity` how many can be saved up.
    """

    def __init__(self, rate: float, capacity: float, cost: float, timepiece: Timepiece) -> None:
        """Begin with a full bucket."""
        self._rate = rate
        self._capacity = capacity
        self._cost = cost
        self._timepiece = timepiece
        self._lock = threading.Lock()
        self._tokens = capacity
        self._seen = timepiece.monotonic()

    def take(self, deadline: Deadline) -> bool:
        """Take one request's tokens, waiting for them; False when the deadline is nearer."""
        with self._lock:
            wait = (self._cost - self._level()) / self._rate
            if wait > deadline.remaining():
                return False
            self._tokens -= self._cost
        if wait > 0:
            self._timepiece.sleep(wait)
        return True

    def spare(self) -> bool:
        """Tell whether at least half of the bucket is there, for work that can wait."""
        with self._lock:
            return self._level() >= self._capacity / 2

    def _level(self) -> float:
        now = self._timepiece.monotonic()
        self._tokens = min(self._capacity, self._tokens + (now - self._seen) * self._rate)
        self._seen = now
        return self._tokens
