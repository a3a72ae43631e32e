"""The watch: every hour each source is compared, beside the ticks and never in their way."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

import structlog

from ledger.moment import Clock
from pipeline.feed import Feed
from pipeline.reconcile.run import Reconciler
from pipeline.sources.failure import SourceError
from storage.facts import Facts
from storage.lease import LeaseLost
from storage.reconciliation import Reconciliations

FIRST_SECONDS = 90.0
EVERY_SECONDS = 3_600.0
PAUSE_SECONDS = 0.25
"""Between two pages: a thousand rows, a twentieth of what the budget gives in that time."""

CLOSE_SECONDS = 1.0
"""How long a page that is being read may hold up the end."""

log = structlog.get_logger()


class Ended(Exception):
    """The worker ends, and the run with it."""


@dataclass(frozen=True, slots=True)
class Hours:
    """When to compare: seconds until the first time, and between two."""

    first: float = FIRST_SECONDS
    every: float = EVERY_SECONDS


HOURLY = Hours()


@contextmanager
def watched(
    feeds: Iterable[Feed],
    facts: Facts,
    kept: Reconciliations,
    clock: Clock,
    hours: Hours = HOURLY,
) -> Iterator[None]:
    """Compare each source whose history is whole while the context lasts.

    A source that fails is compared the next time; a lost lease ends the watch, as it ends the
    worker.
    """
    ending = Event()
    watch = Watch(list(feeds), facts, kept, clock, ending)
    thread = Thread(target=watch.run, args=(hours,), name="reconcile", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(CLOSE_SECONDS)


class Watch:
    """One thread that compares source after source."""

    def __init__(
        self, feeds: list[Feed], facts: Facts, kept: Reconciliations, clock: Clock, ending: Event
    ) -> None:
        """Compare until `ending` is set."""
        self._feeds = feeds
        self._kept = kept
        self._ending = ending
        self._reconciler = Reconciler(facts, kept, clock, self._pause)

    def run(self, hours: Hours) -> None:
        """Compare until the end, or until the lease is lost."""
        wait = hours.first
        while not self._ending.wait(wait):
            wait = hours.every
            try:
                self.compare()
            except (Ended, LeaseLost):
                return

    def compare(self) -> None:
        """Compare every source whose history is whole, and keep what was found."""
        for feed in self._feeds:
            if not feed.complete:
                continue
            try:
                run = self._reconciler.run(feed.source)
            except SourceError as error:
                log.warning("not reconciled", source=feed.name, error=str(error))
                continue
            if run is not None:
                self._kept.keep(run)
                log.info("reconciled", source=feed.name, differences=len(run.open))

    def _pause(self) -> None:
        if self._ending.wait(PAUSE_SECONDS):
            raise Ended
