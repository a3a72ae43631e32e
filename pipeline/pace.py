"""Pace: when the next snapshot is due: after a tick, after a trade, after a mark."""

import time
from collections.abc import Callable
from dataclasses import dataclass

TRADE_SECONDS = 0.1
"""At most one snapshot for trades in this time; the first of them at once."""

MARK_SECONDS = 1.0
"""At most one snapshot for marks in this time."""

NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is not in a snapshot yet.

    `traded` is when, monotonic, the oldest trade came, None without one; `marked` whether marks
    have come; `answered` whether what the last tick asked for has come.
    """

    traded: float | None = None
    marked: bool = False
    answered: bool = True


class Pace:
    """When to take a snapshot; the same instants by the same monotonic clock every time."""

    def __init__(
        self, mark: float = MARK_SECONDS, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin with nothing due; `mark` seconds between two snapshots for marks alone."""
        self._mark = mark
        self._monotonic = monotonic
        self._ticked = False
        self._last = self._last_trade = float("-inf")

    def tick(self) -> None:
        """Make a snapshot due, once what this tick asks for has come."""
        self._ticked = True

    def due(self, waiting: Waiting) -> bool:
        """Tell whether to take a snapshot now."""
        return self.left(waiting) <= 0

    def left(self, waiting: Waiting) -> float:
        """Return the seconds until a snapshot is due, infinite when nothing waits."""
        return min(self._after_tick(waiting), self._after_mark(waiting), self._after_trade(waiting))

    def taken(self, waiting: Waiting) -> None:
        """Take note of a snapshot that has everything that waited."""
        self._last = self._monotonic()
        if waiting.traded is not None:
            self._last_trade = self._last
        self._ticked = self._ticked and not waiting.answered

    def _after_tick(self, waiting: Waiting) -> float:
        return 0.0 if self._ticked and waiting.answered else NEVER

    def _after_trade(self, waiting: Waiting) -> float:
        if waiting.traded is None:
            return NEVER
        return max(0.0, self._last_trade + TRADE_SECONDS - self._monotonic())

    def _after_mark(self, waiting: Waiting) -> float:
        """While a tick is under way its own snapshot, which comes soon, has the marks too."""
        if not waiting.marked or self._ticked:
            return NEVER
        return max(0.0, self._last + self._mark - self._monotonic())
