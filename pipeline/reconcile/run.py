"""Runs: one source compared once, whichever kind it is."""

from collections.abc import Iterator, Mapping
from typing import Protocol, runtime_checkable

from ledger.facts import Deal
from ledger.moment import DAY, Clock, floor
from pipeline.reconcile import costs, deals, exchange, window
from pipeline.reconcile.exchange import Outcome, Pause, Stated
from pipeline.sources.source import Deadline, Source
from storage.facts import Facts, Page
from storage.reconciliation import Reconciliations, Run

READ_SECONDS = 300.0
"""How long the bill or the list of deals may take."""

YEAR = 364 * DAY


@runtime_checkable
class Daily(Protocol):
    """A source of costs that tells its bill by the day."""

    def daily(self, start: int, end: int, deadline: Deadline) -> Mapping[int, int]:
        """Return nano-dollars by the start of each UTC day it has told completely."""
        ...


@runtime_checkable
class Listed(Protocol):
    """A source of deals that tells them all."""

    def listing(self, deadline: Deadline) -> Iterator[Page]:
        """Yield every deal there is."""
        ...


class Reconciler:
    """Compares sources with the facts of one database; reading is always allowed."""

    def __init__(
        self, facts: Facts, kept: Reconciliations, clock: Clock, pause: Pause = lambda: None
    ) -> None:
        """Compare as of `clock`; `kept` holds the run before, `pause` waits between pages."""
        self._facts = facts
        self._kept = kept
        self._clock = clock
        self._pause = pause

    def run(self, source: Source) -> Run | None:
        """Compare a source once; None when it has nothing to compare with. Raises SourceError."""
        now = self._clock()
        outcome = self._outcome(source, now)
        if outcome is None:
            return None
        before = self._kept.standing(source.name, now - window.APART)
        found = window.settled(outcome.differences, outcome.horizon, before)
        rows = "1 row" if outcome.unread == 1 else f"{outcome.unread} rows"
        detail = f"{rows} could not be read" if outcome.unread else ""
        return Run(source.name, now, outcome.checked, tuple(found), detail)

    def _outcome(self, source: Source, now: int) -> Outcome | None:
        if isinstance(source, Stated):
            known = self._kept.fills
            return exchange.compared(source.statement, self._facts, known, now, self._pause)
        if isinstance(source, Daily):
            return self._costs(source, now)
        return self._deals(source, source.name, now) if isinstance(source, Listed) else None

    def _costs(self, source: Daily, now: int) -> Outcome:
        today = floor(now, DAY)
        theirs = source.daily(today - YEAR, today + DAY, Deadline.after(READ_SECONDS))
        first = min(theirs, default=today)
        ours = costs.by_day(self._facts.cost_totals(since=first), now)
        if not theirs:
            return Outcome(0, [], now)
        return Outcome(len(theirs), costs.differences(ours, theirs), window.horizon(now, None))

    def _deals(self, source: Listed, name: str, now: int) -> Outcome:
        read, told = self._facts.cursor(name).get("as_of"), None
        theirs: list[Deal] = []
        unread = 0
        for page in source.listing(Deadline.after(READ_SECONDS)):
            theirs += [fact for fact in page.facts if isinstance(fact, Deal)]
            unread += len(page.rejects)
            # The first page is the oldest, and what changed since may stand on it.
            told = told or page.cursor.get("data_refreshed_at")
            self._pause()
        ours = [deal for deal in self._facts.deals() if deal.source == name]
        found = list(deals.differences(ours, theirs))
        horizon = window.horizon(now, int(told) if told else None, int(read) if read else None)
        return Outcome(len(theirs), found, horizon, unread)
