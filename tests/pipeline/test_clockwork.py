"""The clockwork: no fact waits for a poll, and snapshots keep their distance."""

import time
from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any

import pytest

from ledger.facts import Fill, Mark, Settlement
from ledger.money import NANO
from pipeline.clockwork import Clockwork
from pipeline.cycle import Cycle, Store
from pipeline.live import GRACE_SECONDS
from pipeline.pace import TRADE_SECONDS, Pace
from storage.facts import Page, Recorded
from storage.text import decode
from tests.pipeline.conftest import Hands, Script, assembled
from tests.pipeline.scripted_stream import Report, Streamed
from tests.product import until

Filled = Callable[..., Fill]


class Turning:
    """A clockwork in a thread of its own, ticking only when it is told to."""

    def __init__(self, cycle: Cycle, clock: Callable[[], float] = time.monotonic) -> None:
        """Start it with one tick."""
        self.clockwork = Clockwork(cycle, Pace(monotonic=clock))
        self.raised: BaseException | None = None
        self._stop = Event()
        self.thread = Thread(target=self._run)
        self.clockwork.tick()
        self.thread.start()

    def _run(self) -> None:
        try:
            self.clockwork.run(self._stop.is_set)
        except BaseException as error:  # noqa: BLE001 -- handed to the test
            self.raised = error

    def end(self) -> None:
        """Stop and wait."""
        self._stop.set()
        self.thread.join(20)
        assert not self.thread.is_alive()


@pytest.fixture
def turning(store: Store, hands: Hands) -> Iterator[Callable[..., Turning]]:
    made: list[Any] = []

    def start(*sources: Script, **more: Any) -> Turning:
        cycle, fetch = assembled(store, hands, *sources, **more)
        works = Turning(cycle)
        made.append((works, fetch))
        return works

    yield start
    for works, fetch in made:
        works.end()
        fetch.close()


def document(store: Store) -> dict[str, Any]:
    last = store.snapshots.last()
    return decode(last[2]) if last else {}


def complete(store: Store) -> bool:
    return bool(document(store).get("complete"))


def fills(store: Store) -> int:
    return int(document(store).get("trading", {}).get("fills", 0))


def seq(store: Store) -> int:
    last = store.snapshots.last()
    return last[0] if last else 0


@pytest.fixture
def source(store: Store, turning: Callable[..., Turning]) -> Streamed:
    """Return a source whose history is whole and whose next poll is an hour away."""
    made = Streamed(cadence=3600.0)
    turning(made)
    until(lambda: complete(store) and made.stream.wake, "complete")
    return made


def test_a_fill_of_the_stream_is_in_a_snapshot_while_a_poll_hangs(
    source: Streamed, store: Store, filled: Filled, hands: Hands
) -> None:
    source.gate.clear()
    polls = source.polled
    source.stream.wanted = True
    until(lambda: source.polled > polls, "a poll hangs")
    source.stream.bring(filled("a", hands.now, "yes", "1", "0.40"))
    until(lambda: fills(store) == 1, "it is shown")
    source.gate.set()


def test_a_fill_that_both_channels_deliver_is_booked_once(
    source: Streamed, store: Store, filled: Filled, hands: Hands
) -> None:
    """REST knows its microseconds, the stream only milliseconds."""
    ours = filled("a", hands.now - 5_000_000, "yes", "1", "0.40")
    source.stream.bring(ours, ours)
    until(lambda: fills(store) == 1, "it is shown")
    exact = filled("a", hands.now - 5_000_000 + 123, "yes", "1", "0.40")
    source.tails = [[Page("kalshi", (exact, filled("b", hands.now, "yes", "1", "0.40")))]]
    source.stream.wanted = True
    until(lambda: fills(store) == 2, "the other is shown")
    assert [fill.time for fill in store.facts.fills()] == [exact.time, hands.now]
    assert store.facts.refusals() == []


def test_a_burst_is_shown_whole_in_few_snapshots(
    source: Streamed, store: Store, filled: Filled, hands: Hands
) -> None:
    before, began = seq(store), time.monotonic()
    for number in range(200):
        source.stream.bring(filled(str(number), hands.now, "yes", "1", "0.40"))
        time.sleep(0.001)
    until(lambda: fills(store) == 200, "all are shown")
    taken = seq(store) - before
    assert taken <= (time.monotonic() - began) / TRADE_SECONDS + 2


def test_marks_make_a_snapshot_by_themselves(source: Streamed, store: Store, hands: Hands) -> None:
    before = seq(store)
    source.stream.bring(Mark("KXA-1", hands.now, 5, 6, None))
    until(lambda: seq(store) > before, "a snapshot for it")


def test_a_settlement_is_polled_at_once_when_the_stream_says_so(
    source: Streamed, store: Store, filled: Filled, hands: Hands
) -> None:
    bought = filled("a", hands.now - 1, "yes", "10", "0.40")
    source.stream.bring(bought)
    until(lambda: fills(store) == 1, "it is shown")
    source.tails = [[Page("kalshi", (Settlement(bought.ticker, hands.now, "yes", NANO),))]]
    source.stream.wanted = True
    until(lambda: document(store)["trading"]["realized"] == 6, "it is settled")


def test_the_stream_is_asked_for_what_is_held(
    source: Streamed, filled: Filled, hands: Hands
) -> None:
    ours = filled("a", hands.now, "yes", "1", "0.40")
    source.stream.bring(ours)
    until(lambda: source.stream.watched == {ours.ticker}, "it is watched")


def test_a_market_whose_pushed_position_is_another_is_read_again(
    source: Streamed, store: Store, filled: Filled, hands: Hands
) -> None:
    missed = filled("a", hands.now, "yes", "1", "0.40")
    source.missing = [missed]
    source.stream.positions = {missed.ticker: Report(missed.count, missed.fee)}
    until(lambda: fills(store) == 1, "it was found", GRACE_SECONDS + 20)
    assert source.read_again == [{missed.ticker}]


def test_a_stream_that_is_refused_is_said_on_the_status_and_after_a_minute_alerted(
    source: Streamed, store: Store, hands: Hands
) -> None:
    source.stream.detail = "stream refused 404: polling"
    source.stream.bring(Mark("KXA-1", hands.now, 5, 6, None))
    until(lambda: document(store)["sources"]["kalshi"].get("detail"), "it is said")
    shown = document(store)
    assert shown["sources"]["kalshi"]["detail"] == "stream refused 404: polling"
    assert shown["sources"]["kalshi"]["status"] == "ok"
    assert shown["alerts"] == []
    source.stream.down_seconds = 61.0
    source.stream.bring(Mark("KXA-1", hands.now + 1, 6, 7, None))
    (alert,) = until(lambda: document(store)["alerts"], "it is alerted")
    assert (alert["id"], alert["severity"]) == ("stream.kalshi", "warning")


def test_polls_out_of_turn_leave_the_cadence_as_it_is(
    store: Store, turning: Callable[..., Turning]
) -> None:
    source = Streamed(cadence=0.0)
    works = turning(source)
    until(lambda: complete(store), "complete")
    polls = source.polled
    source.stream.wanted = True
    until(lambda: source.polled > polls, "a poll out of turn")
    works.clockwork.tick()
    until(lambda: source.polled > polls + 1, "the tick's own")


class Desk:
    """An inlet whose one command becomes a fill."""

    def __init__(self, store: Store) -> None:
        """Wait for a command."""
        self.command: Fill | None = None
        self.served: set[str] = set()
        self._store = store
        self._recorded: list[Recorded] = []

    def run(self) -> bool:
        """Record what waits."""
        if self.command is None:
            return False
        self._recorded.append(self._store.facts.record(Page("manual", (self.command,))))
        self.command = None
        return True

    def drain(self) -> list[Recorded]:
        """Return what was recorded."""
        recorded, self._recorded = self._recorded, []
        return recorded


def test_a_command_is_in_a_snapshot_at_once(
    store: Store, turning: Callable[..., Turning], filled: Filled, hands: Hands
) -> None:
    desk, source = Desk(store), Streamed(cadence=3600.0)
    turning(source, inlets=[desk])
    until(lambda: complete(store), "complete")
    source.gate.clear()
    source.stream.wanted = True
    desk.command = filled("a", hands.now, "yes", "1", "0.40")
    until(lambda: fills(store) == 1, "it is shown")
    source.gate.set()


def test_an_error_that_is_no_sources_fault_ends_it(
    store: Store, turning: Callable[..., Turning]
) -> None:
    source = Streamed(cadence=3600.0)
    works = turning(source)
    until(lambda: complete(store), "complete")
    source.tails = [ZeroDivisionError("ours")]
    source.stream.wanted = True
    until(lambda: works.raised, "it ended")
    assert isinstance(works.raised, ZeroDivisionError)


def test_a_tick_waits_for_its_polls_but_no_longer_than_they_may_take(
    store: Store, turning: Callable[..., Turning]
) -> None:
    source = Streamed(cadence=0.0)
    works = turning(source)
    until(lambda: complete(store), "complete")
    source.gate.clear()
    before = seq(store)
    works.clockwork.tick()
    until(lambda: seq(store) > before, "a snapshot without the answer", 30)
    assert not source.gate.is_set()
    source.gate.set()
