"""Drift: a market that differs from the exchange's own row is read again, once a minute."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

import pytest

from ledger.book import Book
from ledger.facts import Fill, Settlement
from ledger.moment import MINUTE
from pipeline.cycle import Store
from pipeline.drift import Drift, astray
from pipeline.feed import Feed
from pipeline.sources.source import Deadline
from storage.facts import Page

Filled = Callable[..., Fill]


def of(ticker: str, fill: Fill) -> Fill:
    """Return the fill in another market."""
    return replace(fill, ticker=ticker)


@dataclass(frozen=True)
class Reported:
    """What the exchange says of one market."""

    position: int
    fees: int
    settled: bool = False


@dataclass
class Exchange:
    """A source that reports positions and reads a market's fills again."""

    missing: Fill
    name: str = "kalshi"
    cadence: float = 1.0
    detail: str = ""
    reports: dict[str, Reported] = field(default_factory=dict)
    reported_at: int = 0
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


@dataclass
class Ledger:
    """A book, the exchange's reports, and what is read again when they differ."""

    exchange: Exchange
    feed: Feed
    hands: Any
    drift: Drift
    book: Book = field(default_factory=Book)

    def reported(self, after: int = 0, **reports: Reported) -> bool:
        """Compare with reports of `after` µs from the last comparison on."""
        self.hands.now += after
        self.exchange.reports = reports
        self.exchange.reported_at = self.hands.now
        self.hands.now += 1
        return self.drift.mend(self.feed, self.book)


@pytest.fixture
def ledger(store: Store, filled: Filled, hands: Any) -> Ledger:
    exchange = Exchange(filled("m", hands.now - 90 * MINUTE, "yes", "3", "0.40", "0.02"))
    return Ledger(exchange, Feed(exchange, store.facts, hands, Lock()), hands, Drift(hands))


def test_a_missing_fill_is_found_by_the_exchanges_own_position(ledger: Ledger) -> None:
    missing = ledger.exchange.missing
    reports = {missing.ticker: Reported(300, missing.fee)}
    assert ledger.reported(**reports)
    for recorded in ledger.feed.drain():
        for fill in recorded.fills:
            ledger.book.fill(fill)
    assert astray(ledger.exchange.reports, ledger.book) == set()
    assert not ledger.reported(2 * MINUTE, **reports)
    assert ledger.exchange.asked == [{missing.ticker}]


def test_a_market_that_stays_different_is_read_once_a_minute(ledger: Ledger) -> None:
    reports = {"KXOTHER": Reported(1, 0)}
    assert ledger.reported(**reports)
    assert not ledger.reported(MINUTE - 2, **reports)
    assert ledger.reported(1, **reports)


def test_the_same_report_is_compared_once(ledger: Ledger) -> None:
    assert ledger.reported(KXOTHER=Reported(1, 0))
    ledger.hands.now += 5 * MINUTE
    assert not ledger.drift.mend(ledger.feed, ledger.book)


def test_nothing_is_compared_before_the_first_report(ledger: Ledger) -> None:
    ledger.exchange.reports = {"KXOTHER": Reported(1, 0)}
    assert not ledger.drift.mend(ledger.feed, ledger.book)


def test_a_fill_that_the_report_does_not_know_of_yet_is_no_drift(
    ledger: Ledger, filled: Filled
) -> None:
    """Booked after the instant the report speaks of: lag. The next report knows of it."""
    ledger.book.fill(of("OLD", filled("a", 1, "yes", "1", "0.40")))
    known = Reported(100, 0)
    assert not ledger.reported(OLD=known)
    ledger.book.fill(of("OLD", filled("b", 2, "yes", "2", "0.40")))
    assert not ledger.reported(MINUTE, OLD=known)
    assert not ledger.reported(MINUTE, OLD=Reported(300, 0))


def test_lag_that_lasts_is_drift(ledger: Ledger, filled: Filled) -> None:
    ledger.book.fill(of("OLD", filled("a", 1, "yes", "1", "0.40")))
    known = Reported(100, 0)
    assert not ledger.reported(OLD=known)
    ledger.book.fill(of("OLD", filled("b", 2, "yes", "2", "0.40")))
    assert not ledger.reported(MINUTE, OLD=known)
    assert ledger.reported(MINUTE, OLD=known)


def test_a_busy_market_that_is_always_apart_by_as_much_is_drift(
    ledger: Ledger, filled: Filled
) -> None:
    """Each report knows of every fill but one of 5 contracts; the book changes each time."""
    ledger.reported()
    for number in range(2):
        ledger.book.fill(of("BUSY", filled(f"f{number}", number, "yes", "1", "0.40")))
        held = (number + 1) * 100
        assert ledger.reported(MINUTE, BUSY=Reported(held + 500, 0)) is (number == 1)


def test_an_open_market_that_whole_reports_do_not_know_is_read_again(
    ledger: Ledger, filled: Filled
) -> None:
    """Closed by fills we lack, or settled unseen."""
    ledger.book.fill(of("GONE", filled("a", 1, "yes", "1", "0.40")))
    assert ledger.reported()
    assert ledger.exchange.asked == [{"GONE"}]


def test_what_is_settled_or_flat_or_of_another_subaccount_need_not_be_reported(
    ledger: Ledger, filled: Filled
) -> None:
    for ticker in ("SETTLED", "FLAT"):
        ledger.book.fill(of(ticker, filled(f"buy {ticker}", 1, "yes", "1", "0.40")))
    ledger.book.fill(of("FLAT", filled("sell", 2, "no", "1", "0.40")))
    ledger.book.settle(Settlement("SETTLED", 3, "yes", 1_000_000_000))
    other = of("OTHER", filled("other", 1, "yes", "1", "0.40"))
    ledger.book.fill(replace(other, subaccount=7))
    assert not ledger.reported()
    assert not ledger.reported(MINUTE)


def test_of_a_settled_market_only_the_fees_are_compared(ledger: Ledger, filled: Filled) -> None:
    ledger.book.fill(of("DONE", filled("a", 1, "yes", "1", "0.40", "0.02")))
    ledger.book.settle(Settlement("DONE", 3, "yes", 1_000_000_000))
    fees = ledger.book.of("DONE").fees
    assert not ledger.reported(DONE=Reported(100, fees, settled=True))
    assert ledger.reported(DONE=Reported(0, fees + 1, settled=True))


def test_only_fees_or_only_counts_that_differ_are_seen(filled: Filled) -> None:
    book = Book()
    fill = filled("a", 1, "no", "2", "0.30", "0.01")
    book.fill(fill)
    assert astray({fill.ticker: Reported(-200, fill.fee)}, book) == set()
    assert astray({fill.ticker: Reported(-200, 0)}, book) == {fill.ticker}
    assert astray({fill.ticker: Reported(200, fill.fee)}, book) == {fill.ticker}
    assert astray({"KXNEVER": Reported(0, 0)}, book) == set()
