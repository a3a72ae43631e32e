"""What the stream brought and storage does not have yet: bounded, taken as one page."""

import threading
from collections.abc import Callable

from ledger.facts import Fact, Fill, Mark
from pipeline.sources.kalshi_pages import NAME
from pipeline.sources.kalshi_rows import Report
from storage.facts import Page, Reject

MOST = 10_000
"""Rows that may wait; beyond it the stream is given up and REST reads what it would have said."""


class Full(RuntimeError):
    """More waits than may; the rows that came last are left out."""


class Arrivals:
    """Rows put in by the stream's thread and taken by whoever records them."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Hold nothing."""
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._fills: list[Fill] = []
        self._marks: dict[str, Mark] = {}
        self._rejects: list[Reject] = []
        self._reports: dict[str, Report] = {}
        self._traded: float | None = None
        self._marked = False

    @property
    def traded(self) -> float | None:
        """When, monotonic, the oldest fill that waits came in; None without one."""
        return self._traded

    @property
    def marked(self) -> bool:
        """Whether anything else waits."""
        return self._marked

    def fill(self, fill: Fill) -> None:
        """Let a fill wait; Full when it finds no room."""
        with self._lock:
            self._make_sure()
            self._fills.append(fill)
            self._traded = self._monotonic() if self._traded is None else self._traded

    def mark(self, mark: Mark) -> None:
        """Let a market's newest quote wait: of those that nobody has taken, the last one counts."""
        with self._lock:
            self._marks[mark.ticker] = mark
            self._marked = True

    def refuse(self, reject: Reject) -> None:
        """Let a row that cannot be read wait to be quarantined; Full when it finds no room."""
        with self._lock:
            self._make_sure()
            self._rejects.append(reject)
            self._marked = True

    def push(self, report: Report) -> None:
        """Let the newest position of a market wait."""
        with self._lock:
            self._reports[report.ticker] = report

    def pushed(self) -> dict[str, Report]:
        """Return the positions that wait, by market."""
        with self._lock:
            reports, self._reports = self._reports, {}
        return reports

    def take(self) -> Page | None:
        """Return everything that waits, None when nothing does."""
        with self._lock:
            facts: tuple[Fact, ...] = (*self._fills, *self._marks.values())
            self._fills, self._marks = [], {}
            rejects, self._rejects = tuple(self._rejects), []
            self._traded, self._marked = None, False
        return Page(NAME, facts, rejects=rejects) if facts or rejects else None

    def _make_sure(self) -> None:
        if len(self._fills) + len(self._rejects) >= MOST:
            raise Full(f"{MOST} messages wait to be recorded")
