"""The time of a case: it stands, and is moved by hand or by whoever sleeps."""

import time
from dataclasses import dataclass

from ledger.moment import MICROS, parse
from pipeline.sources.source import Timepiece

NOON = parse("2026-11-20T12:00:00Z")


@dataclass
class Clock:
    """µs UTC, and a monotonic clock that runs as ever plus what was skipped."""

    now: int = NOON
    skipped: float = 0.0

    def __call__(self) -> int:
        """Return now."""
        return self.now

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic() + self.skipped

    def skip(self, seconds: float) -> None:
        """Let time pass at once."""
        self.skipped += seconds
        self.now += round(seconds * MICROS)

    def sleep(self, seconds: float) -> None:
        """Let a source have slept: the wall's clock, which all of them share, stands."""
        self.skipped += seconds

    def timepiece(self) -> Timepiece:
        """Return what a source tells the time by."""
        return Timepiece(self, self.monotonic, self.sleep)
