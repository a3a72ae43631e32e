"""The seam every source fills: its history, its tail, its deadline."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ledger import moment
from storage.facts import Page


@dataclass(frozen=True, slots=True)
class Timepiece:
    """The clocks and the sleep of a source; a test or a stopping worker passes its own.

    `now` is microseconds UTC, `monotonic` and `sleep` are seconds.
    """

    now: moment.Clock = moment.system
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep


@dataclass(frozen=True, slots=True)
class Deadline:
    """A monotonic instant by which work ends, however slowly bytes drip in."""

    at: float
    monotonic: Callable[[], float] = time.monotonic

    @classmethod
    def after(cls, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> "Deadline":
        """Return the deadline `seconds` from now."""
        return cls(monotonic() + seconds, monotonic)

    def remaining(self) -> float:
        """Return the seconds left, 0.0 once passed."""
        return max(0.0, self.at - self.monotonic())

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return self.remaining() <= 0


@dataclass(frozen=True, slots=True)
class Held:
    """What the pipeline knows when it polls: markets with an open position, and now (µs)."""

    tickers: frozenset[str] = field(default_factory=frozenset)
    now: int = field(default_factory=moment.system)


class Source(Protocol):
    """One upstream, read page by page; whoever reads a page records it before the next.

    `name` is the key of its cursor, `cadence` the seconds between polls. `history` and `poll`
    raise client.SourceError, after what they could yield.
    """

    name: str
    cadence: float

    @property
    def detail(self) -> str:
        """Return what the source's status should say beside, "" mostly."""
        ...

    def history(self, cursor: Mapping[str, str]) -> Iterator[Page]:
        """Yield the whole history; resumable from `cursor`, complete once it says "1"."""
        ...

    def poll(self, cursor: Mapping[str, str], held: Held, deadline: Deadline) -> Iterator[Page]:
        """Yield the tail: what is new and the re-reads that are due, by the deadline."""
        ...

    def close(self) -> None:
        """Let go of connections and threads."""
        ...
