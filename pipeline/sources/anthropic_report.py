"""A cost report of Anthropic: the seam both fill, and what a read window comes to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from ledger import moment
from ledger.facts import Cost
from pipeline.sources.source import Deadline
from storage.facts import Page, Reject, Window

NAME = "anthropic"
VERSION = {"anthropic-version": "2023-06-01"}

YEAR = 364 * moment.DAY
"""The oldest start both reports take is 365 days back; one day is left for clocks."""

Deadlines = Callable[[], Deadline]


class Report(Protocol):
    """One report: how far back it goes, where it ends, how wide its windows are (all µs).

    `step` is the width of a window of the history, `stride` of one that is read again.
    """

    mode: ClassVar[str]
    step: ClassVar[int]
    stride: ClassVar[int]

    def first(self, now: int) -> int:
        """Return the oldest start the report takes."""
        ...

    def tail(self, now: int) -> int:
        """Return where the part begins that every poll reads again."""
        ...

    def end(self, now: int) -> int:
        """Return the end of the bucket that holds now."""
        ...

    def window(self, start: int, end: int, now: int, deadline: Deadlines) -> Page:
        """Return all of [start, end) as one page that replaces the window."""
        ...


@dataclass(slots=True)
class Harvest:
    """What the pages of one window brought; `spoken` are the ends the report has spoken to."""

    facts: list[Cost] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    spoken: list[int] = field(default_factory=list)

    def take(self, facts: Sequence[Cost], rejects: Sequence[Reject]) -> None:
        """Add the rows of one answer."""
        self.facts += facts
        self.rejects += rejects

    def page(self, mode: str, start: int, end: int) -> Page:
        """Return it all; it replaces [start, end) only when every row of it could be read."""
        window = Window(mode, start, end) if end > start and not self.rejects else None
        spoken = {"data_refreshed_at": str(max(self.spoken))} if self.spoken else {}
        cursor: Mapping[str, str] = {"mode": mode, **spoken}
        return Page(NAME, tuple(self.facts), (), cursor, tuple(self.rejects), window)


def query_text(instant: int) -> str:
    """Return an instant as both reports take it, to the second."""
    return moment.aware(instant).strftime("%Y-%m-%dT%H:%M:%SZ")
