"""The trailing month by the day, compared each poll: a day that differs is read again at once."""

from collections import deque
from collections.abc import Callable, Iterator

from ledger import moment
from pipeline.sources import anthropic_days
from pipeline.sources.anthropic_analytics import Analytics
from pipeline.sources.anthropic_progress import TRAILING, Memory, Span, outdated, through
from pipeline.sources.anthropic_report import Ask, Deadlines
from pipeline.sources.client import Broken, Declined, Missing
from storage.facts import Page

APART = 10 * moment.MICROS
"""Totals are asked no sooner than this after the last: a poll may come each second."""

A_MINUTE = 20
"""Days read again in a minute: with all else a poll asks, under the 60 requests it may make."""

TRIES = 3
"""How often a day is read whose hours do not come to its total, before that is taken as said."""


class Watch:
    """The report's own totals of days against what was read of them.

    A day that is unknown differs, unless it is still to be read for the first time. Days that
    every poll reads by the hour are left out.
    """

    def __init__(self, report: Analytics) -> None:
        """Be due at once."""
        self._report = report
        self._asked: int | None = None
        self._totals: dict[int, int] = {}
        self._tried: dict[tuple[int, int], int] = {}
        self._read: deque[int] = deque()
        self.note = ""

    def run(
        self, memory: Memory, now: int, deadlines: Deadlines, one: Callable[[Span], Iterator[Page]]
    ) -> Iterator[Page]:
        """Yield the pages, each made by `one`, of the days that differ, newest first."""
        if self._asked is None or not 0 <= now - self._asked < APART:
            self._ask(memory, now, deadlines)
        for day in self._differing(memory, now):
            if not self._may(now):
                return
            for page in one((day, day + moment.DAY)):
                self._settle(memory, day, page, now)
                yield memory.dressed(page, {})

    def _ask(self, memory: Memory, now: int, deadlines: Deadlines) -> None:
        end = self._report.tail(now)
        start = max(self._report.first(now), end - TRAILING)
        try:
            totals, refreshed = self._report.totals(Ask(start, end, now, deadlines))
        except (Broken, Declined, Missing) as error:
            self._asked, self._totals = now, {}
            self.note = f"the last 31 days are not compared each poll: {error}"
            return
        self._asked, self.note = now, ""
        self._totals = {} if outdated(self._report, memory, refreshed, end) else totals

    def _differing(self, memory: Memory, now: int) -> list[int]:
        known = anthropic_days.remembered(memory.cursor)
        reached = through(memory, self._report, now)
        differing = (
            day
            for day, nano in self._totals.items()
            if known.get(day) != nano and (day in known or day < reached)
        )
        return sorted(differing, reverse=True)

    def _may(self, now: int) -> bool:
        """Tell whether another day may be read in this minute, and count it."""
        while self._read and not now - moment.MINUTE < self._read[0] <= now:
            self._read.popleft()
        if len(self._read) >= A_MINUTE:
            return False
        self._read.append(now)
        return True

    def _settle(self, memory: Memory, day: int, page: Page, now: int) -> None:
        """Remember the total of a day just read; until its hours come to it, it is read again.

        Hours may be told later than the day, so that a total alone is no proof. Finer bills are
        rounded by the line, and hours that never come to the day's total are believed in the end.
        """
        total = self._totals.pop(day)
        if page.window is None:
            return
        found = anthropic_days.summed(page, day, day + moment.DAY)[day]
        tries = self._tried.get((day, total), 0) + 1
        agreed = abs(found - total) <= len(page.facts) or tries >= TRIES
        self._tried = {key: count for key, count in self._tried.items() if key[0] != day}
        if not agreed:
            self._tried[day, total] = tries
        days = anthropic_days.remembered(memory.cursor)
        days[day] = total if agreed else found
        since = self._report.tail(now) - TRAILING
        memory.note(**{anthropic_days.KEY: anthropic_days.text(days, since)})
