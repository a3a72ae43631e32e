"""How long to wait before the stream is opened again."""

from secrets import SystemRandom

FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0
"""Seconds: doubled at each failure in a row, up to half of it less by chance."""

REFUSED_WAIT = 600.0
"""Where it was refused, asking again soon helps nothing."""

HEALTHY_SECONDS = 30.0
"""A connection that lasted this long was no failure."""


class Retry:
    """Failures in a row, and the wait each of them earns."""

    def __init__(self) -> None:
        """Have seen no failure."""
        self._random = SystemRandom()
        self._failures = 0

    def lost(self, lasted: float) -> float:
        """Return the seconds to wait after a connection that lasted some seconds."""
        self._failures = 0 if lasted >= HEALTHY_SECONDS else self._failures
        wait = min(FIRST_WAIT * 2**self._failures, LONGEST_WAIT)
        self._failures = min(self._failures + 1, 16)
        return self._jittered(wait)

    def refused(self) -> float:
        """Return the seconds to wait after a refusal."""
        return self._jittered(REFUSED_WAIT)

    def _jittered(self, wait: float) -> float:
        return wait * self._random.uniform(0.5, 1.0)
