"""Backfill: the whole history of every source once, with its progress in the terminal."""

from collections.abc import Callable
from threading import Event, Thread
from time import monotonic
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from pipeline.cycle import Cycle
from pipeline.fetch import Fetch
from pipeline.progress import Tracker, about
from pipeline.worker import Worker

REFRESH_SECONDS = 0.5
PARTS = 1_000
"""How finely the bar is drawn."""


class Unfinished(RuntimeError):
    """A source did not deliver its whole history; says which one and why."""


def backfill(worker: Worker, console: Console) -> None:
    """Import until every history is whole; Unfinished when a source fails, Busy when owned.

    Each page is durable with its cursor, so another run goes on where this one ended.
    """

    def drive(cycle: Cycle, fetch: Fetch) -> None:
        with Shown(fetch, worker.tracker(fetch), console):
            while not fetch.histories_whole:
                cycle.run()
                _raise_failed(fetch)
            cycle.run()

    worker.own(drive)
    console.print("History is whole.")


def _raise_failed(fetch: Fetch) -> None:
    for name, feed in fetch.feeds.items():
        if feed.health.error and not feed.complete and fetch.idle(name):
            raise Unfinished(f"{name}: {feed.health.error}; run it again to go on from here")


class Shown:
    """A line a source: facts recorded, their rate, the time it took and may still take."""

    def __init__(
        self,
        fetch: Fetch,
        tracker: Tracker,
        console: Console,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Show `fetch` on `console` while the context lasts; `clock` is in seconds."""
        self._fetch = fetch
        self._tracker = tracker
        self._clock = clock
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<10}"),
            TextColumn("{task.fields[done]:>9,} facts"),
            TextColumn("{task.fields[rate]:>8,.0f}/s"),
            BarColumn(bar_width=20),
            TimeElapsedColumn(),
            TextColumn("{task.fields[state]:<9}"),
            TextColumn("{task.fields[left]:<12}"),
            console=console,
        )
        self._ended = Event()
        self._thread = Thread(target=self._follow, name="backfill", daemon=True)

    def __enter__(self) -> Self:
        """Begin to show."""
        self._progress.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Show the final counts and stop."""
        self._ended.set()
        self._thread.join()
        self._progress.stop()

    def _follow(self) -> None:
        tasks = {
            name: self._progress.add_task(name, total=None, done=0, rate=0.0, state="", left="")
            for name in self._fetch.feeds
        }
        while not self._ended.wait(REFRESH_SECONDS):
            self._update(tasks)
        self._update(tasks)

    def _update(self, tasks: dict[str, TaskID]) -> None:
        paces = self._tracker.paces(self._clock())
        for name, task in tasks.items():
            feed = self._fetch.feeds[name]
            pace = paces[name]
            share = pace.share
            self._progress.update(
                task,
                total=None if share is None else PARTS,
                completed=0 if share is None else round(share * PARTS),
                done=pace.done,
                rate=pace.rate,
                state="whole" if feed.complete else "importing",
                left="" if feed.complete else about(pace.left),
            )
