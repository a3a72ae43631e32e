"""The cycle: fetch, record, book, snapshot, keep, ring."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic, perf_counter

import structlog

import telemetry
from ledger.bucket import Row
from ledger.moment import MICROS, MINUTE, Clock, parse
from ledger.snapshot import Alert, Cash, Snapshot, SourceState
from pipeline.books import Books
from pipeline.drift import Drift
from pipeline.fetch import EXCHANGE, Fetch
from pipeline.sources.source import Held
from storage.bell import Bell
from storage.facts import Facts
from storage.rollups import Rollups
from storage.snapshots import Snapshots
from storage.text import decode
from storage.tiers import Tiers

AHEAD = 5 * MINUTE
"""How far a source's clock may run ahead of ours before its facts wait."""

PREVIEW_SECONDS = 10.0
"""How often an unfinished import is shown."""

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
    """From the sources to the bell, once a tick."""

    def __init__(self, fetch: Fetch, store: Store, books: Books, mode: str, clock: Clock) -> None:
        """Load what storage holds, so that the first run goes on where the last one ended."""
        self._fetch = fetch
        self._store = store
        self._books = books
        self._mode = mode
        self._clock = clock
        self._drift = Drift(clock)
        self._epoch = store.snapshots.epoch()
        last = store.snapshots.last()
        self._alerts = _alerts(last[2]) if last else {}
        self._shown = False
        self._preview_due = monotonic() + PREVIEW_SECONDS
        meta = store.snapshots.meta()
        self._as_of = last[1] if last else 0
        self._net = int(meta.get("net", "0"))
        self._complete = self._loaded = meta.get("complete") == "1"
        self._resume(meta)

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
        """Fetch, record, book, snapshot, keep, ring; return whether more waits already."""
        with _timed("fetch"):
            self._fetch.run(self._held())
        with self._fetch.recording:
            with _timed("book"):
                as_of, rows = self._book()
            with _timed("snapshot"):
                seq, text = self._snapshot(as_of, rows)
        self._keep(seq, text)
        with _timed("ring"):
            self._store.bell.ring(seq)
        mended = self._mend()
        return mended or self._fetch.progressed() or self._fetch.importing

    def stop(self) -> None:
        """Let a running import end with the page it is at; a run that waits for it ends too."""
        self._fetch.stop()

    def _held(self) -> Held:
        return Held(self._books.tape.account.book.held(), self._clock())

    def _book(self) -> tuple[int, dict[str, list[Row]]]:
        """Book what was recorded; return the instant reached and the rows that changed."""
        news = self._fetch.drain()
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
        snapshot = self._statement(as_of)
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

    def _statement(self, as_of: int) -> Snapshot:
        books = self._books
        trading, revenue, costs = books.trading(), books.revenue(as_of), books.costs(as_of)
        net = trading.total + revenue.recognized - costs.total
        states = self._fetch.states(as_of)
        return Snapshot(
            as_of,
            books.since(as_of),
            self._mode,
            self._complete,
            trading,
            revenue,
            costs,
            self._cash(),
            books.change(net, self._net, as_of),
            states,
            self._raised(states, as_of),
        )

    def _cash(self) -> Cash:
        feed = self._fetch.feeds.get(EXCHANGE)
        known = feed.cursor if feed else {}
        balance, positions = known.get("balance"), known.get("portfolio_value")
        return Cash(
            None if balance is None else int(balance),
            None if positions is None else int(positions),
        )

    def _raised(self, states: dict[str, SourceState], now: int) -> tuple[Alert, ...]:
        """Return the open alerts, each since it was first raised."""
        titles = {
            f"source.{name}": ("critical", f"{name}: {state.detail or 'no answer'}")
            for name, state in states.items()
            if state.status == "failing"
        }
        refused = self._store.facts.refused()
        if refused:
            titles["quarantine"] = ("warning", f"{refused} row(s) refused and not counted")
        self._alerts = {
            key: Alert(key, severity, title, self._since(key, now))
            for key, (severity, title) in titles.items()
        }
        return tuple(self._alerts.values())

    def _since(self, key: str, now: int) -> int:
        known = self._alerts.get(key)
        return known.since if known else now

    def _keep(self, seq: int, text: bytes) -> None:
        with _timed("keep"):
            self._store.tiers.publish(self._epoch, seq, self._as_of, text)

    def _mend(self) -> bool:
        feed = self._fetch.feeds.get(EXCHANGE)
        if feed is None or not self._complete or not self._fetch.idle(feed.name):
            return False
        return self._drift.mend(feed, self._books.tape.account.book)


def figures(snapshot: Snapshot) -> dict[str, int]:
    """Return the integers a snapshot's row keeps."""
    return {
        "net": snapshot.net,
        "realized": snapshot.trading.realized,
        "unrealized": snapshot.trading.unrealized,
        "fees": snapshot.trading.fees,
        "recognized": snapshot.revenue.recognized,
        "pending": snapshot.revenue.pending,
        "deferred": snapshot.revenue.deferred,
        "pipeline": snapshot.revenue.pipeline,
        "pipeline_weighted": snapshot.revenue.pipeline_weighted,
        "billed": snapshot.costs.billed,
        "estimated": snapshot.costs.estimated,
    }


def _alerts(document: bytes) -> dict[str, Alert]:
    """Return the alerts that were open in a stored document."""
    shown = decode(document).get("alerts", ())
    return {
        one["id"]: Alert(one["id"], one["severity"], one["title"], parse(one["since"]))
        for one in shown
    }


@contextmanager
def _timed(stage: str) -> Iterator[None]:
    began = perf_counter()
    yield
    telemetry.STAGE_SECONDS.labels(stage).observe(perf_counter() - began)
