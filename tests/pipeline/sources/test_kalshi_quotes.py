"""Quotes: what a mark is compared with, whoever brought the last one."""

from ledger.facts import Mark
from pipeline.sources.kalshi_quotes import Quotes


def mark(time: int, bid: int, value: int | None = None, ticker: str = "A") -> Mark:
    return Mark(ticker, time, bid, None, None, value)


def test_a_quote_moved_when_it_differs_from_the_newest() -> None:
    quotes = Quotes()
    assert quotes.moved(mark(1, 5))
    quotes.saw([mark(1, 5)])
    assert not quotes.moved(mark(2, 5))
    assert quotes.moved(mark(2, 6))
    assert quotes.moved(mark(2, 5, value=0))


def test_an_older_mark_changes_nothing() -> None:
    quotes = Quotes()
    quotes.saw([mark(3, 7), mark(2, 5)])
    assert quotes.of("A") == mark(3, 7)


def test_a_value_once_determined_stays_with_later_quotes() -> None:
    quotes = Quotes()
    assert quotes.valued(mark(1, 5)) == mark(1, 5)
    quotes.saw([mark(1, 5, value=9)])
    assert quotes.valued(mark(2, 6)) == mark(2, 6, value=9)
    assert quotes.valued(mark(2, 6, value=3)) == mark(2, 6, value=3)


def test_markets_that_are_not_kept_are_forgotten() -> None:
    quotes = Quotes()
    quotes.saw([mark(1, 5), mark(1, 5, ticker="B")])
    quotes.keep(frozenset({"B", "C"}))
    assert quotes.of("A") is None
    assert quotes.of("B") is not None
