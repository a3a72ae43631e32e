"""Live: a stream beside its feed."""

from threading import Lock
from typing import Any

import pytest

from ledger.book import Book
from ledger.facts import Fill
from ledger.money import dollars
from pipeline.cycle import Store
from pipeline.feed import Feed
from pipeline.live import GRACE_SECONDS, Live, lives
from pipeline.sources.source import Held
from tests.pipeline.conftest import Hands, Script
from tests.pipeline.scripted_stream import Report, Stream, Streamed

TICKER = "KXCPI-26NOV-T3"


class Watch:
    """Seconds that stand until they are moved."""

    seconds = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def source() -> Streamed:
    return Streamed(cadence=3600.0)


@pytest.fixture
def feed(source: Streamed, store: Store, hands: Hands) -> Feed:
    return Feed(source, store.facts, hands, Lock())


@pytest.fixture
def live(source: Streamed, feed: Feed, watch: Watch) -> Live:
    return Live(feed, source.stream, lambda: None, watch)


def test_the_stream_is_opened_once_the_history_is_whole(
    live: Live, feed: Feed, source: Streamed
) -> None:
    live.tend()
    assert source.stream.wake is None
    feed.poll(Held())
    live.tend()
    assert source.stream.wake is not None


def test_what_it_brings_is_recorded_and_moves_no_cursor(
    live: Live, feed: Feed, source: Streamed, filled: Any, hands: Hands
) -> None:
    feed.poll(Held())
    live.tend()
    before, health = dict(feed.cursor), feed.health
    hands.now += 60_000_000
    source.stream.bring(filled("a", hands.now, "yes", "1", "0.40"))
    live.record()
    assert [len(recorded.fills) for recorded in feed.drain()] == [0, 1]
    assert feed.cursor == before
    assert feed.health == health
    live.record()
    assert feed.drain() == []


def test_the_stream_hears_what_polls_found_and_not_what_it_told_itself(
    live: Live, feed: Feed, source: Streamed, filled: Any, hands: Hands
) -> None:
    found, told = (filled(name, hands.now, "yes", "1", "0.40") for name in ("found", "told"))
    source.missing = [found]
    feed.poll(Held())
    live.tend()
    feed.read(lambda deadline: source.reread({TICKER}, deadline))
    source.stream.bring(told)
    live.record()
    heard = {fact.fill_id for fact in source.stream.heard if isinstance(fact, Fill)}
    assert "found" in heard
    assert "told" not in heard


def test_a_pushed_position_that_stays_another_is_told_once(
    live: Live, source: Streamed, watch: Watch
) -> None:
    source.stream.positions = {TICKER: Report(100, 0), "KXB": Report(0, 0)}
    assert live.astray(Book()) == set()
    watch.seconds += GRACE_SECONDS
    assert live.astray(Book()) == {TICKER}
    watch.seconds += GRACE_SECONDS
    assert live.astray(Book()) == set()


def test_a_pushed_position_whose_fill_comes_after_it_is_no_difference(
    live: Live, source: Streamed, watch: Watch, filled: Any
) -> None:
    book = Book()
    source.stream.positions = {TICKER: Report(100, dollars("0.02"))}
    assert live.astray(book) == set()
    book.fill(filled("a", 1, "yes", "1", "0.40", "0.02"))
    watch.seconds += GRACE_SECONDS
    assert live.astray(book) == set()


def test_the_newest_push_counts_and_its_time(live: Live, source: Streamed, watch: Watch) -> None:
    source.stream.positions = {TICKER: Report(100, 0)}
    live.astray(Book())
    watch.seconds += GRACE_SECONDS - 1
    source.stream.positions = {TICKER: Report(200, 0)}
    assert live.astray(Book()) == set()
    watch.seconds += 1
    assert live.astray(Book()) == set()
    watch.seconds += 1
    assert live.astray(Book()) == {TICKER}


def test_only_sources_with_a_stream_that_is_on_have_one(store: Store, hands: Hands) -> None:
    off = Streamed("kalshi")
    off.stream = None  # type: ignore[assignment]
    sources = [Script("revenue"), off, Streamed("other", stream=Stream())]
    feeds = [Feed(source, store.facts, hands, Lock()) for source in sources]
    assert [live.name for live in lives(feeds, lambda: None)] == ["other"]
