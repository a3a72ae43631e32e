"""Back-off after a 429: quiet, longer each time, then one request alone until one is answered."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from email.utils import parsedate_to_datetime
from secrets import SystemRandom

from ledger import moment
from pipeline.sources.failure import SourceError, Throttled
from pipeline.sources.source import Deadline, Timepiece

FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0
"""Seconds of quiet when the upstream names none: 1 · 2ⁿ, up to half as long again by chance."""
LONGEST_ASKED = 3_600.0


class Backoff:
    """What all requests to one upstream share once it has answered 429.

    `streak` is how many 429 came since the last answer. They are counted over all requests and
    polls, so that a storm costs one request a poll, not one for each list of it.
    """

    def __init__(self, timepiece: Timepiece) -> None:
        """Begin with nothing to wait for."""
        self._timepiece = timepiece
        self._random = SystemRandom()
        self._lock = threading.Lock()
        self._alone = threading.Lock()
        self._until = 0.0
        self.streak = 0

    @contextmanager
    def turn(self, named: str, deadline: Deadline) -> Iterator[None]:
        """Hold one request until it may go; Throttled when that is beyond the deadline."""
        alone = self._lined_up(named, deadline)
        try:
            yield
        except Throttled as throttled:
            throttled.wait = self._throttled(throttled.wait)
            raise
        except SourceError as error:
            self.streak = 0 if error.status else self.streak
            raise
        else:
            self.streak = 0
        finally:
            if alone:
                self._alone.release()

    def _lined_up(self, named: str, deadline: Deadline) -> bool:
        """Wait for the quiet to end; return whether this request goes alone."""
        self._wait(named, deadline)
        if not self.streak:
            return False
        if not self._alone.acquire(timeout=deadline.remaining()):
            raise self._later(named)
        try:
            self._wait(named, deadline)
        except Throttled:
            self._alone.release()
            raise
        alone = self.streak > 0
        if not alone:
            self._alone.release()
        return alone

    def _wait(self, named: str, deadline: Deadline) -> None:
        while (quiet := self._until - self._timepiece.monotonic()) > 0:
            if quiet >= deadline.remaining():
                raise self._later(named)
            self._timepiece.sleep(quiet)

    def _later(self, named: str) -> Throttled:
        quiet = max(0.0, self._until - self._timepiece.monotonic())
        return Throttled(f"{named} waits {quiet:.0f} s more after a 429", 429, wait=quiet)

    def _throttled(self, asked: float | None) -> float:
        """Note a 429; return the seconds until the next request."""
        with self._lock:
            wait = _growing(self.streak) * self._random.uniform(1.0, 1.5)
            wait = wait if asked is None or asked < FIRST_WAIT else asked
            self.streak += 1
            self._until = max(self._until, self._timepiece.monotonic() + wait)
            return self._until - self._timepiece.monotonic()


def retry_after(header: str, now: int) -> float | None:
    """Return the seconds a Retry-After header asks for; None when absent or absurd."""
    if header.strip().isdecimal():
        wait = float(header)
    else:
        at = date(header)
        wait = -1.0 if at is None else (at - now) / moment.MICROS
    return wait if 0 <= wait <= LONGEST_ASKED else None


def date(header: str) -> int | None:
    """Return the instant of an HTTP date, µs; None when it is none."""
    try:
        parsed = parsedate_to_datetime(header)
    except (TypeError, ValueError):
        return None
    return moment.of(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))


def _growing(streak: int) -> float:
    return min(FIRST_WAIT * (1 << min(streak, 16)), LONGEST_WAIT)
