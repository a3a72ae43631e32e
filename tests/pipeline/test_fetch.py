"""Fetch: every source in its own time, none in another's way."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from threading import Event, Lock
from typing import Any

import pytest

from ledger.facts import Fill
from ledger.snapshot import SourceState
from pipeline.cycle import Store
from pipeline.feed import POLL_SECONDS, Feed
from pipeline.fetch import Fetch
from pipeline.sources.client import Unreachable
from pipeline.sources.source import Held
from storage.facts import Page
from tests.pipeline.conftest import Hands, Script
from tests.pipeline.scripted_stream import Streamed
from tests.product import until

Fetched = Callable[..., Fetch]


@dataclass
class Gated(Script):
    """A source whose history goes on page by page until its gate opens."""

    def __post_init__(self) -> None:
        """Begin closed; `begun` tells that a read is under way."""
        self.gate, self.begun, self.pages = Event(), Event(), 0

    def history(self, cursor: Mapping[str, str]) -> Iterator[Page]:
        """Yield pages while the gate is closed."""
        while not self.gate.wait(0.01):
            self.begun.set()
            self.pages += 1
            yield Page(self.name, cursor={"page": str(self.pages)})
        yield from super().history(cursor)


@pytest.fixture
def fetched(store: Store, hands: Hands) -> Iterator[Fetched]:
    made: list[Fetch] = []

    def fetch(*sources: Script, patience: float = POLL_SECONDS) -> Fetch:
        recording = Lock()
        feeds = [Feed(source, store.facts, hands, recording) for source in sources]
        made.append(Fetch(feeds, ["anthropic"], recording, patience))
        return made[-1]

    yield fetch
    for each in made:
        each.close()


def test_an_import_delays_no_tick_and_no_other_source(fetched: Fetched) -> None:
    slow, other = Gated("kalshi"), Script("revenue")
    fetch = fetched(slow, other, patience=0.05)
    other.tails = [[Page("revenue", cursor={"tail": str(number)})] for number in range(3)]
    tail = fetch.feeds["revenue"]
    until(lambda: fetch.run(Held()) or tail.cursor.get("tail") == "2", "the tail is read", 10)
    assert fetch.importing
    assert not fetch.idle("kalshi")
    assert not fetch.histories_whole
    slow.gate.set()
    until(lambda: fetch.run(Held()) or fetch.histories_whole, "the import is whole", 10)
    assert fetch.idle("kalshi")
    assert not fetch.importing


def test_a_source_is_never_read_twice_at_once(fetched: Fetched) -> None:
    slow = Gated("kalshi")
    fetch = fetched(slow, patience=0.05)
    fetch.run(Held())
    assert slow.begun.wait(10)
    running = fetch.feeds["kalshi"]
    for _ in range(3):
        fetch.run(Held())
    slow.gate.set()
    until(lambda: fetch.run(Held()) or running.complete, "the import is whole", 10)
    assert running.cursor["page"] == str(slow.pages)


def test_a_stop_ends_an_import_with_the_page_it_is_at_and_the_next_start_goes_on(
    fetched: Fetched, store: Store
) -> None:
    endless = Gated("kalshi")
    fetch = fetched(endless, patience=0.05)
    fetch.run(Held())
    assert endless.begun.wait(10)
    fetch.close()
    assert store.facts.cursor("kalshi")["page"] == str(endless.pages)
    assert not fetch.feeds["kalshi"].complete


def test_what_one_source_cannot_do_is_no_matter_to_another(
    fetched: Fetched, hands: Hands, filled: Callable[..., Fill]
) -> None:
    broken, fine = Script("kalshi"), Script("revenue")
    fetch = fetched(broken, fine)
    fetch.run(Held())
    fetch.drain()
    broken.tails = [Unreachable("GET /markets: no connection")]
    fine.tails = [[Page("revenue", (filled("a", hands.now, "yes", "1", "0.5"),))]]
    fetch.run(Held())
    assert [len(recorded.fills) for recorded in fetch.drain()] == [1]
    assert fetch.drain() == []
    assert fetch.feeds["kalshi"].health.failures == 1


def test_an_error_that_is_no_sources_fault_ends_the_cycle(fetched: Fetched) -> None:
    broken = Script("kalshi")
    fetch = fetched(broken)
    fetch.run(Held())
    broken.tails = [ZeroDivisionError("ours")]
    with pytest.raises(ZeroDivisionError):
        fetch.run(Held())


def test_complete_waits_for_the_marks_of_all_that_is_held(fetched: Fetched) -> None:
    fetch = fetched(Script("kalshi", cadence=3600.0), Script("revenue", cadence=3600.0))
    assert not fetch.complete(Held())
    fetch.run(Held())
    assert fetch.progressed()
    assert not fetch.progressed()
    assert fetch.complete(Held())
    held = Held(frozenset({"KXA-1"}))
    assert not fetch.complete(held)
    fetch.run(held)
    assert fetch.complete(held)


def test_a_new_position_is_asked_for_at_once_but_not_while_the_source_fails(
    fetched: Fetched,
) -> None:
    source = Script("kalshi", cadence=3600.0)
    fetch = fetched(source)
    fetch.run(Held())
    source.tails = [Unreachable("GET /markets: no connection"), ()]
    for _ in range(3):
        fetch.run(Held(frozenset({"KXA-1"})))
    assert source.tails == [()]


def test_without_a_source_there_is_nothing_to_wait_for(fetched: Fetched, hands: Hands) -> None:
    fetch = fetched()
    fetch.run(Held())
    assert fetch.histories_whole
    assert fetch.states(hands.now) == {"anthropic": SourceState("off")}


def test_every_source_is_shown(fetched: Fetched, hands: Hands) -> None:
    fetch = fetched(Script("kalshi"))
    states: dict[str, Any] = fetch.states(hands.now)
    assert {name: state.status for name, state in states.items()} == {
        "anthropic": "off",
        "kalshi": "starting",
    }


def test_a_tick_that_finds_a_poll_running_polls_again_when_it_has_ended(fetched: Fetched) -> None:
    source = Streamed(cadence=0.0)
    fetch = fetched(source)
    fetch.run(Held())
    source.gate.clear()
    fetch.start(Held())
    until(lambda: source.polled == 1, "it hangs")
    fetch.start(Held())
    source.gate.set()
    until(lambda: fetch.tend(Held()) or source.polled == 2, "it is read again")


def test_what_hangs_is_left_behind_at_the_end(fetched: Fetched) -> None:
    source = Streamed(cadence=0.0)
    fetch = fetched(source, patience=0.05)
    fetch.run(Held())
    source.gate.clear()
    fetch.run(Held())
    assert not fetch.idle("kalshi")
    fetch.close()
    assert not source.gate.is_set()
    assert source.stream.closed
    source.gate.set()


def test_a_page_that_comes_after_the_end_is_not_recorded(fetched: Fetched, store: Store) -> None:
    """Nobody waits for the thread that brings it: it might be cut in the middle."""
    source = Streamed(cadence=0.0)
    fetch = fetched(source, patience=0.05)
    fetch.run(Held())
    until(lambda: fetch.idle("kalshi") or fetch.reap(), "its history is read")
    source.gate.clear()
    source.tails = [[Page("kalshi", cursor={"tail": "late"})]]
    polls = source.polled
    assert fetch.begin("kalshi", lambda: fetch.feeds["kalshi"].poll(Held()))
    until(lambda: source.polled == polls + 1, "a poll hangs")
    fetch.close()
    source.gate.set()
    until(lambda: fetch.reap() or fetch.idle("kalshi"), "it ended")
    assert "tail" not in store.facts.cursor("kalshi")


def test_a_poll_has_answered_when_it_ends_or_when_its_time_is_used(fetched: Fetched) -> None:
    source = Streamed(cadence=0.0)
    fetch = fetched(source)
    fetch.run(Held())
    assert fetch.answered
    source.gate.clear()
    fetch.start(Held())
    assert not fetch.answered
    source.gate.set()
    until(lambda: fetch.answered, "it ended")


def test_the_end_of_a_poll_is_told_once(fetched: Fetched) -> None:
    fetch = fetched(Script("kalshi", cadence=0.0))
    fetch.run(Held())
    assert fetch.polled("kalshi")
    assert not fetch.polled("kalshi")


def test_the_stream_of_a_source_is_said_beside_its_own_words(
    fetched: Fetched, hands: Hands
) -> None:
    source = Streamed(detail="positions answered 403")
    source.stream.detail = "stream refused 404: polling"
    shown = fetched(source).states(hands.now)["kalshi"]
    assert shown.detail == "positions answered 403; stream refused 404: polling"
