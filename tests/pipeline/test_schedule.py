"""The schedule: one failing job ends all, a stop ends promptly."""

from collections.abc import Callable, Iterator
from threading import Event, Thread

import pytest

from ledger.moment import MINUTE
from pipeline.cycle import Cycle, Store
from pipeline.schedule import Schedule
from storage import engine, schema
from storage.errors import LeaseLost
from storage.lease import Lease
from storage.reader import Reader
from tests.pipeline.conftest import Script
from tests.pipeline.scripted_stream import Streamed
from tests.pipeline.test_fetch import Gated
from tests.product import until

Started = Callable[..., Cycle]


@pytest.fixture
def lease(store: Store, url: str) -> Iterator[Lease]:
    assert store.snapshots.last() is None
    opened = engine.writer(url)
    held = Lease(opened, "test")
    assert held.acquire(Event())
    yield held
    held.release()
    opened.dispose()


class Running:
    """A schedule in a thread, with what it raised."""

    def __init__(self, schedule: Schedule) -> None:
        """Start it."""
        self.stop = Event()
        self.raised: BaseException | None = None
        self._thread = Thread(target=self._run, args=(schedule,))
        self._thread.start()

    def _run(self, schedule: Schedule) -> None:
        try:
            schedule.run(self.stop)
        except BaseException as error:  # noqa: BLE001 -- handed to the test
            self.raised = error

    @property
    def ended(self) -> bool:
        """Whether it returned."""
        return not self._thread.is_alive()

    def end(self) -> None:
        """Ask it to end and wait."""
        self.stop.set()
        self._thread.join(20)
        assert self.ended


def seq(store: Store) -> int:
    last = store.snapshots.last()
    return last[0] if last else 0


def test_it_ticks_until_it_is_stopped(started: Started, store: Store, lease: Lease) -> None:
    running = Running(Schedule(started(Script()), lease, store.snapshots, 0.05))
    until(lambda: seq(store) >= 4, "four snapshots", 20)
    running.end()
    assert running.raised is None


def test_a_job_that_fails_ends_all_and_is_raised(
    started: Started, store: Store, lease: Lease
) -> None:
    source = Script()
    source.tails = [ZeroDivisionError("ours")]
    running = Running(Schedule(started(source), lease, store.snapshots, 0.05))
    until(lambda: running.ended, "it ended by itself", 20)
    assert isinstance(running.raised, ZeroDivisionError)


def test_a_lost_lease_ends_all_and_is_raised(started: Started, store: Store, url: str) -> None:
    opened = engine.writer(url)
    never = Lease(opened, "never acquired")
    running = Running(Schedule(started(Script()), never, store.snapshots, 0.05))
    until(lambda: running.ended, "it ended by itself", 20)
    assert isinstance(running.raised, LeaseLost)
    opened.dispose()


def test_a_stop_does_not_wait_for_an_import(started: Started, store: Store, lease: Lease) -> None:
    endless = Gated()
    running = Running(Schedule(started(endless), lease, store.snapshots, 0.05))
    assert endless.begun.wait(20)
    running.end()
    assert running.raised is None
    assert store.facts.cursor("kalshi")["page"] == str(endless.pages)
    assert "complete" not in store.facts.cursor("kalshi")


def test_texts_out_of_the_replay_window_are_pruned_while_it_ticks(
    started: Started, store: Store, lease: Lease, url: str
) -> None:
    figures = dict.fromkeys(schema.FIGURES, 0)
    for minute in range(305):
        store.snapshots.append(minute * MINUTE, figures, lambda *_: {}, {}, {})
    running = Running(Schedule(started(Script()), lease, store.snapshots, 3600.0))
    reader = Reader(url)
    until(lambda: reader.oldest() > 1, "the oldest texts are gone", 20)
    running.end()
    assert reader.oldest() <= seq(store) - 299
    reader.close()


def test_a_stop_does_not_wait_for_an_upstream_that_hangs(
    started: Started, store: Store, lease: Lease
) -> None:
    hanging = Streamed()
    running = Running(Schedule(started(hanging), lease, store.snapshots, 0.05))
    until(lambda: hanging.polled >= 2, "it is polled", 20)
    hanging.gate.clear()
    polls = hanging.polled
    until(lambda: hanging.polled > polls, "it hangs", 20)
    running.end()
    assert not hanging.gate.is_set()
    hanging.gate.set()
