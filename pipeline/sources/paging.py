"""Pages of a list: followed to the end, or a few at a time as a sweep."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.sources.client import Answer, Broken, Declined, Missing


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of one answer, the cursor of the next ("" at the end), when it was received."""

    rows: list[Any]
    next: str
    received: int


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
    return Batch(body[rows], following, answer.received)


def follow(read: Read, first: Batch | None = None) -> Iterator[Batch]:
    """Yield every page from `first` on; Broken when a cursor comes twice."""
    page = first or read("")
    seen = {""}
    yield page
    while page.next:
        if page.next in seen:
            raise Broken("the list's pages go round in a circle", 200)
        seen.add(page.next)
        page = read(page.next)
        yield page


def resume(read: Read, cursor: str) -> Iterator[Batch]:
    """Yield the pages from a remembered cursor on; from the first when it is not known any more."""
    first = None
    if cursor:
        try:
            first = read(cursor)
        except (Broken, Declined, Missing):
            first = None
    yield from follow(read, first)


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

    def done(self, now: int) -> None:
        """Be due again `every` µs from now: the list was just read some other way."""
        self._due = now + self._every

    def batches(
        self, now: int, read: Callable[[int, str], Batch], room: Callable[[], bool]
    ) -> Iterator[Batch]:
        """Yield the next pages while there is `room`; `read` takes (since µs, cursor)."""
        while now >= self._due and room():
            if not self._cursor:
                self._began = now
            cursor, self._cursor = self._cursor, ""  # a failed read starts the sweep over
            since = 0 if self._span is None else self._began - self._span
            page = read(since, cursor)
            if page.next == cursor != "":
                raise Broken("the list's pages go round in a circle", 200)
            yield page
            self._cursor = page.next
            if not page.next:
                self._due = self._began + self._every
