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

log = structlog.get_logger()


class Report(Protocol):
    """One market as the exchange reports it for subaccount 0: 1/100 contracts, nano-dollars."""

    position: int
    fees: int


@runtime_checkable
class Accountable(Protocol):
    """A source that reports positions of its own and can read a market's fills again."""

    reports: Mapping[str, Report]

    def recall(self, markets: Mapping[str, Market]) -> None:
        """Take what is known of the markets, so that it is not asked for again."""
        ...

    def reread(self, tickers: Collection[str], deadline: Deadline) -> Iterator[Page]:
        """Yield every fill of these markets, historical included."""
        ...


class Drift:
    """Which markets differ, each read again at most once a minute."""

    def __init__(self, clock: Clock) -> None:
        """Begin with nothing read again yet."""
        self._clock = clock
        self._asked: dict[str, int] = {}

    def mend(self, feed: Feed, book: Book) -> bool:
        """Read the fills of every market that differs from the exchange's report again."""
        source = feed.source
        if not isinstance(source, Accountable):
            return False
        tickers = self._due(astray(source.reports, book))
        if tickers:
            log.info("book differs from the exchange", tickers=sorted(tickers))
            feed.read(partial(source.reread, tickers))
        return bool(tickers)

    def _due(self, tickers: set[str]) -> set[str]:
        now = self._clock()
        self._asked = {name: at for name, at in self._asked.items() if name in tickers}
        due = {name for name in tickers if now - self._asked.get(name, 0) >= MINUTE}
        self._asked |= dict.fromkeys(due, now)
        return due


def astray(reports: Mapping[str, Report], book: Book) -> set[str]:
    """Return the markets whose reported position or fees are not the book's."""
    return {
        ticker
        for ticker, report in reports.items()
        if _figures(book.positions.get((ticker, 0))) != (report.position, report.fees)
    }


def _figures(position: Position | None) -> tuple[int, int]:
    return (position.count, position.fees) if position else (0, 0)
