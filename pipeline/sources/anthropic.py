"""Anthropic: AI cost as billed, by the hour or day, and what usage says is not billed yet."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from ledger import moment
from pipeline.sources import anthropic_prices, anthropic_progress
from pipeline.sources.anthropic_analytics import Analytics
from pipeline.sources.anthropic_csv import CsvCosts
from pipeline.sources.anthropic_estimates import Estimator
from pipeline.sources.anthropic_legacy import Legacy
from pipeline.sources.anthropic_organization import NOT_OURS, Organization
from pipeline.sources.anthropic_progress import Memory, Rounds, Span
from pipeline.sources.anthropic_report import NAME, Ask, Deadlines, Report
from pipeline.sources.anthropic_watch import Watch
from pipeline.sources.breaker import Breaker, counted
from pipeline.sources.client import Client, Missing, Refused, SourceError, TimedOut
from pipeline.sources.credentials import Token
from pipeline.sources.source import Deadline, Held, Timepiece
from storage.facts import Page

PAGE_SECONDS = 75.0
"""A page of the history waits out one Retry-After of a minute."""
RESERVE_SECONDS = 1.0
PROBE = 6 * moment.HOUR
"""How often a key that may not read analytics is tried again."""
NAMES = 6 * moment.HOUR

REPORTS = {"auto", "analytics", "legacy"}


class Anthropic:
    """One organization, read with an admin key, or files of its costs.

    `cost_source` is auto, analytics, legacy or csv, anything else reads nothing; auto remembers
    in the cursor (`mode`) which report the key may read, and tries again what it may not.
    `data_refreshed_at` (µs) is how far the bill reaches. `csv_path` is a file or a folder of
    files, `reload` returns the key as it stands now.
    """

    name = NAME

    def __init__(  # noqa: PLR0913 (each is a setting of its own)
        self,
        url: str,
        key: str,
        *,
        cost_source: str = "auto",
        cadence: float = 60.0,
        timepiece: Timepiece | None = None,
        csv_path: str = "",
        reload: Callable[[], str | None] | None = None,
    ) -> None:
        """Read `url`, the root without /v1."""
        self.cadence = cadence
        self._cost_source = cost_source
        self._timepiece = timepiece or Timepiece()
        self._client = Client(url, Token("x-api-key", key, reload=reload), self._timepiece)
        self._organization = Organization(self._client, self._timepiece)
        self._analytics = Analytics(self._organization)
        self._watch = Watch(self._analytics)
        self._legacy = Legacy(self._organization)
        self._estimator = Estimator(self._organization, anthropic_prices.shipped())
        self._csv = CsvCosts(Path(csv_path))
        self._rounds = Rounds()
        self._reason = ""
        self._introduced = False
        self._probe_at = 0

    @property
    def breaker(self) -> Breaker:
        """Return the breaker of its requests."""
        return self._client.signed

    @property
    def detail(self) -> str:
        """Return which report is read for which reason, and what is not in the total."""
        return "; ".join(filter(None, (self._reason, self._estimator.note, self._watch.note)))

    @counted
    def history(self, cursor: Mapping[str, str]) -> Iterator[Page]:
        """Yield the last year, oldest window first, and the estimates after it."""
        if cursor.get("complete") == "1":
            return
        memory = Memory(dict(cursor))
        if self._cost_source in REPORTS:
            yield from self._history(memory)
        elif self._cost_source == "csv":
            page = self._csv.page(cursor, self._timepiece.now()) or Page(NAME)
            yield memory.dressed(page, {"complete": "1"})
        else:
            yield Page(NAME, cursor={"complete": "1"})

    @counted
    def poll(self, cursor: Mapping[str, str], held: Held, deadline: Deadline) -> Iterator[Page]:
        """Yield the newest days, what changed in the past, and some of the windows that are due."""
        if self._cost_source == "csv":
            page = self._csv.page(cursor, held.now) if self._csv.changed(cursor) else None
            yield from [page] if page else []
        elif self._cost_source in REPORTS:
            yield from self._poll(Memory(dict(cursor)), held.now, deadline)

    def daily(self, start: int, end: int, deadline: Deadline) -> dict[int, int]:
        """Return nano-dollars billed by the start of each UTC day of [start, end), to reconcile.

        From the report's own days, which are never booked; a day it has not told completely is
        absent, as is every day of a file. Raises SourceError.
        """
        if self._cost_source not in REPORTS:
            return {}
        now = self._timepiece.now()
        report = self._chosen(Memory({}), now, deadline)
        days: dict[int, int] = {}
        for first in range(max(start, report.first(now)), end, 31 * moment.DAY):
            until = min(first + 31 * moment.DAY, end)
            days |= report.daily(Ask(first, until, now, lambda: deadline))
        return days

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def _history(self, memory: Memory) -> Iterator[Page]:
        now = self._timepiece.now()
        report = self._greeted(memory, now, self._page_deadline())
        start, end = anthropic_progress.through(memory, report, now), report.end(now)
        while start < end:
            until = min(start + report.step, end)
            yield from self._window(report, memory, (start, until), now, self._page_deadline)
            start = until
        self._rounds.done(now)
        memory.note(complete="1", swept_at=str(now))
        estimates = self._estimator.newest(report, memory, now, self._page_deadline)
        yield memory.dressed(estimates or Page(NAME), {})

    def _poll(self, memory: Memory, now: int, deadline: Deadline) -> Iterator[Page]:
        try:
            report = self._greeted(memory, now, deadline)
            yield from self._newest(report, memory, now, deadline)
        except Refused:
            # Whoever holds another key by then is asked anew who it is and what it may.
            self._introduced, self._probe_at = False, 0
            raise
        with suppress(TimedOut):
            yield from self._names(memory, now, deadline)
            yield from self._rest(memory, now, deadline)

    def _newest(
        self, report: Report, memory: Memory, now: int, deadline: Deadline
    ) -> Iterator[Page]:
        def read(report: Report) -> Page:
            whole = anthropic_progress.through(memory, report, now) >= report.tail(now)
            start = report.newest(now) if whole else report.tail(now)
            span = start, report.end(now)
            return anthropic_progress.read(report, memory, span, now, lambda: deadline)

        try:
            page = read(report)
        except (Refused, Missing) as error:
            if not self._lost(report, error):
                raise
            report = self._given_up(error, now)
            page = read(report)
        yield page
        estimates = self._estimator.newest(report, memory, now, lambda: deadline)
        if estimates:
            yield memory.dressed(estimates, {})

    def _rest(self, memory: Memory, now: int, deadline: Deadline) -> Iterator[Page]:
        report = self._by_mode(memory.cursor["mode"])

        def one(span: Span) -> Iterator[Page]:
            if deadline.remaining() < RESERVE_SECONDS:
                raise TimedOut("the poll's time is used: the rest is read with the next")
            yield from self._window(report, memory, span, now, lambda: deadline)

        if report is self._analytics:
            yield from self._watch.run(memory, now, lambda: deadline, one)
        yield from self._rounds.run(report, memory, now, one)

    def _window(
        self, report: Report, memory: Memory, span: Span, now: int, deadlines: Deadlines
    ) -> Iterator[Page]:
        """Yield a window's bill, and the usage it is spread by where it is by the day."""
        yield anthropic_progress.read(report, memory, span, now, deadlines)
        if report is self._legacy:
            for page in self._estimator.weights(span, now, deadlines):
                yield memory.dressed(page, {})

    def _names(self, memory: Memory, now: int, deadline: Deadline) -> Iterator[Page]:
        """Yield what ids are called, every six hours; without it ids are shown, so no failure."""
        if now < (memory.instant("names_at") or 0) + NAMES:
            return
        self._estimator.again()
        with suppress(SourceError):
            names = self._organization.names(deadline)
            yield memory.dressed(Page(NAME, names=names), {"names_at": str(now)})

    def _greeted(self, memory: Memory, now: int, deadline: Deadline) -> Report:
        """Return the report to read, once the key has said whose it is; Refused for another's."""
        if not self._introduced:
            mine, known = self._organization.identity(deadline), memory.cursor.get("organization")
            if mine and known and mine != known:
                raise Refused(
                    f"this key is of organization {mine}, the costs here are of {known}: "
                    "use its key or another DATABASE_URL"
                )
            if mine:
                memory.note(organization=mine)
            self._introduced = True
        return self._chosen(memory, now, deadline)

    def _chosen(self, memory: Memory, now: int, deadline: Deadline) -> Report:
        """Return the report to read; in auto what the key may, as far as is known by now."""
        mode = memory.cursor.get("mode", "") if self._cost_source == "auto" else self._cost_source
        if mode == self._analytics.mode:
            self._reason = ""
        elif self._cost_source != "auto":
            self._reason = "legacy cost report, by the day"
        elif now >= self._probe_at:
            return self._probed(mode, now, deadline)
        return self._by_mode(mode)

    def _probed(self, mode: str, now: int, deadline: Deadline) -> Report:
        """Return what the key may; once it is known to be legacy, any other failure can wait."""
        try:
            self._analytics.probe(now, deadline)
        except SourceError as error:
            if not mode and error.status not in NOT_OURS:
                raise
            return self._given_up(error, now)
        self._reason = ""
        return self._analytics

    def _lost(self, report: Report, error: SourceError) -> bool:
        auto = self._cost_source == "auto" and report is self._analytics
        return auto and error.status in NOT_OURS

    def _given_up(self, error: SourceError, now: int) -> Report:
        self._probe_at, self._watch.note = now + PROBE, ""
        said = f"answered {error.status}" if error.status else "did not answer"
        self._reason = f"legacy cost report, by the day: analytics {said}"
        return self._legacy

    def _by_mode(self, mode: str) -> Report:
        return self._analytics if mode == self._analytics.mode else self._legacy

    def _page_deadline(self) -> Deadline:
        return Deadline.after(PAGE_SECONDS, self._timepiece.monotonic)
