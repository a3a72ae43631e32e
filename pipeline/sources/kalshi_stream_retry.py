"""How long to wait before the stream is opened again, after what ended it."""

from secrets import SystemRandom

from pipeline.sources.kalshi_stream_socket import Rejected
from pipeline.sources.kalshi_stream_subscriptions import Unsubscribed

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds: doubled at each failure in a row, up to half of it less by chance."""

REFUSED_WAIT, REFUSED_LONG_WAIT = 60.0, 600.0
"""After a refusal that will hardly change soon: at first, and once it has stood for a while."""

REFUSED_SECONDS = 600.0
"""How long a refusal is taken for one that may pass."""

HEALTHY_SECONDS = 30.0
"""A connection that lasted this long was no failure."""

UNKNOWN = frozenset({401, 403})
"""Refusals of who asks: another key or another clock may change them at any time."""


class Retry:
    """Failures in a row, and the wait each of them earns."""

    def __init__(self) -> None:
        """Have seen no failure."""
        self._random = SystemRandom()
        self._failures = 0
        self._refused: float | None = None

    def after(self, error: Exception, began: float, now: float) -> float:
        """Return the seconds to wait after a connection that began and ended, monotonic."""
        if not _refused(error):
            self._refused = None
            return self._lost(now - began)
        self._refused = now if self._refused is None else self._refused
        stands = now - self._refused >= REFUSED_SECONDS and not unknown(error)
        return self._shortened(REFUSED_LONG_WAIT if stands else REFUSED_WAIT, 0.9)

    def _lost(self, lasted: float) -> float:
        self._failures = 0 if lasted >= HEALTHY_SECONDS else self._failures
        wait = min(FIRST_WAIT * 2**self._failures, LONGEST_WAIT)
        self._failures = min(self._failures + 1, 16)
        return self._shortened(wait, 0.5)

    def _shortened(self, wait: float, least: float) -> float:
        return wait * self._random.uniform(least, 1.0)


def unknown(error: Exception) -> bool:
    """Return whether it was refused for who asks, not for what is asked."""
    return isinstance(error, Rejected) and error.status in UNKNOWN


def _refused(error: Exception) -> bool:
    """Return whether the same would be answered again soon."""
    if isinstance(error, Unsubscribed):
        return error.forbidden
    status = error.status if isinstance(error, Rejected) else 0
    return 300 <= status < 500 and status != 429  # noqa: PLR2004 (HTTP's own classes)
