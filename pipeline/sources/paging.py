"""Pages of a list: followed to the end, or a few at a time as a sweep."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.sources.client import (
    Answer,
    Broken,
    Declined,
    Missing,
    Resting,
    Throttled,
    TimedOut,
    Unreachable,
)

EMPTY_PAGES = 20
"""Empty pages in a row that still lead on: a filter may leave some, an end is no longer near."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of one answer, the cursor of the next ("" at the end), when it was received.

    `clock` is the later of our clock and the upstream's at that moment, µs.
    """

    rows: list[Any]
    next: str
    received: int
    clock: int = 0


Read = Callable[[str], Batch]
"""Read the page a cursor names; "" is the first."""


def batch(answer: Answer, rows: str, cursor: str) -> Batch:
    """Return the members `rows` and `cursor` of an answer; Broken when it has another shape."""
    body = answer.body
    if not isinstance(body, dict) or not isinstance(body.get(rows), list):
        raise Broken(f"the answer has no list «{rows}»", 200)
    following = body.get(cursor) or ""
    if not isinstance(following, str):
        raise Broken(f"the answer's «{cursor}» is no text", 200)
    return Batch(body[rows], following, answer.received, max(answer.received, answer.sent))


class Trail:
    """Where a list's pages have led so far; Broken once they lead nowhere.

    A list that shifts while it is paged repeats rows, which does no harm. A page that leads on
    but brings not one row that was not there already is the same page again.
    """

    def __init__(self, cursor: str = "") -> None:
        """Begin at the page a cursor names."""
        self._cursors = {"", cursor}
        self._rows: set[int] = set()
        self._empty = 0

    def passed(self, page: Batch) -> None:
        """Take note of a page; Broken when it goes back, stands still or brings nothing on."""
        if not page.next:
            return
        if page.next in self._cursors:
            raise Broken("the list's pages go round in a circle", 200)
        self._cursors.add(page.next)
        self._empty = 0 if page.rows else self._empty + 1
        if self._empty > EMPTY_PAGES:
            raise Broken(f"the list has {self._empty} empty pages in a row and goes on", 200)
        rows = {hash(repr(row)) for row in page.rows}
        if rows and rows <= self._rows:
            raise Broken("the list repeats a page", 200)
        self._rows |= rows


def follow(read: Read, first: Batch | None = None) -> Iterator[Batch]:
    """Yield every page from `first` on; Broken when they do not lead to an end."""
    trail = Trail()
    page = first or read("")
    while True:
        trail.passed(page)
        yield page
        if not page.next:
            return
        page = read(page.next)


def resume(read: Read, cursor: str) -> Iterator[Batch]:
    """Yield the pages from a remembered cursor on; from the first when it is not known any more.

    An upstream that takes an unknown cursor for none answers the first page: nothing is lost.
    """
    first = None
    if cursor:
        try:
            first = read(cursor)
        except (Broken, Declined, Missing):
            first = None
    yield from follow(read, first)


class Tail:
    """The newest part of a list, read until what is known; goes on where a poll broke off.

    `reached` is how far the list is read once `batches` has ended: what its reader named of the
    pages that belong together, not of a first page that was read anew meanwhile.
    """

    def __init__(self) -> None:
        """Begin at the newest row."""
        self._since: int | None = None
        self._cursor = ""
        self._anew = False
        self.reached = 0

    @property
    def midway(self) -> bool:
        """Whether the last poll ran out of time with pages left to read."""
        return bool(self._cursor)

    def batches(self, since: int, read: Read) -> Iterator[Batch]:
        """Yield the newest page, then those that lead back to `since`."""
        if since != self._since:
            self._since, self._cursor = since, ""
        onward, self._cursor = self._cursor, ""
        self._anew = bool(onward)
        self.reached = self.reached if onward else 0
        page, trail = read(""), Trail(onward)
        while True:
            if not self._anew:
                trail.passed(page)
            yield page
            onward, self._anew = (onward if self._anew else page.next), False
            if not onward:
                return
            page = self._read(read, onward)

    def note(self, instant: int) -> None:
        """Say how new a row of the page just yielded is."""
        if not self._anew:
            self.reached = max(self.reached, instant)

    def _read(self, read: Read, cursor: str) -> Batch:
        try:
            return read(cursor)
        except (TimedOut, Throttled, Resting, Unreachable):
            self._cursor = cursor
            raise


class Sweep:
    """A list that is read again every `every` µs, back to `span` µs ago or to its beginning.

    A sweep goes on where the last poll left it, so a long list never costs a poll its deadline.
    """

    def __init__(self, every: int, span: int | None) -> None:
        """Be due at once."""
        self._every = every
        self._span = span
        self._due = 0
        self._began = 0
        self._cursor = ""
        self._trail = Trail()

    def done(self, now: int) -> None:
        """Be due again `every` µs from now: the list was just read some other way."""
        self._due = now + self._every

    def rest(self, until: int) -> None:
        """Be due no sooner than `until`."""
        self._due = max(self._due, until)

    def due(self, now: int) -> bool:
        """Whether there is something to read."""
        return now >= self._due

    @property
    def midway(self) -> bool:
        """Whether pages of a sweep that began are still to be read."""
        return bool(self._cursor)

    def batches(
        self, now: int, read: Callable[[int, str], Batch], room: Callable[[], bool]
    ) -> Iterator[Batch]:
        """Yield the next pages while there is `room`; `read` takes (since µs, cursor)."""
        while self.due(now) and room():
            if not self._cursor:
                self._began, self._trail = now, Trail()
            page = self._read(read)
            self._trail.passed(page)
            yield page
            self._cursor = page.next
            if not page.next:
                self._due = self._began + self._every

    def _read(self, read: Callable[[int, str], Batch]) -> Batch:
        """Read the page the sweep stands at; what it cannot go on from starts it over."""
        cursor, self._cursor = self._cursor, ""
        since = 0 if self._span is None else self._began - self._span
        try:
            return read(since, cursor)
        except (TimedOut, Throttled, Resting, Unreachable):
            self._cursor = cursor
            raise
