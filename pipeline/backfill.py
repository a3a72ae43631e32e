"""Backfill: the whole history of every source once, with its progress in the terminal."""

from threading import Event, Thread
from typing import Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from pipeline.cycle import Cycle
from pipeline.fetch import Fetch
from pipeline.worker import Worker

REFRESH_SECONDS = 0.2


class Unfinished(RuntimeError):
    """A source did not deliver its whole history; says which one and why."""


def backfill(worker: Worker, console: Console) -> None:
    """Import until every history is whole; Unfinished when a source fails, Busy when owned."""

    def drive(cycle: Cycle, fetch: Fetch) -> None:
        with Shown(fetch, console):
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
    """A line a source: facts recorded, their rate, the time it takes."""

    def __init__(self, fetch: Fetch, console: Console) -> None:
        """Show `fetch` on `console` while the context lasts."""
        self._fetch = fetch
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<10}"),
            TextColumn("{task.completed:>9,.0f} facts"),
            TextColumn("{task.fields[rate]:>8,.0f}/s"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[state]}"),
            console=console,
        )
        self._ended = Event()
        self._thread = Thread(target=self._follow, daemon=True)

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
            name: self._progress.add_task(name, total=None, rate=0.0, state="")
            for name in self._fetch.feeds
        }
        while not self._ended.wait(REFRESH_SECONDS):
            self._update(tasks)
        self._update(tasks)

    def _update(self, tasks: dict[str, TaskID]) -> None:
        for name, task in tasks.items():
            feed = self._fetch.feeds[name]
            state = "whole" if feed.complete else "importing"
            elapsed = self._progress.tasks[task].elapsed or 1.0
            rate = feed.recorded / max(elapsed, REFRESH_SECONDS)
            self._progress.update(task, completed=feed.recorded, state=state, rate=rate)
            if feed.complete:
                self._progress.stop_task(task)
