"""A feed: what a poll leaves behind, and how the source reads afterwards."""

from dataclasses import replace
from threading import Lock
from typing import Any

import pytest

from ledger.facts import Mark
from ledger.moment import DAY, MICROS
from pipeline.cycle import Store
from pipeline.feed import PATIENCE, Feed
from pipeline.sources.failure import Refused, Resting, Throttled, Unreachable
from pipeline.sources.source import Held
from storage.facts import Page


@pytest.fixture
def whole(store: Store, script: Any, hands: Any) -> tuple[Any, Feed]:
    source = script(cadence=1.0)
    feed = Feed(source, store.facts, hands, Lock())
    feed.poll(Held())
    return source, feed


def test_a_history_that_is_whole_lets_the_tail_follow_at_once(whole: tuple[Any, Feed]) -> None:
    _, feed = whole
    assert feed.complete
    assert feed.due()
    feed.poll(Held())
    assert not feed.due()


def test_three_failures_in_a_row_read_as_failing_and_one_success_ends_it(
    whole: tuple[Any, Feed], hands: Any
) -> None:
    source, feed = whole
    source.tails = [Unreachable("GET /deals: no connection")] * PATIENCE
    statuses = []
    for _ in range(PATIENCE + 1):
        feed.poll(Held())
        statuses.append(feed.state(hands.now).status)
    assert statuses == ["ok"] * (PATIENCE - 1) + ["failing", "ok"]


def test_refused_credentials_read_as_failing_at_once(whole: tuple[Any, Feed], hands: Any) -> None:
    source, feed = whole
    source.tails = [Refused("GET /deals: 401")]
    feed.poll(Held())
    assert feed.state(hands.now).status == "failing"


def test_an_old_success_reads_as_stale_with_its_age(whole: tuple[Any, Feed], hands: Any) -> None:
    _, feed = whole
    before = hands.now
    hands.now += 9 * MICROS
    state = feed.state(hands.now)
    assert (state.status, state.as_of) == ("stale", before)


def test_a_bill_not_refreshed_for_a_day_reads_as_stale(whole: tuple[Any, Feed], hands: Any) -> None:
    source, feed = whole
    source.tails = [[Page("kalshi", cursor={"data_refreshed_at": str(hands.now - DAY - 1)})]]
    feed.poll(Held())
    assert feed.state(hands.now).status == "stale"


@pytest.mark.usefixtures("whole")
def test_the_age_survives_a_restart(store: Store, script: Any, hands: Any) -> None:
    again = Feed(script(), store.facts, hands, Lock())
    assert again.complete
    assert again.state(hands.now).as_of == hands.now


def test_an_error_that_is_no_sources_fault_is_raised(whole: tuple[Any, Feed]) -> None:
    source, feed = whole
    source.tails = [ZeroDivisionError("ours")]
    with pytest.raises(ZeroDivisionError):
        feed.poll(Held())


def test_a_429_is_said_and_is_no_failure(whole: tuple[Any, Feed], hands: Any) -> None:
    source, feed = whole
    source.tails = [Throttled("GET /deals: 429")] * (PATIENCE + 1)
    for _ in range(PATIENCE + 1):
        feed.poll(Held())
    state = feed.state(hands.now)
    assert (state.status, state.detail) == ("ok", "GET /deals: 429")


def test_a_source_that_rests_reads_as_failing(whole: tuple[Any, Feed], hands: Any) -> None:
    source, feed = whole
    source.tails = [Resting("not asked until 12:01Z")]
    feed.poll(Held())
    state = feed.state(hands.now)
    assert (state.status, state.detail) == ("failing", "not asked until 12:01Z")


def test_a_poll_out_of_turn_leaves_the_next_one_due(whole: tuple[Any, Feed]) -> None:
    _, feed = whole
    feed.poll(Held(), in_turn=False)
    assert feed.due()


def test_trades_and_marks_wait_until_they_are_drained_but_not_those_of_an_import(
    store: Store, script: Any, hands: Any, filled: Any
) -> None:
    ours, quote = filled("a", hands.now, "yes", "1", "0.40"), Mark("KXA-1", hands.now, 5, 6, None)
    source = script(past=[Page("kalshi", (ours, quote))])
    source.tails = [[Page("kalshi", (quote, replace(quote, bid=4)))], [Page("kalshi", (ours,))]]
    feed = Feed(source, store.facts, hands, Lock())
    feed.poll(Held())
    assert (feed.traded, feed.marked) == (None, False)
    feed.poll(Held())
    assert (feed.traded, feed.marked) == (None, True)
    source.tails = [[Page("kalshi", (replace(ours, fill_id="b"),))]]
    feed.poll(Held())
    assert feed.traded is not None
    feed.drain()
    assert (feed.traded, feed.marked) == (None, False)
    feed.poll(Held())
    assert feed.traded is None
