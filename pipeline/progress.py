"""Progress: how far each import has come, how fast it is, and how long it may still take."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Thread
from typing import Protocol, runtime_checkable

from ledger.moment import DAY, Clock, floor
from pipeline.feed import Feed
from pipeline.sources.anthropic_analytics import FIRST, Analytics
from pipeline.sources.anthropic_report import YEAR
from pipeline.sources.failure import SourceError
from pipeline.sources.kalshi_rows import Transfer
from storage.facts import Reject
from storage.lease import LeaseLost
from storage.progress import IMPORTING, WHOLE, Imports, Progress

NOTE_SECONDS = 1.0
RECENT_SECONDS = 30.0
"""Over which the pace of now is taken: an import is not as fast at its end as at its start."""

LEAST_SHARE = 0.01
"""Of less nobody can tell how much the whole is."""

LEAST_SECONDS = 3.0
FILLS_SHARE = 0.9
"""Of Kalshi's import fills take most of the time, settlements come after."""


class Deposits(Protocol):
    """What says when an account began: nobody trades before money came."""

    def transfers(self) -> tuple[list[Transfer], list[Reject]]:
        """Return what was paid in and out, oldest first."""
        ...


@runtime_checkable
class Funded(Protocol):
    """A source whose lists come newest first, back to when money came."""

    @property
    def statement(self) -> Deposits:
        """Return what knows of deposits."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """Facts recorded, facts a second now; None where nobody can tell: whole, seconds left, share.

    `total`, `left` and `share` (0 to 1) are estimates until the import is whole.
    """

    done: int
    rate: float = 0.0
    total: int | None = None
    left: float | None = None
    share: float | None = None


class Track:
    """One import, looked at from time to time."""

    def __init__(self, feed: Feed, before: int, seconds: float) -> None:
        """Begin at what was recorded in earlier attempts."""
        self.feed = feed
        self._before = before
        self._looks: deque[tuple[float, int, float | None]] = deque([(seconds, before, None)])
        self._began = seconds
        self._whole = _ended(before, 0.0) if feed.complete else None

    def look(self, seconds: float, share: float | None) -> Pace:
        """Return the pace now; `seconds` is a monotonic clock's, `share` what is estimated."""
        if self._whole is None:
            pace = self._pace(seconds, share)
            self._whole = pace if self.feed.complete else None
            return pace
        return self._whole

    def _pace(self, seconds: float, share: float | None) -> Pace:
        done = self._before + self.feed.recorded
        if self.feed.complete:
            return _ended(done, _rate(self.feed.recorded, seconds - self._began))
        self._looks.append((seconds, done, share))
        while seconds - self._looks[0][0] > RECENT_SECONDS:
            self._looks.popleft()
        began, first, _ = self._looks[0]
        rate = _rate(done - first, seconds - began)
        if share is None or share < LEAST_SHARE:
            return Pace(done, rate)
        return Pace(done, rate, round(done / share), self._left(seconds, share), share)

    def _left(self, seconds: float, share: float) -> float | None:
        """Return the seconds that the rest takes at the pace of now; None while there is none."""
        told = ((began, at) for began, _, at in self._looks if at is not None)
        began, first = next(told, (seconds, share))
        if seconds - began < LEAST_SECONDS or share <= first:
            return None
        return (1 - share) * (seconds - began) / (share - first)


def _ended(done: int, rate: float) -> Pace:
    return Pace(done, rate, done, 0.0, 1.0)


def _rate(facts: int, seconds: float) -> float:
    return facts / seconds if seconds > 0 else 0.0


class Tracker:
    """Every import that is not whole yet."""

    def __init__(
        self, feeds: Iterable[Feed], imports: Imports, clock: Clock, seconds: float
    ) -> None:
        """Follow the feeds from `seconds` on, and keep those without their history."""
        known, now = imports.known(), clock()
        self._imports = imports
        self._clock = clock
        self._funded: dict[str, int | None] = {}
        self._tracks = {
            feed.name: Track(feed, imports.recorded(feed.name) - feed.recorded, seconds)
            for feed in feeds
        }
        self._began = {
            name: known[name].started_at if name in known else now
            for name, track in self._tracks.items()
            if not track.feed.complete
        }

    @property
    def follows(self) -> bool:
        """Whether there was anything to import."""
        return bool(self._began)

    def paces(self, seconds: float) -> dict[str, Pace]:
        """Return how far each import is."""
        return {
            name: track.look(seconds, self._share(track)) for name, track in self._tracks.items()
        }

    def note(self, seconds: float) -> bool:
        """Keep how far each import is; tell whether one still goes on."""
        now, paces = self._clock(), self.paces(seconds)
        rows = [
            Progress(name, paces[name].done, paces[name].total, began, now, self._state(name))
            for name, began in self._began.items()
        ]
        if rows:
            self._imports.note(*rows)
        return not all(self._tracks[name].feed.complete for name in self._began)

    def _state(self, name: str) -> str:
        feed = self._tracks[name].feed
        return WHOLE if feed.complete else feed.health.error or IMPORTING

    def _share(self, track: Track) -> float | None:
        """Return how much of the time that an account spans is read; None when nobody says."""
        cursor = track.feed.cursor
        through = cursor.get(f"{cursor.get('mode', '')}_through")
        if through is not None:
            return _oldest_first(int(through), self._clock(), cursor["mode"])
        source = track.feed.source
        if not isinstance(source, Funded):
            return None
        return self._covered(track.feed.name, source, cursor.get("stage", ""))

    def _covered(self, name: str, source: Funded, stage: str) -> float | None:
        began = self._began_trading(name, source)
        if began is None:
            return None
        fills, ends = self._imports.oldest()
        return _newest_first(began, fills, ends, self._clock(), settling=stage == "settlements")

    def _began_trading(self, name: str, source: Funded) -> int | None:
        """Return when money first came, asked once."""
        if name not in self._funded:
            self._funded[name] = None
            with suppress(SourceError):
                transfers, _ = source.statement.transfers()
                self._funded[name] = min((each.created for each in transfers), default=None)
        return self._funded[name]


def _oldest_first(through: int, now: int, mode: str) -> float:
    """Return the share of the time a report tells of that is read."""
    first = floor(now, DAY) - YEAR
    first = max(first, FIRST) if mode == Analytics.mode else first
    return min(1.0, max(0, through - first) / max(1, now - first))


def _newest_first(
    began: int, fills: int | None, ends: int | None, now: int, *, settling: bool
) -> float:
    """Return the share of [began, now] that lists read from their newest row on have covered."""

    def covered(oldest: int | None) -> float:
        return 0.0 if oldest is None or now <= began else min(1.0, (now - oldest) / (now - began))

    if settling:
        return FILLS_SHARE + (1 - FILLS_SHARE) * covered(ends)
    return FILLS_SHARE * covered(fills)


@contextmanager
def noted(tracker: Tracker, monotonic: Callable[[], float]) -> Iterator[None]:
    """Keep progress in the database, once a second, until every import is whole or this ends."""
    ending = Event()
    thread = Thread(target=_follow, args=(tracker, monotonic, ending), name="progress", daemon=True)
    if tracker.follows:
        thread.start()
    try:
        yield
    finally:
        ending.set()
        if tracker.follows:
            thread.join()


def _follow(tracker: Tracker, monotonic: Callable[[], float], ending: Event) -> None:
    with suppress(LeaseLost):  # the owner's own next write says it where it can be heard
        while tracker.note(monotonic()) and not ending.wait(NOTE_SECONDS):
            pass
        tracker.note(monotonic())


def about(left: float | None) -> str:
    """Return a remaining time as people say it: «about 2 min», "" while nobody can tell."""
    if left is None:
        return ""
    for limit, seconds, unit in ((55, 5, "s"), (55 * 60, 60, "min"), (48 * 3_600, 3_600, "h")):
        if left < limit:
            shown = max(1, round(left / seconds)) * (seconds if unit == "s" else 1)
            return f"about {shown} {unit}"
    return "days"
