"""Anthropic: billed AI cost, hourly from analytics, else daily from the legacy report."""

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from ledger import moment
from pipeline.sources.anthropic_analytics import Analytics
from pipeline.sources.anthropic_legacy import Legacy
from pipeline.sources.anthropic_report import NAME, Report
from pipeline.sources.client import Client, Missing, Refused, TimedOut
from pipeline.sources.credentials import Token
from pipeline.sources.source import Deadline, Held, Timepiece
from storage.facts import Page

TRAILING = 31 * moment.DAY
PAGE_SECONDS = 75.0
"""A page of the history waits out one Retry-After of a minute."""
RESERVE_SECONDS = 1.0
AGAIN = 10
"""Windows read again in one poll: with the tail under the 60 requests a minute of an account."""

NOT_OURS = {403, 404}
REPORTS = {"auto", "analytics", "legacy"}


class Anthropic:
    """One organization, read with an admin key.

    `cost_source` is auto, analytics or legacy, anything else reads nothing; auto remembers in
    the cursor (`mode`) which report the key may read. `data_refreshed_at` (µs) is how far the
    report has spoken.
    """

    name = NAME

    def __init__(
        self,
        url: str,
        key: str,
        *,
        cost_source: str = "auto",
        cadence: float = 60.0,
        timepiece: Timepiece | None = None,
    ) -> None:
        """Read `url`, the root without /v1."""
        self.cadence = cadence
        self.detail = ""
        self._cost_source = cost_source
        self._timepiece = timepiece or Timepiece()
        self._client = Client(url, Token("x-api-key", key), self._timepiece)
        self._analytics = Analytics(self._client)
        self._legacy = Legacy(self._client)
        self._again: deque[tuple[int, int]] = deque()
        self._due = 0

    def history(self, cursor: Mapping[str, str]) -> Iterator[Page]:
        """Yield the last year, oldest window first."""
        if cursor.get("complete") == "1":
            return
        if self._cost_source not in REPORTS:
            yield Page(NAME, cursor={"complete": "1"})
            return
        now = self._timepiece.now()
        report = self._chosen(cursor, now, self._page_deadline())
        start, end = max(int(cursor.get("history_at") or 0), report.first(now)), report.end(now)
        while start < end:
            until = min(start + report.step, end)
            page = report.window(start, until, now, self._page_deadline)
            reached = {"complete": "1"} if until == end else {"history_at": str(until)}
            yield replace(page, cursor={**page.cursor, **reached})
            start = until
        self._due = now + moment.HOUR

    def poll(self, cursor: Mapping[str, str], held: Held, deadline: Deadline) -> Iterator[Page]:
        """Yield the trailing days, and each hour the trailing 31 days a few windows at a time."""
        if self._cost_source not in REPORTS:
            return
        report = self._chosen(cursor, held.now, deadline)
        tail, end = report.tail(held.now), report.end(held.now)
        yield report.window(tail, end, held.now, lambda: deadline)
        if held.now >= self._due:
            self._due = held.now + moment.HOUR
            self._again = deque(_windows(tail, report.stride))
        with suppress(TimedOut):
            yield from self._read_again(report, held.now, deadline)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def _read_again(self, report: Report, now: int, deadline: Deadline) -> Iterator[Page]:
        for _ in range(min(AGAIN, len(self._again))):
            if deadline.remaining() < RESERVE_SECONDS:
                return
            start, end = self._again[0]
            yield report.window(start, end, now, lambda: deadline)
            self._again.popleft()

    def _chosen(self, cursor: Mapping[str, str], now: int, deadline: Deadline) -> Report:
        """Return the report to read; without setting or memory, what the key may."""
        mode = cursor.get("mode", "") if self._cost_source == "auto" else self._cost_source
        reason = ""
        if not mode:
            mode, reason = self._probed(now, deadline)
        if mode == self._analytics.mode:
            self.detail = ""
            return self._analytics
        self.detail = self.detail or f"legacy cost report, by the day{reason}"
        return self._legacy

    def _probed(self, now: int, deadline: Deadline) -> tuple[str, str]:
        try:
            self._analytics.probe(now, deadline)
        except (Refused, Missing) as error:
            if error.status not in NOT_OURS:
                raise
            return self._legacy.mode, f": analytics answered {error.status}"
        return self._analytics.mode, ""

    def _page_deadline(self) -> Deadline:
        return Deadline.after(PAGE_SECONDS, self._timepiece.monotonic)


def _windows(tail: int, stride: int) -> Iterator[tuple[int, int]]:
    """Yield the windows from the tail's start back over the trailing 31 days, newest first."""
    for end in range(tail, tail - TRAILING, -stride):
        yield end - stride, end
