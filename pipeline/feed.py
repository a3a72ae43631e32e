"""A feed: one source polled at its cadence, its pages recorded as they come."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Event, Lock

import structlog

import telemetry
from ledger.moment import DAY, MICROS, Clock
from ledger.snapshot import SourceState
from pipeline.sources.failure import PATIENT, Refused, Resting, SourceError
from pipeline.sources.source import Deadline, Held, Source
from storage.facts import Facts, Page, Recorded

POLL_SECONDS = 3.0
"""Total time of one poll of the tail, its retries included."""

RETRY_SECONDS = 10.0
"""How soon a source that failed is asked again, unless its cadence is sooner."""

PATIENCE = 3
"""Polls that fail in a row before a source reads as failing."""

log = structlog.get_logger()


@dataclass(slots=True)
class Health:
    """How the last polls went."""

    success: int | None = None
    latency_ms: int | None = None
    error: str = ""
    refused: bool = False
    resting: bool = False
    failures: int = 0


class Feed:
    """One source: whether a poll is due, what it brought, how it is."""

    def __init__(self, source: Source, facts: Facts, clock: Clock, recording: Lock) -> None:
        """Poll `source` into `facts`; `recording` is held while a page is made durable."""
        self._source = source
        self._facts = facts
        self._clock = clock
        self._recording = recording
        self._arrived: list[Recorded] = []
        self._traded: float | None = None
        self._marked = False
        self._attempt = float("-inf")
        self._stopping = Event()
        self._ended = False
        self._cursor = facts.cursor(source.name)
        self.name = source.name
        self.wake: Callable[[], None] = lambda: None
        self.found: Callable[[Recorded], None] = lambda _: None
        self.recorded = 0
        self.rejected = 0
        self.asked: frozenset[str] = frozenset()
        self.health = Health(success=_instant(self._cursor.get("as_of")))

    @property
    def complete(self) -> bool:
        """Whether the source has delivered its whole history once."""
        return self._cursor.get("complete") == "1"

    @property
    def cursor(self) -> dict[str, str]:
        """What the source remembers."""
        return self._cursor

    @property
    def source(self) -> Source:
        """The source itself."""
        return self._source

    @property
    def traded(self) -> float | None:
        """When, monotonic, the oldest fill or settlement not yet drained came; None without."""
        return self._traded

    @property
    def marked(self) -> bool:
        """Whether a mark has come that is not yet drained."""
        return self._marked

    def due(self) -> bool:
        """Whether its cadence has passed since the last attempt; a failure is retried sooner."""
        cadence = self._source.cadence
        wait = min(cadence, RETRY_SECONDS) if self.health.error else cadence
        return time.monotonic() - self._attempt >= wait * 0.95

    def drain(self) -> list[Recorded]:
        """Return what was recorded since the last call; call it while holding `recording`."""
        arrived, self._arrived = self._arrived, []
        self._traded, self._marked = None, False
        return arrived

    def poll(self, held: Held, *, in_turn: bool = True) -> None:
        """Read the tail, or go on with the history until it is whole; out of turn, beside both."""
        if in_turn:
            self._attempt = time.monotonic()
        if not self.complete:
            self._import()
            return
        deadline = Deadline.after(POLL_SECONDS)
        if self._read(lambda: self._source.poll(self._cursor, held, deadline)):
            self.asked = held.tickers

    def _import(self) -> None:
        self._read(lambda: self._source.history(self._cursor))
        if self.complete:
            log.info("history is whole", source=self.name, facts=self.recorded)
            self._attempt = float("-inf")

    def read(self, pages: Callable[[Deadline], Iterable[Page]]) -> None:
        """Record further pages under a deadline of their own; how the polls go stays as it is."""
        try:
            for page in pages(Deadline.after(POLL_SECONDS)):
                self._record(page)
                if self._stopping.is_set():
                    break
        except SourceError as error:
            log.warning("pages were not read again", source=self.name, error=str(error))

    def _read(self, pages: Callable[[], Iterable[Page]]) -> bool:
        with self._attempted():
            for page in pages():
                self._record(replace(page, cursor=self._dated(page.cursor)))
                if self._stopping.is_set():
                    break
        return not self.health.error and not self._stopping.is_set()

    def stop(self) -> None:
        """Let a running read end with the page it is at."""
        self._stopping.set()

    def end(self) -> None:
        """Record nothing any more; call it while holding `recording`."""
        self._ended = True

    @contextmanager
    def _attempted(self) -> Iterator[None]:
        """Turn the end of an attempt into health; what is no source's fault is raised."""
        began = time.monotonic()
        try:
            yield
        except SourceError as error:
            self.health.error = str(error)
            self.health.refused = isinstance(error, Refused)
            self.health.resting = isinstance(error, Resting)
            self.health.failures += not isinstance(error, PATIENT)
            log.warning("poll failed", source=self.name, error=str(error))
        else:
            self.health = Health(self._clock(), round((time.monotonic() - began) * 1000))
        outcome = "failed" if self.health.error else "ok"
        seconds = telemetry.SOURCE_SECONDS.labels(self.name, outcome)
        seconds.observe(time.monotonic() - began)

    def _dated(self, cursor: Mapping[str, str]) -> dict[str, str]:
        return {**cursor, "as_of": str(self._clock())}

    def push(self, page: Page) -> None:
        """Record a page that came by itself: it says nothing of where the polls stand."""
        self._record(replace(page, cursor={}), "stream")

    def _record(self, page: Page, channel: str = "rest") -> None:
        with self._recording:
            if self._ended:
                return
            recorded = self._facts.record(page)
            self._arrived.append(recorded)
            self._cursor = {**self._cursor, **page.cursor}
            self._note(recorded)
        self.recorded += len(page.facts)
        self.rejected += len(page.rejects) + recorded.conflicts
        _count(self.name, recorded, len(page.rejects))
        self._age(recorded, channel)
        if channel == "rest":
            self.found(recorded)
        if self._traded is not None:
            self.wake()

    def _note(self, recorded: Recorded) -> None:
        """Remember that a snapshot is wanted; an import has its own pace."""
        if not self.complete:
            return
        if recorded.fills or recorded.settlements:
            self._traded = time.monotonic() if self._traded is None else self._traded
        self._marked = self._marked or bool(recorded.marks)

    def _age(self, recorded: Recorded, channel: str) -> None:
        now = self._clock()
        for fill in recorded.fills if self.complete else ():
            telemetry.FILL_SECONDS.labels(channel).observe(max(0, now - fill.time) / MICROS)

    def state(self, now: int) -> SourceState:
        """Return the source as it is shown: how it is, since when, how fast."""
        health = self.health
        return SourceState(self._status(now), health.success, health.latency_ms, self._detail())

    def _status(self, now: int) -> str:
        health = self.health
        if health.refused or health.resting or health.failures >= PATIENCE:
            return "failing"
        if not self.complete:
            return "starting"
        refreshed = _instant(self._cursor.get("data_refreshed_at"))
        fresh = now - round((3 * self._source.cadence + 5) * MICROS)
        if health.success is None or health.success < fresh:
            return "stale"
        return "stale" if refreshed is not None and refreshed < now - DAY else "ok"

    def _detail(self) -> str:
        return self.health.error or self._source.detail


def _instant(text: str | None) -> int | None:
    return int(text) if text else None


def _count(source: str, recorded: Recorded, rejects: int) -> None:
    kinds: dict[str, Collection[object]] = {
        "fill": recorded.fills,
        "settlement": recorded.settlements,
        "mark": recorded.marks,
        "cost": recorded.costs,
        "deal": recorded.deals,
    }
    for kind, facts in kinds.items():
        telemetry.FACTS.labels(source, kind).inc(len(facts))
    telemetry.REFUSED.labels(source).inc(rejects + recorded.conflicts)
