"""The witness: whether the stream tells what REST finds; one that answers pings may still not."""

import threading
from collections.abc import Callable, Iterable

from ledger.facts import Fill, Mark
from pipeline.sources.kalshi_stream_socket import Ended

OWED_SECONDS = 5.0
"""How long what REST found first may be on its way to the stream."""

QUIET_SECONDS = 30.0
"""A quote that moved proves something only when no market was quoted for so long."""

JUDGED_SECONDS = 60.0
"""A stream is given up for its silence at most once in this time."""

KEPT = 4_096
"""Fills told last whose ids are kept: REST may find them a moment later."""


class Witness:
    """What REST found on one connection and the stream has not told; asked from two threads."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Suspect nothing."""
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._told: dict[str, None] = {}
        self._owed: dict[str, float] = {}
        self._moved: dict[str, float] = {}
        self._since: int | None = None
        self._quoted = 0.0
        self._judged = float("-inf")

    def begin(self, since: int) -> None:
        """Expect everything from `since` on, µs: the stream is subscribed."""
        with self._lock:
            self._owed, self._moved = {}, {}
            self._since, self._quoted = since, self._monotonic()

    def end(self) -> None:
        """Expect nothing: there is no stream."""
        with self._lock:
            self._since = None

    def told(self, fill_id: str) -> None:
        """Take note of a fill the stream told."""
        with self._lock:
            self._owed.pop(fill_id, None)
            self._told[fill_id] = None
            if len(self._told) > KEPT:
                del self._told[next(iter(self._told))]

    def quoted(self) -> None:
        """Take note of a quote the stream told, whatever it said."""
        with self._lock:
            self._quoted = self._monotonic()
            self._moved = {}

    def found(self, fills: Iterable[Fill], marks: Iterable[Mark]) -> None:
        """Take note of what REST found first; `marks` are of markets the stream quotes."""
        now = self._monotonic()
        with self._lock:
            if self._since is None:
                return
            for fill in fills:
                if fill.time >= self._since and fill.fill_id not in self._told:
                    self._owed.setdefault(fill.fill_id, now)
            # What was determined comes by another channel than the quotes.
            if now - self._quoted >= QUIET_SECONDS:
                quoted = (mark.ticker for mark in marks if mark.value is None)
                self._moved = dict.fromkeys(quoted, now) | self._moved

    def judge(self) -> None:
        """Raise Ended when the stream has not told for too long what it owes."""
        now = self._monotonic()
        with self._lock:
            oldest = min([*self._owed.values(), *self._moved.values()], default=now)
            if now - oldest < OWED_SECONDS or now - self._judged < JUDGED_SECONDS:
                return
            self._judged = now
        raise Ended("the stream does not tell what REST finds")
