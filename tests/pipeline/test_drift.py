"""Drift: a market that differs from the exchange's own row is read again, once a minute."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from ledger.book import Book
from ledger.facts import Fill
from ledger.moment import MINUTE
from pipeline.cycle import Store
from pipeline.drift import Drift, astray
from pipeline.feed import Feed
from pipeline.sources.source import Deadline
from storage.facts import Page

Filled = Callable[..., Fill]


@dataclass(frozen=True)
class Reported:
    """What the exchange says of one market."""

    position: int
    fees: int


@dataclass
class Exchange:
    """A source that reports positions and reads a market's fills again."""

    missing: Fill
    name: str = "kalshi"
    cadence: float = 1.0
    detail: str = ""
    reports: dict[str, Reported] = field(default_factory=dict)
    asked: list[set[str]] = field(default_factory=list)

    def history(self, _cursor: object) -> Iterator[Page]:
        """Yield nothing."""
        yield from ()

    def poll(self, *_: object) -> Iterator[Page]:
        """Yield nothing."""
        yield from ()

    def reread(self, tickers: Collection[str], deadline: Deadline) -> Iterator[Page]:
        """Yield the fill that was missing."""
        assert deadline.remaining() > 0
        self.asked.append(set(tickers))
        yield Page("kalshi", (self.missing,))

    def recall(self, markets: object) -> None:
        """Know nothing of markets."""

    def close(self) -> None:
        """Have nothing to let go of."""


def test_a_missing_fill_is_found_by_the_exchanges_own_position(
    store: Store, filled: Filled, hands: Any
) -> None:
    missing = filled("m", hands.now - 90 * MINUTE, "yes", "3", "0.40", "0.02")
    exchange = Exchange(missing, reports={missing.ticker: Reported(300, missing.fee)})
    feed = Feed(exchange, store.facts, hands, Lock())
    book, drift = Book(), Drift(hands)
    assert drift.mend(feed, book)
    for recorded in feed.drain():
        for fill in recorded.fills:
            book.fill(fill)
    assert astray(exchange.reports, book) == set()
    assert not drift.mend(feed, book)
    assert exchange.asked == [{missing.ticker}]


def test_a_market_that_stays_different_is_read_once_a_minute(
    store: Store, filled: Filled, hands: Any
) -> None:
    exchange = Exchange(
        filled("m", hands.now, "yes", "1", "0.4"), reports={"KXOTHER": Reported(1, 0)}
    )
    feed = Feed(exchange, store.facts, hands, Lock())
    drift = Drift(hands)
    assert drift.mend(feed, Book())
    hands.now += MINUTE - 1
    assert not drift.mend(feed, Book())
    hands.now += 1
    assert drift.mend(feed, Book())


def test_only_fees_or_only_counts_that_differ_are_seen(filled: Filled) -> None:
    book = Book()
    fill = filled("a", 1, "no", "2", "0.30", "0.01")
    book.fill(fill)
    assert astray({fill.ticker: Reported(-200, fill.fee)}, book) == set()
    assert astray({fill.ticker: Reported(-200, 0)}, book) == {fill.ticker}
    assert astray({fill.ticker: Reported(200, fill.fee)}, book) == {fill.ticker}
    assert astray({"KXNEVER": Reported(0, 0)}, book) == set()
