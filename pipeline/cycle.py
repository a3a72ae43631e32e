"""The cycle: fetch, record, book, snapshot, keep, ring."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from time import monotonic, perf_counter

import structlog

import telemetry
from ledger.bucket import Row
from ledger.moment import MICROS, MINUTE, Clock
from pipeline.alerts import Alerts
from pipeline.books import Books
from pipeline.drift import Accountable, Drift
from pipeline.fetch import EXCHANGE, Fetch
from pipeline.inlet import Inlet
from pipeline.observation import Observation, figures
from pipeline.pace import Waiting
from pipeline.sources.source import Held
from storage.bell import Bell
from storage.facts import Facts
from storage.rollups import Rollups
from storage.snapshots import Snapshots
from storage.tiers import Tiers

AHEAD = 5 * MINUTE
"""How far a source's clock may run ahead of ours before its facts wait."""

SERVE_SECONDS = 0.1
"""How often commands are looked for: a query, for which no trade should wait each time."""

PREVIEW_SECONDS = 10.0
"""How often an unfinished import is shown."""

BUSY_SECONDS = 5.0
"""How long trades may keep the book from being compared with the exchange's positions."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Store:
    """Where the worker keeps things."""

    facts: Facts
    rollups: Rollups
    snapshots: Snapshots
    tiers: Tiers
    bell: Bell


class Cycle:
    """From the sources to the bell; one thread drives it, and only that thread books.

    Either `run`, once a tick, waits for the polls; or the clockwork calls `begin` at a tick,
    `tend` often, and `commit` when a snapshot is due, so that no fact waits for a poll.
    """

    def __init__(  # noqa: PLR0913 -- the one place where they all meet
        self,
        fetch: Fetch,
        store: Store,
        books: Books,
        mode: str,
        clock: Clock,
        *,
        inlets: Sequence[Inlet] = (),
    ) -> None:
        """Load what storage holds, so that the first run goes on where the last one ended."""
        self._fetch = fetch
        self._store = store
        self._books = books
        self._mode = mode
        self._clock = clock
        self._inlets = inlets
        self._served: float | None = None
        self._serve_due = float("-inf")
        self._drift = Drift(clock)
        self._quiet = monotonic()
        self._epoch = store.snapshots.epoch()
        last = store.snapshots.last()
        told = Alerts(last[2] if last else None)
        self._observation = Observation(fetch, books, store.facts, told)
        self._shown = False
        self._preview_due = monotonic() + PREVIEW_SECONDS
        meta = store.snapshots.meta()
        self._as_of = last[1] if last else 0
        self._net = int(meta.get("net", "0"))
        self._complete = self._loaded = meta.get("complete") == "1"
        self._resume(meta)
        self.news = fetch.news

    def _resume(self, meta: Mapping[str, str]) -> None:
        """Open the books where the rows of the last committed snapshot end."""
        now, first = self._clock(), meta.get("first_row")
        pending = self._store.facts.pending()
        since = self._as_of if pending is None else min(pending, self._as_of)
        if meta.get("mark_policy", self._books.policy) != self._books.policy:
            since = 0
            log.info("another mark policy: every row is computed anew", was=meta["mark_policy"])
        self._books.open(now, int(first) if first and self._complete else None, since)
        # Only for what is held: the rows since the last snapshot are written with the next one.
        self._books.tape.look(max(now, self._as_of))

    def run(self) -> bool:
        """Do a whole tick, waiting for the polls; return whether more waits already."""
        with _timed("fetch"):
            self._fetch.run(self._held())
        self._serve()
        self.commit()
        mended = self._mend()
        return mended or self._fetch.progressed() or self._fetch.importing

    def begin(self) -> None:
        """Ask every source that is due; `waiting` tells when they have answered."""
        self._fetch.start(self._held())

    def tend(self) -> bool:
        """Look after polls, streams and commands, waiting for none; return whether to tick now."""
        self._fetch.reap()
        if self._complete:
            self._reread()  # before the polls out of turn, which a busy account always wants
        self._fetch.tend(self._held())
        overdue = monotonic() - self._serve_due
        if overdue >= (0 if self._fetch.traded is None else SERVE_SECONDS):
            self._serve_due = monotonic() + SERVE_SECONDS
            self._serve()
        return self._fetch.progressed() or (not self._complete and self._fetch.polled(EXCHANGE))

    def waiting(self) -> Waiting:
        """Return what is not in a snapshot yet; an import has its own pace."""
        fetch, answered = self._fetch, self._fetch.answered
        if not self._loaded:
            return Waiting(answered=answered)
        came = [at for at in (fetch.traded, self._served) if at is not None]
        return Waiting(min(came, default=None), fetch.marked, answered)

    def commit(self) -> None:
        """Record what waits, book, snapshot, keep, ring."""
        came = self.waiting().traded
        self._fetch.gather()
        with self._fetch.recording:
            with _timed("book"):
                as_of, rows = self._book()
            with _timed("snapshot"):
                seq, text = self._snapshot(as_of, rows)
        self._keep(seq, text)
        with _timed("ring"):
            self._store.bell.ring(seq)
        if came is not None:
            telemetry.EVENT_SECONDS.observe(monotonic() - came)

    def stop(self) -> None:
        """Let a running import end with the page it is at; a run that waits for it ends too."""
        self._fetch.stop()

    def _held(self) -> Held:
        return Held(self._books.tape.account.book.held(), self._clock())

    def _serve(self) -> None:
        """Let commands become facts."""
        for inlet in self._inlets:
            with self._fetch.recording:
                worked = inlet.run()
            if worked and self._served is None:
                self._served = monotonic()

    def _book(self) -> tuple[int, dict[str, list[Row]]]:
        """Book what was recorded; return the instant reached and the rows that changed."""
        news = self._fetch.drain()
        news += [recorded for inlet in self._inlets for recorded in inlet.drain()]
        self._served = None
        now = self._clock()
        if self._loaded:
            self._books.take(news, now)
            self._books.settle(now)
        else:
            self._preview(now)
        latest = self._books.tape.latest(now + AHEAD)
        self._as_of = max(self._as_of + 1, now, latest)
        if not self._complete:
            self._begin()
        return self._as_of, self._books.roll(self._as_of)

    def _preview(self, now: int) -> None:
        """Load what has been imported so far; seldom, since an import brings it in any order."""
        began = monotonic()
        self._loaded = self._fetch.histories_whole
        stuck = not self._shown and not self._fetch.importing
        if self._loaded or stuck or began >= self._preview_due:
            self._shown = True
            self._books.open(now, None, None)
            took = monotonic() - began
            self._preview_due = monotonic() + max(PREVIEW_SECONDS, 10 * took)

    def _begin(self) -> None:
        """Write the rows of all that happened before the first complete snapshot."""
        if not self._fetch.complete(self._held_after()):
            return
        self._books.begin(self._as_of)
        rows = self._books.roll(self._as_of)
        self._store.rollups.clear()
        self._store.rollups.write(rows)
        self._books.committed(rows)
        self._complete = True
        log.info("history complete", rows=sum(map(len, rows.values())))

    def _held_after(self) -> Held:
        self._books.tape.look(self._as_of)
        return self._held()

    def _snapshot(self, as_of: int, rows: dict[str, list[Row]]) -> tuple[int, bytes]:
        """Store and number the statement with the rows that belong to it."""
        snapshot = self._observation.at(as_of, self._mode, self._net, complete=self._complete)
        meta = {
            "net": str(snapshot.net),
            "mode": self._mode,
            "mark_policy": self._books.policy.value,
        }
        if self._complete:
            meta |= {
                "complete": "1",
                "first_row": str(self._books.first),
                "opening_revenue": str(self._books.opening_revenue),
            }
        seq, text = self._store.snapshots.append(
            as_of,
            figures(snapshot),
            snapshot.document,
            rows,
            meta,
            restated=self._books.restatements,
        )
        self._books.committed(rows)
        self._net = snapshot.net
        telemetry.SNAPSHOT_SEQ.set(seq)
        telemetry.SNAPSHOT_TIME.set(as_of / MICROS)
        return seq, text

    def _keep(self, seq: int, text: bytes) -> None:
        with _timed("keep"):
            self._store.tiers.publish(self._epoch, seq, self._as_of, text)

    def _mend(self) -> bool:
        feed = self._fetch.feeds.get(EXCHANGE)
        if feed is None or not self._complete or not self._fetch.idle(feed.name):
            return False
        source = feed.source
        if not isinstance(source, Accountable):
            return False
        tickers = self._drift.due(source, self._books.tape.account.book)
        if tickers:
            feed.read(partial(self._drift.again, source, tickers))
        return bool(tickers)

    def _reread(self) -> None:
        """Begin to read markets again whose reported or pushed position is not the book's."""
        feed = self._fetch.feeds.get(EXCHANGE)
        if feed is None or not self._fetch.idle(feed.name) or self._booking():
            return
        source, book = feed.source, self._books.tape.account.book
        if not isinstance(source, Accountable):
            return
        tickers = self._drift.due(source, book) if self._fetch.polled(feed.name) else []
        if not tickers:
            tickers = sorted({name for live in self._fetch.lives for name in live.astray(book)})
        if tickers:
            log.info("book differs from the exchange", tickers=tickers)
            job = partial(feed.read, partial(self._drift.again, source, tickers))
            self._fetch.begin(feed.name, job)

    def _booking(self) -> bool:
        """Whether trades wait for the book; those of a busy account do not put it off for ever."""
        now, waits = monotonic(), self.waiting().traded is not None
        self._quiet = self._quiet if waits else now
        return waits and now - self._quiet < BUSY_SECONDS


@contextmanager
def _timed(stage: str) -> Iterator[None]:
    began = perf_counter()
    yield
    telemetry.STAGE_SECONDS.labels(stage).observe(perf_counter() - began)
