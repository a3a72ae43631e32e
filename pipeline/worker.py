"""The worker: waits for the lease, then owns the facts until told to stop."""

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from threading import Event, Lock, Timer
from time import monotonic
from zoneinfo import ZoneInfo

import structlog

from ledger import moment
from ledger.pnl import Policy
from pipeline.books import Books
from pipeline.commands import Commands
from pipeline.cycle import Cycle, Store
from pipeline.drift import Accountable
from pipeline.feed import POLL_SECONDS, Feed
from pipeline.fetch import Fetch
from pipeline.pace import MARK_SECONDS
from pipeline.progress import Tracker, noted
from pipeline.pulse import beating
from pipeline.reconcile.watch import watched
from pipeline.schedule import Schedule
from pipeline.sources.source import Source
from pipeline.standing import PARTS
from storage import engine, schema
from storage.bell import Bell
from storage.facts import Facts
from storage.inbox import Inbox
from storage.lease import Lease
from storage.progress import Imports
from storage.reconciliation import Reconciliations
from storage.rollups import Rollups
from storage.snapshots import Snapshots
from storage.tiers import Tiers

SOURCES = ("kalshi", "anthropic", "revenue")

log = structlog.get_logger()


TAKEOVER_SECONDS = 5.0
"""How long a command waits for the lease: enough to see that a dead owner is silent."""


class WrongDatabase(RuntimeError):
    """The database belongs to another mode, and says which one."""


class Busy(RuntimeError):
    """Another worker owns the database."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a worker is told: where to keep, how to value, how often to tick."""

    database_url: str
    redis_url: str
    policy: Policy
    zone: ZoneInfo
    tick: float
    mode: str
    clock: moment.Clock = moment.system
    mark: float = MARK_SECONDS
    rates: Mapping[str, Decimal] = field(default_factory=dict)


class Worker:
    """One process that may own the lease; a second one waits as a hot standby."""

    def __init__(self, plan: Plan, sources: Callable[[], Sequence[Source]]) -> None:
        """Bring the database up to date; `sources` are opened once the lease is held."""
        self._plan = plan
        self._sources = sources
        self._engine = engine.writer(plan.database_url)
        schema.upgrade(self._engine)
        self._lease = Lease(self._engine, f"{socket.gethostname()}:{os.getpid()}")

    def run(self, stop: Event) -> None:
        """Own the lease and tick until `stop`; LeaseLost when another process took over."""
        if not self._lease.acquire(stop):
            return
        self._owning(partial(self._scheduled, stop))

    def _scheduled(self, stop: Event, cycle: Cycle, fetch: Fetch) -> None:
        guard, clock = self._lease.guard, self._plan.clock
        snapshots = Snapshots(self._engine, guard)
        schedule = Schedule(cycle, self._lease, snapshots, self._plan.tick, self._plan.mark)
        facts, kept = Facts(self._engine, guard, clock), Reconciliations(self._engine, guard)
        with watched(fetch.feeds.values(), facts, kept, clock):
            schedule.run(stop)

    def tracker(self, fetch: Fetch) -> Tracker:
        """Return what follows the imports that are not whole."""
        imports = Imports(self._engine, self._lease.guard)
        return Tracker(fetch.feeds.values(), imports, self._plan.clock, monotonic())

    def own(self, drive: Callable[[Cycle, Fetch], None]) -> None:
        """Let a command drive the cycle while no worker does; Busy when one holds the lease."""
        stop = Event()
        timer = Timer(TAKEOVER_SECONDS, stop.set)
        timer.start()
        owned = self._lease.acquire(stop)
        timer.cancel()
        if not owned:
            raise Busy("a worker owns this database and imports by itself; see the status page")
        self._owning(drive)

    def _owning(self, drive: Callable[[Cycle, Fetch], None]) -> None:
        sources: Sequence[Source] = ()
        try:
            self._claim()
            sources = self._sources()
            with beating(self._lease):
                self._drive(sources, drive)
        finally:
            for source in sources:
                source.close()
            self._lease.release()

    def _claim(self) -> None:
        """Refuse a database of another mode: demo figures never mix with real ones."""
        snapshots = Snapshots(self._engine, self._lease.guard)
        known = snapshots.meta().get("mode", self._plan.mode)
        if known != self._plan.mode:
            raise WrongDatabase(
                f"it holds {known} figures, not {self._plan.mode}; "
                "they never mix, so choose another"
            )
        snapshots.remember({"mode": self._plan.mode})

    def _drive(self, sources: Sequence[Source], drive: Callable[[Cycle, Fetch], None]) -> None:
        store = self._store()
        fetch = self._fetch(sources, store.facts)
        books = Books(store.facts, store.rollups, self._plan.policy, self._plan.zone)
        store.facts.convert(self._plan.rates)
        commands = Commands(store.facts, Inbox(self._engine, self._lease.guard), self._plan.clock)
        try:
            with noted(self.tracker(fetch), monotonic):
                mode, clock = self._plan.mode, self._plan.clock
                drive(Cycle(fetch, store, books, mode, clock, inlets=[commands]), fetch)
        finally:
            fetch.close()
            store.bell.close()
            store.tiers.close()

    def _store(self) -> Store:
        guard = self._lease.guard
        return Store(
            Facts(self._engine, guard, self._plan.clock),
            Rollups(self._engine, guard),
            Snapshots(self._engine, guard),
            Tiers(self._plan.redis_url or None),
            Bell(self._plan.database_url, self._plan.redis_url or None),
        )

    def _fetch(self, sources: Sequence[Source], facts: Facts) -> Fetch:
        recording = Lock()
        for source in sources:
            if isinstance(source, Accountable):
                source.recall(facts.markets())
        feeds = [Feed(source, facts, self._plan.clock, recording) for source in sources]
        names = {source.name for source in sources}
        shown = {PARTS.get(name, name) for name in names}
        off = [name for name in SOURCES if name not in shown]
        return Fetch(feeds, off, recording, min(POLL_SECONDS, self._plan.tick))
