"""The watch: every source whose history is whole, beside the ticks, until the worker ends."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any

import pytest

from ledger.facts import Deal, Status
from ledger.moment import HOUR
from ledger.money import NANO
from pipeline.cycle import Store
from pipeline.feed import Feed
from pipeline.reconcile.watch import Hours, Watch, watched
from pipeline.sources.client import Unreachable
from pipeline.sources.source import Deadline, Held
from storage import engine
from storage.engine import unguarded
from storage.facts import Page
from storage.lease import LeaseLost
from storage.reconciliation import Reconciliations, runs
from tests.pipeline.conftest import NOON, Hands, Script
from tests.product import until

DEAL = Deal("revenue", "d", "Pilot", Status.RECOGNIZED, NANO, NOON)


@dataclass
class Book(Script):
    """A source of deals that also tells its whole list."""

    name: str = "revenue"
    told: list[Deal] = field(default_factory=list)
    error: Exception | None = None
    reading: Event = field(default_factory=Event)

    def listing(self, deadline: Deadline) -> Iterator[Page]:
        """Yield a page a deal, or fail."""
        del deadline
        self.reading.set()
        if self.error:
            raise self.error
        for deal in self.told:
            yield Page(self.name, (deal,))


@pytest.fixture
def kept(url: str, store: Store) -> Iterator[Reconciliations]:
    del store
    opened = engine.writer(url)
    yield Reconciliations(opened, unguarded)
    opened.dispose()


@pytest.fixture
def fed(store: Store, hands: Hands) -> Callable[..., Feed]:
    """Make the feed of a source, its history read unless told otherwise."""

    def feed(source: Any, *, whole: bool = True) -> Feed:
        made = Feed(source, store.facts, hands, Lock())
        if whole:
            made.poll(Held(frozenset(), hands.now))
        return made

    return feed


def newest(url: str) -> list[dict[str, Any]]:
    """Return the newest run of each source."""
    opened = engine.writer(url)
    with engine.deferred(opened).connect() as connection:
        found = runs(connection)
    opened.dispose()
    return found


def test_each_source_is_compared_again_and_again(
    url: str, store: Store, hands: Hands, kept: Reconciliations, fed: Callable[..., Feed]
) -> None:
    feeds = [fed(Book(told=[DEAL])), fed(Script("kalshi"))]
    with watched(feeds, store.facts, kept, hands, Hours(0.0, 0.01)):
        until(lambda: (found := newest(url)) and found[0]["id"] > 1, "a second run")
    (run,) = newest(url)
    assert (run["source"], run["checked"], run["differences"]) == ("revenue", 1, 1)
    assert run["time"] == hands.now == NOON + 2 * HOUR


def test_an_import_is_not_compared_and_a_source_that_fails_keeps_nothing_from_the_others(
    url: str, store: Store, hands: Hands, kept: Reconciliations, fed: Callable[..., Feed]
) -> None:
    early, broken = Book(), Book(error=Unreachable("GET /deals: no connection"))
    feeds = [fed(early, whole=False), fed(broken), fed(Book("hubspot", told=[]))]
    Watch(feeds, store.facts, kept, hands, Event()).compare()
    assert [run["source"] for run in newest(url)] == ["hubspot"]
    assert not early.reading.is_set()
    assert broken.reading.is_set()


def test_the_end_of_the_worker_ends_a_run_at_its_next_page(
    url: str, store: Store, hands: Hands, kept: Reconciliations, fed: Callable[..., Feed]
) -> None:
    book, ending = Book(told=[DEAL] * 3), Event()
    watch = Watch([fed(book)], store.facts, kept, hands, ending)
    ending.set()
    watch.run(Hours(0.0, 0.0))
    assert newest(url) == []


class Lost(Reconciliations):
    """Runs that another process keeps."""

    tries = 0

    def keep(self, *_: object) -> None:
        """Lose the lease."""
        self.tries += 1
        raise LeaseLost("another owns the database")


def test_a_lost_lease_ends_the_watch(
    url: str, store: Store, hands: Hands, fed: Callable[..., Feed]
) -> None:
    opened = engine.writer(url)
    lost = Lost(opened, unguarded)
    Watch([fed(Book())], store.facts, lost, hands, Event()).run(Hours(0.0, 0.0))
    assert lost.tries == 1
    opened.dispose()
