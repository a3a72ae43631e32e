"""Fetch: all sources in parallel, each in its own time."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock

from ledger.snapshot import SourceState
from pipeline.feed import POLL_SECONDS, Feed
from pipeline.sources.source import Held
from storage.facts import Recorded

EXCHANGE = "kalshi"
"""The source that is asked for the marks of what is held."""


class Fetch:
    """The feeds; a tick waits for them for a poll's time, never for the end of an import."""

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
        self._off = off
        self._patience = patience
        self._pool = ThreadPoolExecutor(max(1, len(feeds)), thread_name_prefix="source")
        self._running: dict[str, Future[None]] = {}
        self._whole = self._histories()

    def run(self, held: Held) -> None:
        """Poll every source that is due; return when each has answered or used its time."""
        self._reap()
        for name, feed in self.feeds.items():
            if name not in self._running and (feed.due() or _unasked(feed, held)):
                self._running[name] = self._pool.submit(feed.poll, held)
        wait(self._running.values(), timeout=self._patience)
        self._reap()

    def _reap(self) -> None:
        """Forget what has ended; an error that is no source's fault ends the cycle."""
        for name in [name for name, future in self._running.items() if future.done()]:
            self._running.pop(name).result()

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
        return shown | {name: feed.state(now) for name, feed in self.feeds.items()}

    def stop(self) -> None:
        """Let every running read end with the page it is at."""
        for feed in self.feeds.values():
            feed.stop()

    def close(self) -> None:
        """Let running polls end and start no more."""
        self.stop()
        self._pool.shutdown(wait=True, cancel_futures=True)


def _unasked(feed: Feed, held: Held) -> bool:
    """Whether open positions wait for their first mark, which needs no new cadence."""
    able = feed.name == EXCHANGE and feed.complete and not feed.health.error
    return able and not held.tickers <= feed.asked
