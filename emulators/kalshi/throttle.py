"""A token bucket: so many tokens a second, and no more at once."""

from threading import Lock

REQUEST_COST = 10


class Throttle:
    """Refills by the clock it is told, in microseconds."""

    def __init__(self) -> None:
        """Begin full."""
        self._lock = Lock()
        self._level = float("inf")
        self._time = 0

    def admits(self, now: int, rate: int, cost: int = REQUEST_COST) -> bool:
        """Return whether there were `cost` tokens left, and take them; holds one second's worth."""
        with self._lock:
            refill = max(0, now - self._time) * rate / 1_000_000
            self._level = min(float(rate), self._level + refill)
            self._time = now
            if self._level < cost:
                return False
            self._level -= cost
            return True
