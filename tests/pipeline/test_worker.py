"""The worker: one owner, a hot standby, and a database that keeps to its mode."""

import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from threading import Event, Thread
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ledger.facts import Market
from ledger.pnl import Policy
from pipeline.worker import Busy, Plan, Worker, WrongDatabase
from storage import engine
from storage.errors import NotReady
from storage.facts import Page
from storage.lease import Lease
from storage.reader import Reader
from tests.pipeline.conftest import Script
from tests.pipeline.test_fetch import Gated
from tests.product import ROOT, until

PROCESS = """
import signal, sys
from threading import Event
from tests.pipeline.test_worker import worker
from tests.pipeline.conftest import Script
stop = Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
def sources():
    print("owner", flush=True)
    return [Script(cadence=1.0)]
ours = worker(sys.argv[1], sources)
print("waiting", flush=True)
ours.run(stop)
print("ended", flush=True)
"""

Process = subprocess.Popen[str]


def worker(url: str, sources: Callable[[], Any], mode: str = "live") -> Worker:
    return Worker(Plan(url, "", Policy.BID, ZoneInfo("UTC"), 0.5, mode), sources)


def seq(url: str) -> int:
    """Return the newest snapshot's number, 0 before the first."""
    reader = Reader(url)
    try:
        return reader.head().seq
    except NotReady:
        return 0
    finally:
        reader.close()


def given_back(url: str) -> bool:
    """Whether the lease is free: only then a first look is enough to take it."""
    opened = engine.writer(url)
    lease = Lease(opened, "a look")
    free = lease.attempt()
    lease.release()
    opened.dispose()
    return free


@pytest.fixture
def processes(url: str) -> Iterator[Callable[[], Process]]:
    started: list[Process] = []

    def start() -> Process:
        argv = [sys.executable, "-c", PROCESS, url]
        started.append(subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True))
        assert line(started[-1]) == "waiting"
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def line(process: Process) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def silent(process: Process) -> bool:
    return not select.select([process.stdout], [], [], 0)[0]


def test_a_second_worker_waits_and_takes_over_when_the_first_is_killed(
    url: str, processes: Callable[[], Process]
) -> None:
    first = processes()
    assert line(first) == "owner"
    second = processes()
    reached = until(lambda: seq(url), "the first snapshot") + 4
    until(lambda: seq(url) >= reached, "the first worker goes on")
    assert silent(second)
    first.kill()
    first.wait()
    last = seq(url)
    assert line(second) == "owner"
    until(lambda: seq(url) > last, "the second worker goes on")
    second.send_signal(signal.SIGTERM)
    assert line(second) == "ended"
    assert second.wait(20) == 0
    assert given_back(url)


def owned(ours: Worker) -> tuple[Event, Thread]:
    stop = Event()
    thread = Thread(target=ours.run, args=(stop,))
    thread.start()
    return stop, thread


def test_a_clean_stop_gives_the_lease_back_and_closes_the_sources(url: str) -> None:
    source = Script(cadence=1.0)
    stop, thread = owned(worker(url, lambda: [source]))
    until(lambda: seq(url) >= 2, "two snapshots")
    assert not given_back(url)
    stop.set()
    thread.join(20)
    assert source.closed
    assert given_back(url)


def test_a_stop_in_the_middle_of_an_import_gives_the_lease_back(url: str) -> None:
    source = Gated(cadence=1.0)
    stop, thread = owned(worker(url, lambda: [source]))
    assert source.begun.wait(20)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    assert given_back(url)


def test_a_stop_that_comes_before_the_lease_opens_no_source(url: str) -> None:
    stop = Event()
    stop.set()
    worker(url, lambda: pytest.fail("a source was opened")).run(stop)


def test_what_a_source_cannot_open_gives_the_lease_back(url: str) -> None:
    def unreadable() -> list[Script]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        worker(url, unreadable).run(Event())
    assert given_back(url)


@pytest.mark.parametrize(("known", "wanted"), [("demo", "live"), ("live", "demo")])
def test_a_database_of_another_mode_is_refused_and_left_alone(
    url: str, known: str, wanted: str
) -> None:
    worker(url, list, known).own(lambda cycle, _: (cycle.run(), None)[1])
    before = seq(url)
    refused = worker(url, lambda: pytest.fail("a source was opened"), wanted)
    with pytest.raises(WrongDatabase, match=f"holds {known} figures, not {wanted}"):
        refused.run(Event())
    assert seq(url) == before
    assert given_back(url)


def test_a_command_is_told_when_a_worker_owns_the_database(url: str) -> None:
    stop, thread = owned(worker(url, lambda: [Script(cadence=1.0)]))
    until(lambda: seq(url), "the first snapshot")
    with pytest.raises(Busy):
        worker(url, list).own(lambda *_: pytest.fail("it was driven"))
    stop.set()
    thread.join(20)


class Reporting(Script):
    """A source that is told at its start which markets are known."""

    positions: Mapping[tuple[int, str], Any] = {}
    known: Mapping[str, Market] = {}

    def know(self, *_: object) -> None:
        """Have no positions to list."""

    def recall(self, markets: Mapping[str, Market]) -> None:
        """Remember them."""
        self.known = markets

    def reread(self, *_: object) -> Iterator[Page]:
        """Have nothing to read again."""
        yield from ()


def test_a_source_is_told_at_its_start_what_markets_are_known(url: str) -> None:
    market = Market("KXA-1", "KXA", title="A")
    first = Script(past=[Page("kalshi", markets=(market,))])
    worker(url, lambda: [first]).own(lambda cycle, _: (cycle.run(), None)[1])
    second = Reporting()
    worker(url, lambda: [second]).own(lambda *_: None)
    assert second.known == {"KXA-1": market}


def test_a_command_works_while_no_worker_does(url: str) -> None:
    driven: list[str] = []
    worker(url, lambda: [Script()]).own(lambda _, fetch: driven.extend(fetch.feeds))
    assert driven == ["kalshi"]
    assert given_back(url)
