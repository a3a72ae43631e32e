"""A worker that dies at its n-th storage call, and an upstream that outlives it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, event

from ledger.bucket import Row
from ledger.pnl import Policy
from pipeline.books import Books
from pipeline.sources.source import Deadline, Held
from storage import engine
from storage.bell import Bell
from storage.facts import Page
from storage.lease import Lease
from tests.pipeline.conftest import Hands, assembled, stored

if TYPE_CHECKING:
    from pipeline.fetch import Fetch

ZONE = ZoneInfo("America/Los_Angeles")


class Died(BaseException):
    """The process is no more."""


@dataclass
class Mortality:
    """Counts storage calls; from the one it dies at, none is answered any more."""

    dies_at: int = 0
    calls: int = 0
    dead: bool = False

    def watch(self, opened: Engine) -> None:
        """Stand before every statement, every begin and every commit of an engine."""
        event.listen(opened, "before_cursor_execute", self._call)
        event.listen(opened, "commit", self._call)

    def _call(self, *_: object) -> None:
        self.calls += 1
        self.dead = self.dead or self.calls == self.dies_at
        if self.dead:
            raise Died


@dataclass
class Upstream:
    """Pages in the order they came to be; a cursor is how many of them were taken."""

    name: str = "kalshi"
    cadence: float = 0.0
    detail: str = ""
    pages: list[Page] = field(default_factory=list)
    past: int = 0

    def history(self, cursor: Mapping[str, str]) -> Iterator[Page]:
        """Yield what there was at first, from the cursor on."""
        yield from self._from(cursor, self.past)
        yield Page(self.name, cursor={"complete": "1"})

    def poll(self, cursor: Mapping[str, str], held: Held, deadline: Deadline) -> Iterator[Page]:
        """Yield what came since."""
        del held, deadline
        yield from self._from(cursor, len(self.pages))

    def _from(self, cursor: Mapping[str, str], end: int) -> Iterator[Page]:
        for index in range(int(cursor.get("at", "0")), end):
            yield replace(self.pages[index], cursor={"at": str(index + 1)})

    def close(self) -> None:
        """Have nothing to let go of."""


class Process:
    """One life of a worker: its engine, its lease, its cycle."""

    def __init__(self, url: str, hands: Hands, upstream: Upstream, dies_at: int = 0) -> None:
        """Begin as a worker does after a predecessor that fell silent; Died when it dies of it."""
        self._engine = engine.writer(url, "off")
        self.mortality = Mortality(dies_at)
        self.mortality.watch(self._engine)
        self._bell = Bell(url)
        self._clock = 0.0
        lease = Lease(self._engine, f"worker {id(self)}", lambda: self._clock)
        self._upstream = upstream
        self.fetch: Fetch | None = None
        try:
            self._inherit(lease)
            self.store = stored(self._engine, lease.guard, hands, self._bell)
            self.cycle, self.fetch = assembled(self.store, hands, upstream)
        except Died:
            self.end()
            raise

    def _inherit(self, lease: Lease) -> None:
        while not lease.attempt():
            self._clock += 10.0

    def run(self) -> None:
        """Tick until nothing waits and all there is was taken, however busy the machine."""
        while self.cycle.run() or self._behind():
            pass

    def _behind(self) -> bool:
        assert self.fetch is not None
        (feed,) = self.fetch.feeds.values()
        return int(feed.cursor.get("at", "0")) < len(self._upstream.pages)

    def stream(self, page: Page) -> None:
        """Let a page arrive beside the polls, without any cursor."""
        assert self.fetch is not None
        (feed,) = self.fetch.feeds.values()
        feed.push(page)

    def end(self) -> None:
        """Let go of everything in memory; what is committed stays."""
        self.mortality.dead = True
        if self.fetch:
            self.fetch.close()
        self._bell.close()
        self._engine.dispose()


def rebuilt(process: Process, hands: Hands) -> dict[str, list[Row]]:
    """Return the rows of a rebuild from what is stored, by a reader of its own."""
    store = process.store
    last = store.snapshots.last()
    assert last is not None
    books = Books(store.facts, store.rollups, Policy.BID, ZONE)
    books.open(hands.now, None, None)
    books.begin(last[1])
    return books.roll(last[1])
