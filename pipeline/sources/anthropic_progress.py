"""How far each report was read, and which windows are read again: three days an hour, 31 a day."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ledger import moment
from pipeline.sources import anthropic_days
from pipeline.sources.anthropic_report import NAME, Ask, Deadlines, Report
from pipeline.sources.anthropic_rows import ANALYTICS
from storage.facts import Page

RECENT = 3 * moment.DAY
TRAILING = 31 * moment.DAY
AGAIN = 3
"""Windows read again in one poll: with the tail well under the 60 requests a minute it may make."""

Span = tuple[int, int]


@dataclass(slots=True)
class Memory:
    """A cursor as it stands while a poll goes on; `news` goes along with the next page."""

    cursor: dict[str, str]
    news: dict[str, str] = field(default_factory=dict)

    def instant(self, name: str) -> int | None:
        """Return a remembered instant, µs, or None."""
        text = self.cursor.get(name)
        return int(text) if text else None

    @property
    def refreshed(self) -> int | None:
        """How far the bill reaches."""
        return self.instant("data_refreshed_at")

    def note(self, **news: str) -> None:
        """Remember something with the next page."""
        self.cursor |= news
        self.news |= news

    def dressed(self, page: Page, cursor: Mapping[str, str]) -> Page:
        """Return the page with what is to be remembered."""
        self.cursor |= cursor
        news, self.news = self.news, {}
        return replace(page, cursor={**page.cursor, **news, **cursor})


def through(memory: Memory, report: Report, now: int) -> int:
    """Return how far a report was read without a gap; its beginning after another grouping."""
    reached = memory.instant(f"{report.mode}_through")
    same = memory.cursor.get(f"{report.mode}_group") == report.grouping
    first = report.first(now)
    return max(reached, first) if same and reached is not None else first


def read(report: Report, memory: Memory, span: Span, now: int, deadlines: Deadlines) -> Page:
    """Return a window as a page that remembers how far the report is read now."""
    begun = memory.instant(f"{report.mode}_from")
    start, end = span
    told = report.window(Ask(start, end, now, deadlines, memory.refreshed or 0, begun))
    if outdated(report, memory, told.refreshed, end):
        return memory.dressed(Page(NAME), {})
    reached = through(memory, report, now)
    reached = max(reached, told.through) if start <= reached else reached
    cursor = {
        "mode": report.mode,
        f"{report.mode}_through": str(reached),
        f"{report.mode}_group": report.grouping,
    }
    if told.begun is not None:
        cursor[f"{report.mode}_from"] = str(told.begun)
    # Only the newest window says how far the bill reaches; one read again ends in the past.
    newest = end >= report.end(now) or memory.refreshed is None
    if told.refreshed is not None and newest:
        cursor["data_refreshed_at"] = str(min(told.refreshed, now))
    if report.mode == ANALYTICS:
        cursor |= _days(report, memory, told.page, span, now)
    return memory.dressed(told.page, cursor)


def outdated(report: Report, memory: Memory, refreshed: int | None, end: int) -> bool:
    """Tell whether analytics know less than they said before: an old answer takes nothing back."""
    known = memory.refreshed if memory.cursor.get("mode") == report.mode == ANALYTICS else None
    return refreshed is not None and known is not None and refreshed < min(known, end)


def _days(report: Report, memory: Memory, page: Page, span: Span, now: int) -> dict[str, str]:
    """Return what to remember of the days read: those of the tail anew, of others the first.

    A later sum of an older day is left to the watch, which knows the total it belongs to.
    """
    start, end = span
    tail, whole = report.tail(now), end if end >= report.end(now) else moment.floor(end, moment.DAY)
    found = anthropic_days.summed(page, max(start, tail - TRAILING), whole)
    known = anthropic_days.remembered(memory.cursor)
    fresh = {day: nano for day, nano in found.items() if day >= tail or day not in known}
    text = anthropic_days.text(known | fresh, tail - TRAILING)
    return {} if text == memory.cursor.get(anthropic_days.KEY) else {anthropic_days.KEY: text}


class Rounds:
    """The windows that wait: first what was never read, then what is read again."""

    def __init__(self) -> None:
        """Be due at once."""
        self._due = 0
        self._mode = ""
        self._sweeping = False
        self._windows: deque[Span] = deque()

    def done(self, now: int) -> None:
        """Be due again in an hour: everything was just read."""
        self._due = now + moment.HOUR

    def run(
        self, report: Report, memory: Memory, now: int, one: Callable[[Span], Iterator[Page]]
    ) -> Iterator[Page]:
        """Yield the pages of the next few windows, each read by `one`."""
        self._refill(report, memory, now)
        for _ in range(AGAIN):
            missing = _gap(report, memory, now)
            if missing is not None:
                yield from one(missing)
            elif self._windows:
                if self._sweeping and len(self._windows) == 1:
                    memory.note(swept_at=str(now))
                yield from one(self._windows[0])
                self._windows.popleft()

    def _refill(self, report: Report, memory: Memory, now: int) -> None:
        if report.mode != self._mode:
            self._mode, self._due = report.mode, 0 if self._mode else self._due
            self._windows.clear()
        if now < self._due or self._windows:
            return
        self._due = now + moment.HOUR
        self._sweeping = (memory.instant("swept_at") or 0) <= now - moment.DAY
        span = TRAILING if self._sweeping else RECENT
        tail, stride = report.tail(now), report.stride
        self._windows = deque((end - stride, end) for end in range(tail, tail - span, -stride))


def _gap(report: Report, memory: Memory, now: int) -> Span | None:
    """Return the next window before the tail that was never read, though the bill reaches there."""
    start = through(memory, report, now)
    end = min(report.tail(now), memory.refreshed or 0)
    return (start, min(start + report.step, report.tail(now))) if start < end else None
