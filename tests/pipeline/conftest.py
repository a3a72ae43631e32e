"""A database, and a scripted source behind the same seam as the real ones."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from ledger.facts import Fill, Side
from ledger.moment import HOUR, parse
from ledger.money import contracts, dollars
from ledger.pnl import Policy
from pipeline.books import Books
from pipeline.cycle import Cycle, Store
from pipeline.feed import Feed
from pipeline.fetch import Fetch
from pipeline.inlet import Inlet
from pipeline.sources.source import Deadline, Held
from storage import engine, schema
from storage.bell import Bell
from storage.engine import Guard, unguarded
from storage.facts import Facts, Page
from storage.rollups import Rollups
from storage.snapshots import Snapshots
from storage.tiers import Tiers

NOON = parse("2026-11-20T12:00:00Z")


@dataclass
class Hands:
    """A clock that stands until it is moved."""

    now: int = NOON + 2 * HOUR

    def __call__(self) -> int:
        """Return the time the hands show."""
        return self.now


@dataclass
class Script:
    """A source that delivers the pages it is given: a history once, then tails in turn."""

    name: str = "kalshi"
    cadence: float = 0.0
    detail: str = ""
    past: Sequence[Page] = ()
    tails: list[Sequence[Page] | Exception] = field(default_factory=list)
    closed: bool = False

    def history(self, cursor: Mapping[str, str]) -> Iterator[Page]:
        """Yield the history; the last page says it is whole."""
        del cursor
        yield from self.past
        yield Page(self.name, cursor={"complete": "1"})

    def poll(self, cursor: Mapping[str, str], held: Held, deadline: Deadline) -> Iterator[Page]:
        """Yield the next tail, or raise it."""
        del cursor, held, deadline
        tail = self.tails.pop(0) if self.tails else ()
        if isinstance(tail, Exception):
            raise tail
        yield from tail

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


@pytest.fixture
def script() -> type[Script]:
    return Script


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'northstar.db'}"


@contextmanager
def kept(url: str, hands: Hands, synchronous: str = "full") -> Iterator[Store]:
    """Open a store on a database that is up to date."""
    opened = engine.writer(url, synchronous)
    bell = Bell(url)
    yield stored(opened, unguarded, hands, bell)
    bell.close()
    opened.dispose()


def stored(opened: Engine, guard: Guard, hands: Hands, bell: Bell) -> Store:
    """Put a store together on an engine, its writes under a guard."""
    facts = Facts(opened, guard, hands)
    return Store(facts, Rollups(opened, guard), Snapshots(opened, guard), Tiers(), bell)


def assembled(
    store: Store,
    hands: Hands,
    *sources: Script,
    policy: Policy = Policy.BID,
    inlets: Sequence[Inlet] = (),
) -> tuple[Cycle, Fetch]:
    """Put a cycle over scripted sources together, as a worker does after a start or a crash."""
    recording = Lock()
    feeds = [Feed(source, store.facts, hands, recording) for source in sources]
    fetch = Fetch(feeds, ["anthropic"], recording)
    books = Books(store.facts, store.rollups, policy, ZoneInfo("America/Los_Angeles"))
    return Cycle(fetch, store, books, "live", hands, inlets=inlets), fetch


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one empty database that properties copy."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    opened = engine.writer(f"sqlite:///{path}")
    schema.upgrade(opened)
    opened.dispose()
    return path


@pytest.fixture
def store(url: str, hands: Hands) -> Iterator[Store]:
    opened = engine.writer(url)
    schema.upgrade(opened)
    opened.dispose()
    with kept(url, hands) as made:
        yield made


@pytest.fixture
def started(store: Store, hands: Hands) -> Iterator[Callable[..., Cycle]]:
    """Start a cycle over scripted sources, as a worker does after a start or a crash."""
    fetches: list[Fetch] = []

    def start(*sources: Script, store: Store = store) -> Cycle:
        cycle, fetch = assembled(store, hands, *sources)
        fetches.append(fetch)
        return cycle

    yield start
    for fetch in fetches:
        fetch.close()


@pytest.fixture
def filled() -> Callable[..., Fill]:
    """Make a fill: id, time, side and count with the price of YES."""

    def fill(name: str, time: int, side: str, count: str, price: str, fee: str = "0") -> Fill:
        return Fill(
            name,
            time,
            "KXCPI-26NOV-T3",
            Side(side),
            contracts(count),
            dollars(price),
            dollars(fee),
            is_taker=True,
        )

    return fill
