"""The lease: which one process may write, by a fencing token that only grows."""

import os
import signal
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import pytest

from storage import engine
from storage.engine import guarded
from storage.errors import LeaseLost
from storage.lease import Lease
from tests.storage.databases import Database
from tests.storage.processes import Process, Start, eventually, line

OWNER = """
import sys, threading, time
from storage import engine
from storage.lease import Lease
lease = Lease(engine.writer(sys.argv[1]), "child")
lease.acquire(threading.Event())
print(lease.token, flush=True)
while True:
    time.sleep(0.01)
    lease.heartbeat()
"""


@dataclass
class Clock:
    """A monotonic clock that moves when told."""

    now: float = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def beats(db: Database) -> int:
    """Return how often an owner has beaten."""
    ((beat,),) = db.rows("select beat from lease")
    return int(beat)


def paused(owner: Process, db: Database) -> bool:
    """Pause a process outside of its transactions; False, and it runs on, when inside one."""
    owner.send_signal(signal.SIGSTOP)
    os.waitpid(owner.pid, os.WUNTRACED)
    probe = sqlite3.connect(engine.file(db.url), timeout=0, isolation_level=None)
    with closing(probe):
        try:
            probe.execute("begin immediate")
        except sqlite3.OperationalError:
            owner.send_signal(signal.SIGCONT)
            return False
    return True


@pytest.fixture
def clock() -> Clock:
    """Return a clock of our own."""
    return Clock()


def test_a_free_lease_is_taken_at_once(db: Database) -> None:
    db.lease.release()
    other = Lease(db.engine, "other")
    assert other.attempt()
    other.heartbeat()


def test_a_living_owner_is_never_replaced(db: Database, clock: Clock) -> None:
    standby = Lease(db.engine, "standby", clock)
    for _ in range(10):
        assert not standby.attempt()
        clock.now += 2.9
        db.lease.heartbeat()
    db.lease.heartbeat()


def test_an_owner_silent_for_three_intervals_is_replaced(db: Database, clock: Clock) -> None:
    standby = Lease(db.engine, "standby", clock)
    assert not standby.attempt()
    clock.now += 2.99
    assert not standby.attempt()
    clock.now += 0.02
    assert standby.attempt()


def test_silence_is_counted_from_the_standbys_own_first_look(db: Database, clock: Clock) -> None:
    clock.now = 1e9
    assert not Lease(db.engine, "standby", clock).attempt()


def test_any_write_is_a_sign_of_life(db: Database, clock: Clock) -> None:
    standby = Lease(db.engine, "standby", clock)
    assert not standby.attempt()
    clock.now += 2
    db.append()
    assert not standby.attempt()
    clock.now += 2
    assert not standby.attempt()


def test_who_was_replaced_can_no_longer_write(db: Database, clock: Clock) -> None:
    standby = Lease(db.engine, "standby", clock)
    standby.attempt()
    clock.now += 3
    assert standby.attempt()
    with pytest.raises(LeaseLost, match="test no longer owns"):
        db.lease.heartbeat()
    with pytest.raises(LeaseLost):
        db.append()
    standby.heartbeat()


def test_of_two_standbys_one_takes_over(db: Database, clock: Clock) -> None:
    first, second = Lease(db.engine, "first", clock), Lease(db.engine, "second", clock)
    assert [first.attempt(), second.attempt()] == [False, False]
    clock.now += 3
    assert [first.attempt(), second.attempt()] == [True, False]


def test_of_many_that_claim_a_free_lease_at_once_one_gets_it(db: Database) -> None:
    db.lease.release()
    racers = [Lease(db.engine, f"racer {n}") for n in range(8)]
    with ThreadPoolExecutor(len(racers)) as pool:
        won = list(pool.map(lambda racer: racer.attempt(), racers))
    assert sum(won) == 1
    racers[won.index(True)].heartbeat()


def test_the_token_only_grows(db: Database) -> None:
    tokens = [db.lease.token]
    for name in ("a", "b"):
        db.lease.release()
        lease = Lease(db.engine, name)
        lease.attempt()
        tokens.append(lease.token)
        lease.release()
    assert tokens == sorted(set(tokens))
    assert None not in tokens


def test_without_the_lease_nothing_is_written(db: Database) -> None:
    never = Lease(db.engine, "never")
    assert never.token is None
    with pytest.raises(LeaseLost), guarded(db.engine, never.guard):
        pytest.fail("the guard let it pass")


def test_a_release_twice_or_by_who_lost_it_frees_nothing(db: Database, clock: Clock) -> None:
    standby = Lease(db.engine, "standby", clock)
    standby.attempt()
    clock.now += 3
    standby.attempt()
    db.lease.release()
    db.lease.release()
    assert not Lease(db.engine, "third").attempt()
    standby.heartbeat()


def test_waiting_ends_when_told_to_stop(db: Database, clock: Clock) -> None:
    stop = threading.Event()
    standby = Lease(db.engine, "standby", clock, interval=0.02)
    answers: list[bool] = []
    waiting = threading.Thread(target=lambda: answers.append(standby.acquire(stop)))
    waiting.start()
    stop.set()
    waiting.join()
    assert answers == [False]
    db.lease.heartbeat()


def test_a_clean_release_lets_a_waiting_standby_in(db: Database, clock: Clock) -> None:
    # Its clock stands still, so only the release can let it in.
    standby = Lease(db.engine, "standby", clock, interval=0.02)
    waiting = threading.Thread(target=standby.acquire, args=(threading.Event(),))
    assert not standby.attempt()
    waiting.start()
    db.lease.release()
    waiting.join()
    standby.heartbeat()


def test_kill_9_of_the_owner_hands_over_with_a_greater_token(
    db: Database, start: Start, clock: Clock
) -> None:
    db.lease.release()
    owner = start(OWNER, db.url)
    token = int(line(owner))
    standby = Lease(db.engine, "standby", clock)
    for _ in range(3):
        assert not standby.attempt()
        before = beats(db)
        eventually(lambda before=before: beats(db) > before)
        clock.now += 10
        assert not standby.attempt()
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    standby.attempt()
    clock.now += 3
    assert standby.attempt()
    assert standby.token is not None
    assert standby.token > token


def test_an_owner_in_another_process_ends_when_it_is_replaced(
    db: Database, start: Start, clock: Clock
) -> None:
    db.lease.release()
    owner = start(OWNER, db.url)
    line(owner)
    eventually(lambda: paused(owner, db))
    standby = Lease(db.engine, "standby", clock)
    assert not standby.attempt()
    clock.now += 3
    assert standby.attempt()
    owner.send_signal(signal.SIGCONT)
    assert owner.wait() != 0
    standby.heartbeat()
