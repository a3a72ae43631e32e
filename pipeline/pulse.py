"""The pulse: the lease's heartbeat while the owner is busy with something long."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from storage.lease import Lease, LeaseLost

SECONDS = 1.0


@contextmanager
def beating(lease: Lease) -> Iterator[None]:
    """Beat once a second in a thread of its own, from the loading of an account to its end."""
    ended = Event()
    thread = Thread(target=_beat, args=(lease, ended), name="pulse", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _beat(lease: Lease, ended: Event) -> None:
    while not ended.wait(SECONDS):
        try:
            lease.heartbeat()
        except LeaseLost:
            # The owner's next write says the same where it can be heard: every one is guarded.
            return
