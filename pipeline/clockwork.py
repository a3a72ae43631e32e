"""The clockwork: turns ticks, trades and marks into snapshots, each as soon as it is due."""

import time
from collections.abc import Callable
from threading import Event

import telemetry
from pipeline.cycle import Cycle
from pipeline.pace import Pace

LOOK_SECONDS = 0.05
"""How often it looks around by itself; a trade wakes it at once."""


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
