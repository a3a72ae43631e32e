"""Drift: where the exchange's own positions differ from the book, its fills are read again."""

from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Protocol, runtime_checkable

import structlog

from ledger.book import Book, Position
from ledger.facts import Market
from ledger.moment import MINUTE, Clock
from pipeline.feed import Feed
from pipeline.sources.source import Deadline
from storage.facts import Page

Gap = tuple[int, int]
"""A count in 1/100 contracts, and fees in nano-dollars."""

log = structlog.get_logger()


class Report(Protocol):
    """One market as the exchange reports it for subaccount 0: 1/100 contracts, nano-dollars."""

    @property
    def position(self) -> int:
        """Return the signed count, + YES."""
        ...

    @property
    def fees(self) -> int:
        """Return the fees paid over the market's life."""
        ...

    @property
    def settled(self) -> bool:
        """Whether the market has ended: its position is then the exchange's own affair."""
        ...


@runtime_checkable
class Accountable(Protocol):
    """A source that reports positions of its own and can read a market's fills again.

    `reports` are all of them, of one instant; `reported_at` is up to when they know of fills, µs.
    """

    @property
    def reports(self) -> Mapping[str, Report]:
        """Return every unsettled position of subaccount 0, and now and then the settled."""
        ...

    @property
    def reported_at(self) -> int:
        """Return up to which instant the reports know of fills, 0 before the first."""
        ...

    def recall(self, markets: Mapping[str, Market]) -> None:
        """Take what is known of the markets, so that it is not asked for again."""
        ...

    def reread(self, tickers: Collection[str], deadline: Deadline) -> Iterator[Page]:
        """Yield every fill of these markets, historical included."""
        ...


class Drift:
    """Which markets differ, each read again at most once a minute.

    A book that changed after what the report knows of is ahead of it: that is lag, no drift,
    unless it differs by as much as the time before.
    """

    def __init__(self, clock: Clock) -> None:
        """Begin with nothing read again yet."""
        self._clock = clock
        self._asked: dict[str, int] = {}
        self._figures: dict[str, Gap] = {}
        self._changed: dict[str, int] = {}
        self._apart: dict[str, Gap] = {}
        self._compared = 0

    def mend(self, feed: Feed, book: Book) -> bool:
        """Read the fills of every market that differs from the exchange's report again."""
        source = feed.source
        if not isinstance(source, Accountable):
            return False
        self._watch(book)
        if source.reported_at in {0, self._compared}:
            return False
        self._compared = source.reported_at
        tickers = self._due(self._drifted(source.reports, book))
        if tickers:
            log.info("book differs from the exchange", tickers=sorted(tickers))
            feed.read(partial(source.reread, tickers))
        return bool(tickers)

    def _watch(self, book: Book) -> None:
        """Take note of when each market's figures changed; at the start all are as they were."""
        now = self._clock() if self._compared else 0
        figures = {key[0]: _figures(held) for key, held in book.positions.items() if key[1] == 0}
        self._changed |= {
            name: now for name, each in figures.items() if self._figures.get(name) != each
        }
        self._figures = figures

    def _drifted(self, reports: Mapping[str, Report], book: Book) -> set[str]:
        before, self._apart = self._apart, gaps(reports, book)
        return {
            name
            for name, gap in self._apart.items()
            if self._changed.get(name, 0) < self._compared or before.get(name) == gap
        }

    def _due(self, tickers: set[str]) -> set[str]:
        now = self._clock()
        self._asked = {name: at for name, at in self._asked.items() if name in tickers}
        due = {name for name in tickers if now - self._asked.get(name, 0) >= MINUTE}
        self._asked |= dict.fromkeys(due, now)
        return due


def astray(reports: Mapping[str, Report], book: Book) -> set[str]:
    """Return the markets whose reported position or fees are not the book's."""
    return set(_apart(reports, book))


def gaps(reports: Mapping[str, Report], book: Book) -> dict[str, Gap]:
    """Return by how much whole reports differ; an open market they do not know is one."""
    held = {name: book.positions.get((name, 0)) for name in book.held() - reports.keys()}
    unknown = {name: _figures(each) for name, each in held.items() if each and each.count}
    return unknown | _apart(reports, book)


def _apart(reports: Mapping[str, Report], book: Book) -> dict[str, Gap]:
    found = {name: _gap(each, book.positions.get((name, 0))) for name, each in reports.items()}
    return {name: gap for name, gap in found.items() if gap != (0, 0)}


def _gap(report: Report, position: Position | None) -> Gap:
    count, fees = _figures(position)
    return 0 if report.settled else count - report.position, fees - report.fees


def _figures(position: Position | None) -> Gap:
    return (position.count, position.fees) if position else (0, 0)
