"""The harness: contenders that agree are timed in turn, round by round."""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from time import perf_counter_ns
from typing import Any

Timer = Callable[[], int]
"""Gives nanoseconds that never go back."""


class Differs(RuntimeError):
    """A contender's result is not the first one's: it does another job and is not timed."""


class Scale(StrEnum):
    """How much data a benchmark takes."""

    QUICK = "quick"
    USUAL = "usual"
    FULL = "full"


def _as_it_is(result: object) -> object:
    return result


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do the job: `run` is timed; `comparable` turns its result into what must agree."""

    name: str
    run: Callable[[], Any]
    comparable: Callable[[Any], object] = _as_it_is


@dataclass(frozen=True, slots=True)
class Goal:
    """Ours takes at most `most`: µs an operation, or times the `peer` where one is named."""

    most: float
    peer: str = ""

    def __str__(self) -> str:
        """Return the goal as the table words it."""
        return f"≤ {self.most:g} × {self.peer}" if self.peer else f"≤ {self.most:g} µs"


@dataclass(frozen=True, slots=True)
class Case:
    """One job of `operations` operations a run; the first contender is ours."""

    title: str
    operation: str
    operations: int
    contenders: tuple[Contender, ...]
    goals: tuple[Goal, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A named question and the cases that answer it; `prepare` makes their data."""

    name: str
    question: str
    prepare: Callable[[Scale], Sequence[Case]]


@dataclass(frozen=True, slots=True)
class Spread:
    """Figures of all rounds in short."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Spread":
        """Return the median with the least and the greatest figure."""
        return cls(median(figures), min(figures), max(figures))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a case's rounds took: nanoseconds a run, by contender, in the order of the rounds."""

    case: Case
    nanos: dict[str, tuple[int, ...]]

    @property
    def ours(self) -> str:
        """The first contender's name."""
        return self.case.contenders[0].name

    def micros(self, name: str) -> list[float]:
        """Return µs an operation of each round."""
        return [nano / 1000 / self.case.operations for nano in self.nanos[name]]

    def ratios(self, peer: str) -> list[float]:
        """Return ours ÷ the peer of each round: neighbours in time share the machine's mood."""
        pairs = zip(self.nanos[self.ours], self.nanos[peer], strict=True)
        return [mine / theirs for mine, theirs in pairs]

    def figures(self, goal: Goal) -> list[float]:
        """Return what the goal bounds, of each round."""
        return self.ratios(goal.peer) if goal.peer else self.micros(self.ours)

    def met(self, goal: Goal) -> bool:
        """Return whether the median of the rounds is within the goal."""
        return median(self.figures(goal)) <= goal.most


def agree(case: Case) -> None:
    """Run each contender once, untimed; Differs when a result is not the first one's."""
    first, *others = case.contenders
    expected = first.comparable(first.run())
    for contender in others:
        if contender.comparable(contender.run()) != expected:
            raise Differs(f"{case.title}: {contender.name} gives another result than {first.name}")


def measure(case: Case, repeat: int, timer: Timer = perf_counter_ns) -> Outcome:
    """Time `repeat` rounds of every contender once they agree; each round begins with another.

    The collector stays on, as in production, but the prepared data is out of its sight: a
    contender pays for what it makes, not for what the benchmark holds.
    """
    agree(case)
    nanos: dict[str, list[int]] = {contender.name: [] for contender in case.contenders}
    gc.collect()
    gc.freeze()
    try:
        for turn in range(repeat):
            for contender in _rotated(case.contenders, turn):
                nanos[contender.name].append(_timed(contender.run, timer))
    finally:
        gc.unfreeze()
    return Outcome(case, {name: tuple(taken) for name, taken in nanos.items()})


def _rotated(contenders: tuple[Contender, ...], turn: int) -> tuple[Contender, ...]:
    start = turn % len(contenders)
    return contenders[start:] + contenders[:start]


def _timed(run: Callable[[], object], timer: Timer) -> int:
    gc.collect()
    began = timer()
    result = run()
    taken = timer() - began
    # Freed here, so that nobody's garbage is taken out on another's time.
    del result
    return taken
