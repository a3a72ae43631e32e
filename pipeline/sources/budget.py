"""A local token bucket, so that the upstream's own never runs dry."""

import threading
from collections import deque
from collections.abc import Mapping

from pipeline.sources.source import Deadline, Timepiece

HEADROOM = 0.8
"""The share of an account's limits that is ours: other programs draw on the same bucket."""
LEAST = 0.02
CLEAN = 12
GROWTH = 1.1
"""After so many answers without a 429, how much more of its limits a budget has with each."""

SEEN_SECONDS = 5.0
"""Over how long the rate of answers is taken: at that one, at least, the upstream does answer."""


class Budget:
    """Tokens that refill by the second; each request takes its cost of them.

    `rate` is tokens per second, `capacity` how many can be saved up, both as the upstream
    grants them; `cost` is that of a request without a price of its own.
    """

    def __init__(self, rate: float, capacity: float, cost: float, timepiece: Timepiece) -> None:
        """Begin with a full bucket."""
        self._granted = rate, capacity
        self._cost = cost
        self._prices: Mapping[str, float] = {}
        self._share = HEADROOM
        self._timepiece = timepiece
        self._lock = threading.Lock()
        self._tokens = self._capacity
        self._seen = timepiece.monotonic()
        self._answers: deque[float] = deque()
        self._clean = 0

    def grant(self, rate: float, capacity: float) -> None:
        """Take over the account's own limits."""
        with self._lock:
            self._level()
            self._granted = rate, capacity
            self._level()

    def price(self, cost: float, prices: Mapping[str, float]) -> None:
        """Take over what a request costs; `prices` by path, `{…}` stands for any one segment."""
        self._cost, self._prices = cost, prices

    def cost(self, path: str) -> float:
        """Return the tokens one GET of a path takes."""
        exact = self._prices.get(path)
        if exact is not None:
            return exact
        alike = (cost for pattern, cost in self._prices.items() if _matches(pattern, path))
        return next(alike, self._cost)

    def take(self, deadline: Deadline, path: str = "") -> bool:
        """Take one request's tokens, waiting for them; False when the deadline is nearer."""
        cost = self.cost(path)
        with self._lock:
            wait = (cost - self._level()) / self._rate
            if wait > deadline.remaining():
                return False
            self._tokens -= cost
        if wait > 0:
            self._timepiece.sleep(wait)
        return True

    def spare(self) -> bool:
        """Tell whether a quarter of the bucket is there, for work that can wait."""
        with self._lock:
            return self._level() >= self._capacity / 4

    def dry(self, *, first: bool) -> None:
        """Note a 429: nothing is left, and of its limits we take half, once a storm.

        A rate that is answered is kept all the same: a 429 may be an accident.
        """
        with self._lock:
            self._tokens = min(self._level(), 0.0)
            self._clean = 0
            if first:
                answered = self._cost * len(self._recent()) / SEEN_SECONDS / self._granted[0]
                self._share = max(LEAST, self._share / 2, min(self._share, answered))

    def answered(self) -> None:
        """Give back a part of what 429 took, once the storm is over."""
        with self._lock:
            self._level()
            self._recent().append(self._seen)
            self._clean += 1
            if self._clean > CLEAN:
                self._share = min(HEADROOM, self._share * GROWTH)

    def _recent(self) -> deque[float]:
        while self._answers and self._seen - self._answers[0] > SEEN_SECONDS:
            self._answers.popleft()
        return self._answers

    @property
    def _rate(self) -> float:
        return self._granted[0] * self._share

    @property
    def _capacity(self) -> float:
        return self._granted[1] * self._share

    def _level(self) -> float:
        now = self._timepiece.monotonic()
        self._tokens = min(self._capacity, self._tokens + (now - self._seen) * self._rate)
        self._seen = now
        return self._tokens


def _matches(pattern: str, path: str) -> bool:
    wanted, given = pattern.split("/"), path.split("/")
    return len(wanted) == len(given) and all(
        one == other or one.startswith(("{", ":")) for one, other in zip(wanted, given, strict=True)
    )
