"""Live: what a source's stream brings, recorded at once; what it asks of the polls."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, runtime_checkable

from ledger.book import Book
from ledger.facts import Fill, Mark
from pipeline.drift import Report, astray
from pipeline.feed import Feed
from storage.facts import Page

GRACE_SECONDS = 2.0
"""How long a pushed position may differ from the book: its fill may be on the way."""


class Stream(Protocol):
    """An upstream's push channel: it gathers in a thread of its own, others record."""

    @property
    def detail(self) -> str:
        """Return why there is no stream, "" while there is."""
        ...

    @property
    def down_seconds(self) -> float:
        """Return for how long there has been no stream, 0.0 while there is."""
        ...

    @property
    def traded(self) -> float | None:
        """When, monotonic, the oldest fill that waits came in; None without one."""
        ...

    @property
    def marked(self) -> bool:
        """Whether anything else waits."""
        ...

    def open(self, wake: Callable[[], None]) -> None:
        """Begin; `wake` is called when something should be done at once."""
        ...

    def watch(self, tickers: frozenset[str]) -> None:
        """Ask for the quotes of these markets, and of no others."""
        ...

    def take(self) -> Page | None:
        """Return what came since the last call, None when nothing did."""
        ...

    def pushed(self) -> Mapping[str, Report]:
        """Return the positions pushed since the last call, the newest of each market."""
        ...

    def behind(self) -> bool:
        """Tell once whether a poll should follow."""
        ...

    def found(self, fills: Iterable[Fill], marks: Iterable[Mark]) -> None:
        """Hear what polls found that was new: the stream should tell the same."""
        ...

    def close(self) -> None:
        """End."""
        ...


@runtime_checkable
class Streaming(Protocol):
    """A source that has a stream beside its polls; None where it is switched off."""

    stream: Stream | None


class Live:
    """One stream and the feed its rows belong to."""

    def __init__(
        self,
        feed: Feed,
        stream: Stream,
        wake: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Record through `feed`; `wake` whoever turns facts into snapshots."""
        self._monotonic = monotonic
        self._feed = feed
        self._wake = wake
        self._opened = False
        self._pushed: dict[str, Report] = {}
        self._since: dict[str, float] = {}
        self.stream = stream
        feed.found = lambda recorded: stream.found(recorded.fills, recorded.marks)

    @property
    def name(self) -> str:
        """The source's name."""
        return self._feed.name

    def tend(self) -> bool:
        """Open the stream once the history is whole; tell whether a poll should follow."""
        if not self._opened and self._feed.complete:
            self._opened = True
            self.stream.open(self._wake)
        return self.stream.behind()

    def record(self) -> None:
        """Make what the stream brought durable."""
        page = self.stream.take()
        if page is not None:
            self._feed.push(page)

    def astray(self, book: Book) -> set[str]:
        """Return the markets whose pushed position is not the book's, each push told once."""
        now = self._monotonic()
        pushed = self.stream.pushed()
        self._since |= dict.fromkeys(pushed, now)
        self._pushed |= pushed
        differing = astray(self._pushed, book)
        late = {name for name in differing if now - self._since[name] >= GRACE_SECONDS}
        self._pushed = {name: self._pushed[name] for name in differing - late}
        self._since = {name: self._since[name] for name in self._pushed}
        return late


def lives(feeds: Iterable[Feed], wake: Callable[[], None]) -> list[Live]:
    """Return the streams of the sources that have one."""
    return [
        Live(feed, feed.source.stream, wake)
        for feed in feeds
        if isinstance(feed.source, Streaming) and feed.source.stream is not None
    ]
