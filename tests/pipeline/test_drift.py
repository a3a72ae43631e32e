"""Drift: a market that differs from the exchange's own row is read again, once a minute."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Lock
from typing import Any

import pytest

from ledger.book import Book
from ledger.facts import Fill, Settlement
from ledger.moment import MICROS, MINUTE
from pipeline.cycle import Store
from pipeline.drift import AT_ONCE, PATIENCE, Drift, astray
from pipeline.feed import Feed
from pipeline.sources.client import TimedOut
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


@dataclass(frozen=True)
class Listing:
    """One list of positions, and up to when it knows of fills."""

    reports: dict[str, Reported]
    known: int


@dataclass
class Exchange:
    """A source that reports positions and reads a market's fills again."""

    missing: Fill
    name: str = "kalshi"
    cadence: float = 1.0
    detail: str = ""
    positions: dict[tuple[int, str], Listing] = field(default_factory=dict)
    known: set[int] = field(default_factory=set)
    breaks_at: str = ""
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
        if self.breaks_at in tickers:
            raise TimedOut("no answer")
        self.asked.append(set(tickers))
        yield Page("kalshi", (self.missing,))

    def recall(self, markets: object) -> None:
        """Know nothing of markets."""

    def know(self, subaccounts: Collection[int]) -> None:
        """Remember which subaccounts have traded."""
        self.known = set(subaccounts)

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
        """Compare with what subaccount 0 holds `after` µs from the last comparison on."""
        return self.listed((0, "unsettled"), reports, after)

    def listed(self, which: tuple[int, str], reports: dict[str, Reported], after: int = 0) -> bool:
        """Compare with a list that knows of fills until now; read again what differs."""
        self.hands.now += after
        self.exchange.positions[which] = Listing(reports, self.hands.now)
        self.hands.now += 1
        return self.compared()

    def compared(self) -> bool:
        """Compare once more; tell whether anything was read again."""
        tickers = self.drift.due(self.exchange, self.book)
        if tickers:
            self.feed.read(partial(self.drift.again, self.exchange, tickers))
        return bool(tickers)


@pytest.fixture
def ledger(store: Store, filled: Filled, hands: Any) -> Ledger:
    exchange = Exchange(filled("m", hands.now - 90 * MINUTE, "yes", "3", "0.40", "0.02"))
    return Ledger(exchange, Feed(exchange, store.facts, hands, Lock()), hands, Drift(hands))


def test_a_missing_fill_is_found_by_the_exchanges_own_position(ledger: Ledger) -> None:
    missing = ledger.exchange.missing
    reports = {missing.ticker: Reported(300, missing.fee)}
    assert ledger.reported(0, **reports)
    for recorded in ledger.feed.drain():
        for fill in recorded.fills:
            ledger.book.fill(fill)
    assert astray(reports, ledger.book) == set()
    assert not ledger.reported(2 * MINUTE, **reports)
    assert ledger.exchange.asked == [{missing.ticker}]


def test_a_market_that_stays_different_is_read_once_a_minute(ledger: Ledger) -> None:
    reports = {"KXOTHER": Reported(1, 0)}
    assert ledger.reported(0, **reports)
    assert not ledger.reported(MINUTE - 2, **reports)
    assert ledger.reported(1, **reports)


def test_the_same_report_is_compared_once(ledger: Ledger) -> None:
    assert ledger.reported(KXOTHER=Reported(1, 0))
    ledger.hands.now += 5 * MINUTE
    assert not ledger.compared()


def test_nothing_is_compared_before_the_first_report(ledger: Ledger, filled: Filled) -> None:
    ledger.book.fill(of("OPEN", filled("a", 1, "yes", "1", "0.40")))
    assert not ledger.compared()


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


def test_what_is_settled_or_flat_need_not_be_reported(ledger: Ledger, filled: Filled) -> None:
    for ticker in ("SETTLED", "FLAT"):
        ledger.book.fill(of(ticker, filled(f"buy {ticker}", 1, "yes", "1", "0.40")))
    ledger.book.fill(of("FLAT", filled("sell", 2, "no", "1", "0.40")))
    ledger.book.settle(Settlement("SETTLED", 3, "yes", 1_000_000_000))
    assert not ledger.reported()
    assert not ledger.reported(MINUTE)


@pytest.mark.parametrize("status", ["unsettled", "settled", "archived"])
def test_each_subaccount_is_compared_with_lists_of_its_own(
    ledger: Ledger, filled: Filled, status: str
) -> None:
    """A fill of 2.50 in subaccount 7 is missing; subaccount 0 of the market is whole."""
    for subaccount in (0, 7):
        each = of("BOTH", filled(f"in {subaccount}", 1, "yes", "1", "0.40", "0.02"))
        ledger.book.fill(replace(each, subaccount=subaccount))
    fees = ledger.book.positions["BOTH", 0].fees
    assert not ledger.reported(BOTH=Reported(100, fees))
    assert ledger.exchange.known == {0, 7}
    if status != "unsettled":
        ledger.book.settle(Settlement("BOTH", 3, "yes", 1_000_000_000))
        ledger.compared()
        ledger.hands.now += 1
    done = status != "unsettled"
    assert not ledger.listed((7, status), {"BOTH": Reported(100, fees, done)}, MICROS)
    assert ledger.listed((7, status), {"BOTH": Reported(350, fees + 1, done)}, MICROS)
    assert ledger.exchange.asked == [{"BOTH"}]


def test_an_open_market_is_missed_only_in_its_subaccounts_own_list(
    ledger: Ledger, filled: Filled
) -> None:
    ledger.book.fill(replace(of("SIDE", filled("a", 1, "yes", "1", "0.40")), subaccount=7))
    assert not ledger.reported()
    assert not ledger.listed((7, "settled"), {})
    assert ledger.listed((7, "unsettled"), {})


def test_of_a_settled_market_the_fees_are_compared_and_that_nothing_is_held(
    ledger: Ledger, filled: Filled
) -> None:
    ledger.book.fill(of("DONE", filled("a", 1, "yes", "1", "0.40", "0.02")))
    fees = ledger.book.of("DONE").fees
    unseen = Drift(ledger.hands)
    ledger.exchange.positions[0, "settled"] = Listing(
        {"DONE": Reported(100, fees, settled=True)}, ledger.hands.now
    )
    assert unseen.due(ledger.exchange, ledger.book) == ["DONE"]
    ledger.book.settle(Settlement("DONE", 3, "yes", 1_000_000_000))
    assert not ledger.listed((0, "settled"), {"DONE": Reported(100, fees, settled=True)})
    assert ledger.listed((0, "settled"), {"DONE": Reported(0, fees + 1, settled=True)})


def test_a_market_that_trades_all_the_time_is_excused_only_for_a_while(
    ledger: Ledger, filled: Filled
) -> None:
    """Each report is as old as the last fill but one, and differs by another amount."""
    ledger.reported()
    for number in range(4):
        ledger.book.fill(of("BUSY", filled(f"f{number}", number, "yes", "1", "0.40")))
        held = (number + 1) * 100
        busy = Reported(held + 500 + number, 0)
        assert ledger.reported(PATIENCE // 3, BUSY=busy) is (number == 3)


def test_a_report_within_the_minute_leads_to_a_reading_when_it_is_over(ledger: Ledger) -> None:
    assert ledger.reported(KXOTHER=Reported(1, 0))
    assert not ledger.reported(MINUTE // 2, KXOTHER=Reported(1, 0))
    ledger.hands.now += MINUTE // 2
    assert ledger.compared()
    assert not ledger.compared()


def test_many_markets_are_read_again_a_few_at_a_time_and_each_in_turn(ledger: Ledger) -> None:
    many = {f"M{n:02}": Reported(1, 0) for n in range(2 * AT_ONCE + 1)}
    assert ledger.reported(0, **many)
    assert ledger.reported(MICROS, **many)
    assert ledger.compared()
    assert not ledger.compared()
    assert sorted(name for asked in ledger.exchange.asked for name in asked) == sorted(many)


def test_what_a_reading_did_not_reach_is_read_at_once_and_what_broke_it_last(
    ledger: Ledger,
) -> None:
    ledger.exchange.breaks_at = "B"
    assert ledger.reported(A=Reported(1, 0), B=Reported(1, 0), C=Reported(1, 0))
    assert ledger.exchange.asked == [{"A"}]
    assert ledger.compared()
    assert ledger.exchange.asked == [{"A"}, {"C"}]
    ledger.exchange.breaks_at = ""
    assert ledger.compared()
    assert ledger.exchange.asked == [{"A"}, {"C"}, {"B"}]
    assert not ledger.compared()


def test_only_fees_or_only_counts_that_differ_are_seen(filled: Filled) -> None:
    book = Book()
    fill = filled("a", 1, "no", "2", "0.30", "0.01")
    book.fill(fill)
    assert astray({fill.ticker: Reported(-200, fill.fee)}, book) == set()
    assert astray({fill.ticker: Reported(-200, 0)}, book) == {fill.ticker}
    assert astray({fill.ticker: Reported(200, fill.fee)}, book) == {fill.ticker}
    assert astray({"KXNEVER": Reported(0, 0)}, book) == set()
