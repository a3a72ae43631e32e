"""Fetch: all sources in parallel, each in its own time."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace
from functools import partial
from threading import Event, Lock

from ledger.snapshot import SourceState
from pipeline.feed import POLL_SECONDS, Feed
from pipeline.live import Stream, lives
from pipeline.sources.crew import Crew
from pipeline.sources.source import Held
from pipeline.standing import composed
from storage.facts import Recorded

EXCHANGE = "kalshi"
"""The source that is asked for the marks of what is held."""

CLOSE_SECONDS = 0.5
"""How long an upstream that hangs may hold up the end."""


class Fetch:
    """The feeds and streams; nothing here waits for the end of an import.

    Polls and re-reads of one source never run beside each other. `news` is set when a trade has
    come: whoever turns facts into snapshots waits for it.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        off: Sequence[str],
        recording: Lock,
        patience: float = POLL_SECONDS,
    ) -> None:
        """Fetch from `feeds`; `off` names those not configured; a run waits `patience` seconds."""
        self.feeds = {feed.name: feed for feed in feeds}
        self.recording = recording
        self.news = Event()
        self.patience = patience
        self._off = off
        self._crew = Crew(max(1, len(feeds)), "source")
        self._running: dict[str, Future[object]] = {}
        self._wanted: set[str] = set()
        self._polled: set[str] = set()
        self._began = float("-inf")
        self._stopped = False
        self._whole = self._histories()
        self.lives = lives(feeds, self.news.set)
        for feed in feeds:
            feed.wake = self.news.set

    def run(self, held: Held) -> None:
        """Poll every source that is due; return when each has answered or used its time."""
        self.start(held)
        wait(self._running.values(), timeout=self.patience)
        self.reap()

    def start(self, held: Held) -> None:
        """Begin to poll every source that is due."""
        self.reap()
        if self.answered:
            self._began = time.monotonic()
        for feed in self.feeds.values():
            if feed.due() and not self.begin(feed.name, partial(self._one, feed, held)):
                self._wanted |= {feed.name} if feed.complete else set()
        self._poll(held, set())

    def tend(self, held: Held) -> None:
        """Reap what has ended; begin the polls that do not wait for a tick."""
        self.reap()
        self._wanted |= {live.name for live in self.lives if live.tend()}
        for live in self.lives:
            live.stream.watch(held.tickers)
        self._poll(held, self._wanted)

    def _poll(self, held: Held, names: set[str]) -> None:
        """Begin to poll out of turn: those named, and what waits for its first mark."""
        for name, feed in self.feeds.items():
            if name in names or _unasked(feed, held):
                self.begin(name, partial(self._one, feed, held, in_turn=False))

    def _one(self, feed: Feed, held: Held, *, in_turn: bool = True) -> None:
        feed.poll(held, in_turn=in_turn)
        self._polled.add(feed.name)

    def begin(self, name: str, job: Callable[[], object]) -> bool:
        """Begin a read of one source, unless one is under way; tell whether it was begun."""
        if name in self._running:
            return False
        self._wanted.discard(name)
        self._running[name] = self._crew.submit(job)
        self._running[name].add_done_callback(lambda _: self.news.set())
        return True

    def reap(self) -> None:
        """Forget what has ended; an error that is no source's fault ends the cycle."""
        for name in [name for name, future in self._running.items() if future.done()]:
            self._running.pop(name).result()

    @property
    def answered(self) -> bool:
        """Whether what the last tick asked for has come, or has used its time."""
        running = [name for name, future in self._running.items() if not future.done()]
        tails = [name for name in running if self.feeds[name].complete]
        return not tails or time.monotonic() - self._began >= self.patience

    def polled(self, name: str) -> bool:
        """Tell once that a poll of the source has ended."""
        ended = name in self._polled
        self._polled.discard(name)
        return ended

    def gather(self) -> None:
        """Make what the streams brought durable."""
        for live in self.lives:
            live.record()

    @property
    def traded(self) -> float | None:
        """When, monotonic, the oldest fill or settlement not yet drained came; None without."""
        return min((at for way in self._ways() if (at := way.traded) is not None), default=None)

    @property
    def marked(self) -> bool:
        """Whether a mark has come that is not yet drained."""
        return any(way.marked for way in self._ways())

    def _ways(self) -> list[Feed | Stream]:
        return [*self.feeds.values(), *(live.stream for live in self.lives)]

    def drain(self) -> list[Recorded]:
        """Return everything recorded since the last call; call it while holding `recording`."""
        return [recorded for feed in self.feeds.values() for recorded in feed.drain()]

    @property
    def histories_whole(self) -> bool:
        """Whether every source has delivered its whole history once."""
        return self._histories() == self.feeds.keys()

    def complete(self, held: Held) -> bool:
        """Whether every history is whole and every open position was asked for its mark."""
        asked = [feed.asked for name, feed in self.feeds.items() if name == EXCHANGE]
        return self.histories_whole and all(held.tickers <= tickers for tickers in asked)

    def _histories(self) -> set[str]:
        return {name for name, feed in self.feeds.items() if feed.complete}

    def progressed(self) -> bool:
        """Whether a history has become whole since the last call: its tail can be read at once."""
        before, self._whole = self._whole, self._histories()
        return before != self._whole

    @property
    def importing(self) -> bool:
        """Whether a history is being read right now."""
        return any(not self.feeds[name].complete for name in self._running)

    def idle(self, name: str) -> bool:
        """Whether the source's last poll has ended."""
        return name not in self._running

    def states(self, now: int) -> dict[str, SourceState]:
        """Return every source as it is shown."""
        shown = {name: SourceState("off") for name in self._off}
        return composed(shown | {name: self._state(feed, now) for name, feed in self.feeds.items()})

    def _state(self, feed: Feed, now: int) -> SourceState:
        state = feed.state(now)
        said = [
            state.detail,
            *(live.stream.detail for live in self.lives if live.name == feed.name),
        ]
        return replace(state, detail="; ".join(filter(None, said)))

    def stop(self) -> None:
        """Let every running read end with the page it is at; one that hangs is left behind."""
        for live in self.lives:
            live.stream.close()
        for feed in self.feeds.values():
            feed.stop()
        if not self._stopped:
            self._stopped = True
            wait(self._running.values(), timeout=CLOSE_SECONDS)

    def close(self) -> None:
        """Stop, and start no more; a page that is being recorded is recorded whole, no other is."""
        self.stop()
        self._crew.close()
        with self.recording:
            for feed in self.feeds.values():
                feed.end()


def _unasked(feed: Feed, held: Held) -> bool:
    """Whether open positions wait for their first mark, which needs no new cadence."""
    able = feed.name == EXCHANGE and feed.complete and not feed.health.error
    return able and not held.tickers <= feed.asked
