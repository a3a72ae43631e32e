"""A report of Anthropic: the seam each fills, and what a read window comes to."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from ledger import moment
from ledger.facts import Cost
from pipeline.sources.anthropic_rows import nothing
from pipeline.sources.client import Answer, Broken
from pipeline.sources.fields import FieldError, Fields
from pipeline.sources.paging import Batch, batch, follow
from pipeline.sources.source import Deadline
from storage.facts import Page, Reject, Window
from storage.quarantine import refused

NAME = "anthropic"

YEAR = 364 * moment.DAY
"""The oldest start the reports take is 365 days back; one day is left for clocks."""

Deadlines = Callable[[], Deadline]


@dataclass(frozen=True, slots=True)
class Ask:
    """What is wanted of a report: [start, end) in µs as of `now`, each request by a deadline.

    `spoken` is how far the report had spoken before, `begun` the first hour it told any cost of;
    None before there is one.
    """

    start: int
    end: int
    now: int
    deadline: Deadlines
    spoken: int = 0
    begun: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A read window: its page, how far it was told of, the provider's own mark, its first cost."""

    page: Page
    through: int
    refreshed: int | None
    begun: int | None


class Report(Protocol):
    """One cost report: how far back it goes, where it ends, how wide its windows are (all µs).

    `step` is the width of a window of the history, `stride` of one that is read again. Another
    `grouping` than the remembered one makes other lines: then all is read anew.
    """

    mode: ClassVar[str]
    grouping: ClassVar[str]
    step: ClassVar[int]
    stride: ClassVar[int]

    def first(self, now: int) -> int:
        """Return the oldest start the report takes."""
        ...

    def tail(self, now: int) -> int:
        """Return where the past begins: what was never read before it is read by itself."""
        ...

    def newest(self, now: int) -> int:
        """Return where the part begins that every poll reads again, once no past is missing."""
        ...

    def end(self, now: int) -> int:
        """Return the end of the bucket that holds now."""
        ...

    def window(self, ask: Ask) -> Told:
        """Return all of the window as one page that replaces it."""
        ...

    def daily(self, ask: Ask) -> dict[int, int]:
        """Return nano-dollars by the start of each UTC day the report has told completely."""
        ...


@dataclass(slots=True)
class Harvest:
    """What the pages of one window brought."""

    ask: Ask
    mode: str
    width: int
    facts: list[Cost] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    known: dict[object, Cost] = field(default_factory=dict)

    def take(self, facts: Iterable[Cost], rejects: Sequence[Reject] = ()) -> None:
        """Add the rows of one answer; of two amounts for one bucket and group the first stays."""
        for fact in facts:
            known = self.known.setdefault(fact.identity, fact)
            if known is fact:
                self.facts.append(fact)
            elif known.amount != fact.amount:
                reason = "differs from another row of its bucket and group"
                self.rejects.append(refused(NAME, fact, "amount", reason))
        self.rejects += rejects

    def told(self, through: int, refreshed: int | None, heard: int) -> Told:
        """Return it all: it replaces the window through `through`, if every row could be read.

        Buckets that begin before `heard` and have no line are nothing, from the first cost on.
        """
        costs = [cost.start for cost in self.facts if cost.amount]
        begun = min([*costs, *([] if self.ask.begun is None else [self.ask.begun])], default=None)
        silent = () if self.rejects or begun is None else self._silent(begun, heard)
        end = self.ask.start if self.rejects else max(through, self.ask.start)
        window = Window(self.mode, self.ask.start, end, self.ask.spoken)
        facts = (*self.facts, *silent)
        page = Page(NAME, facts, rejects=tuple(self.rejects), window=window)
        return Told(page, through, refreshed, begun)

    def _silent(self, begun: int, heard: int) -> Iterator[Cost]:
        said = {cost.start for cost in self.facts}
        first = max(self.ask.start, moment.floor(begun, self.width))
        for start in range(first, min(heard, self.ask.end), self.width):
            if start not in said:
                yield nothing(self.mode, start, self.width, self.ask.now)


def pages(read: Callable[[str], Answer]) -> Iterator[tuple[Answer, list[object]]]:
    """Yield each answer of a list with its rows; Broken when more is promised and not told where.

    A list cut short would turn what is absent into 0.
    """
    answers: list[Answer] = []

    def one(cursor: str) -> Batch:
        answers.append(read(cursor))
        page = batch(answers[-1], "data", "next_page")
        if answers[-1].body.get("has_more") and not page.next:
            raise Broken("the report has more pages and does not say where", 200)
        return page

    for page in follow(one):
        yield answers.pop(), page.rows


def refreshed(answer: Answer) -> int | None:
    """Return how far the provider's figures reach, None when it does not say; Broken otherwise."""
    stated = Fields(answer.body)
    try:
        return stated.instant("data_refreshed_at") if stated.has("data_refreshed_at") else None
    except FieldError as error:
        raise Broken(f"the answer cannot be used: {error}", 200) from error


def whole(lines: Iterable[Cost], rejects: Sequence[Reject]) -> Iterable[Cost]:
    """Return the lines of a report that is compared; Broken when one of its rows was refused."""
    if rejects:
        raise Broken(f"a row of the report cannot be read: {rejects[0].field}", 200)
    return lines


def grouped(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return the parameters that group a report by these names."""
    return [("group_by[]", name) for name in names]
