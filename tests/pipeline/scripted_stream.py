"""A stream that says what a test tells it to, and a source that has one."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from ledger.facts import Fact, Fill, Mark
from pipeline.sources.source import Deadline, Held
from storage.facts import Page
from tests.pipeline.conftest import Script


@dataclass(frozen=True)
class Report:
    """One market as the exchange reports it."""

    position: int
    fees: int
    settled: bool = False


@dataclass
class Stream:
    """What waits, and what was asked."""

    detail: str = ""
    down_seconds: float = 0.0
    watched: frozenset[str] = frozenset()
    traded: float | None = None
    marked: bool = False
    closed: bool = False
    wake: Callable[[], None] | None = None
    waiting: list[Fact] = field(default_factory=list)
    positions: dict[str, Report] = field(default_factory=dict)
    wanted: bool = False
    heard: list[Fact] = field(default_factory=list)

    def open(self, wake: Callable[[], None]) -> None:
        """Begin."""
        self.wake = wake

    def watch(self, tickers: frozenset[str]) -> None:
        """Remember what is held."""
        self.watched = tickers

    def bring(self, *facts: Fact) -> None:
        """Let facts come in."""
        self.waiting += facts
        if any(isinstance(fact, Fill) for fact in facts):
            self.traded = self.traded or time.monotonic()
        self.marked = True
        assert self.wake
        self.wake()

    def take(self) -> Page | None:
        """Return what waits."""
        self.traded, self.marked = None, False
        facts, self.waiting = tuple(self.waiting), []
        return Page("kalshi", facts) if facts else None

    def pushed(self) -> Mapping[str, Report]:
        """Return the positions that wait."""
        pushed, self.positions = self.positions, {}
        return pushed

    def behind(self) -> bool:
        """Tell once whether a poll should follow."""
        wanted, self.wanted = self.wanted, False
        return wanted

    def found(self, fills: Iterable[Fill], marks: Iterable[Mark]) -> None:
        """Remember what polls found."""
        self.heard += [*fills, *marks]

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


@dataclass
class Streamed(Script):
    """A source with a stream; its polls wait while `gate` is closed, `reread` is remembered."""

    stream: Stream = field(default_factory=Stream)
    gate: Event = field(default_factory=Event)
    polled: int = 0
    positions: Mapping[tuple[int, str], Any] = field(default_factory=dict)
    read_again: list[set[str]] = field(default_factory=list)
    missing: list[Fact] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with the gate open."""
        self.gate.set()

    def poll(self, cursor: Mapping[str, str], held: Held, deadline: Deadline) -> Iterator[Page]:
        """Yield the next tail once the gate is open."""
        self.polled += 1
        assert self.gate.wait(30)
        yield from super().poll(cursor, held, deadline)

    def know(self, *_: object) -> None:
        """Have no positions to list."""

    def recall(self, *_: object) -> None:
        """Need nothing."""

    def reread(self, tickers: Iterable[str], *_: object) -> Iterator[Page]:
        """Remember what was asked; deliver what was missing."""
        self.read_again.append(set(tickers))
        yield Page("kalshi", tuple(self.missing))
