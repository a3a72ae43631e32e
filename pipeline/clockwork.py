"""The clockwork: turns ticks, trades and marks into snapshots, each as soon as it is due."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event

import telemetry
from pipeline.cycle import Cycle
from pipeline.pace import Pace

LOOK_SECONDS = 0.05
"""How often it looks around by itself; a trade wakes it at once."""

SWITCH_SECONDS = 0.0005
"""How long a thread that computes may hold the interpreter while another wants it.

Each wait for the database gives it away, and a poll that parses a large answer would keep it for
ten times as long at each: dozens of times between a trade and its snapshot.
"""


class Clockwork:
    """One thread's loop over a cycle: nothing in it waits for a source."""

    def __init__(self, cycle: Cycle, pace: Pace) -> None:
        """Drive `cycle`, taking snapshots at the `pace`."""
        self._cycle = cycle
        self._pace = pace
        self._ticked = Event()
        self._began: float | None = None

    def tick(self) -> None:
        """Ask for the polls that are due and a snapshot after them; from any thread."""
        self._ticked.set()
        self._cycle.news.set()

    def run(self, ended: Callable[[], bool]) -> None:
        """Go on until `ended`; what is no source's fault is raised."""
        with _shared():
            while not ended():
                self.step()
                self._cycle.news.wait(self._rest())
                self._cycle.news.clear()

    def step(self) -> None:
        """Do what is due now."""
        if self._cycle.tend():
            self._ticked.set()
        waiting = self._cycle.waiting()
        if self._pace.due(waiting):
            self._fetched(answered=waiting.answered)
            self._pace.taken(waiting)
            self._cycle.commit()
        if self._ticked.is_set():
            self._ticked.clear()
            self._began = time.monotonic()
            self._cycle.begin()
            self._pace.tick()

    def _rest(self) -> float:
        return min(LOOK_SECONDS, self._pace.left(self._cycle.waiting()))

    def _fetched(self, *, answered: bool) -> None:
        """Note how long the sources took, once a tick."""
        if self._began is not None and answered:
            telemetry.STAGE_SECONDS.labels("fetch").observe(time.monotonic() - self._began)
            self._began = None


@contextmanager
def _shared() -> Iterator[None]:
    """Let the threads of this process take turns more often."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
