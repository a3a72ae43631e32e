"""AI cost by the hour: wider buckets spread, one source an hour, estimates until the bill."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ledger.facts import Cost
from ledger.moment import HOUR, MICROS, floor
from ledger.restatement import Restatement

PROVIDER = "anthropic"
"""Whose bills these are."""

ESTIMATES = "usage"
"""The source of estimates: what usage comes to by a price table."""

PRECEDENCE = ("analytics", "legacy", "csv", ESTIMATES)
"""An hour counts from the first of these that speaks of it; the others are kept, not counted.

A source speaks of an hour by a line, be it of 0. What was read completely and is empty is a line
of 0 without a group, so an hour that a bill knows to be nothing is not asked of the next source;
an hour without any line is one the source has not refreshed yet, or is before its first day.
"""

_NOTHING: Mapping[int, int] = {}


def is_silence(line: Cost) -> bool:
    """Tell whether a line only says that its bucket was read and is empty.

    It makes its source speak of an hour and is no line to show: whoever lists lines leaves it out.
    """
    return not line.group and not line.amount and not line.estimated


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour's cost, nano-dollars; `daily` when any of it was spread from a wider bucket.

    `unpriced`: some of its usage is of a model that no price table knows; the total is «at least».
    """

    billed: int = 0
    estimated: int = 0
    daily: bool = False
    unpriced: bool = False

    @property
    def total(self) -> int:
        """Billed + estimated."""
        return self.billed + self.estimated


_FREE = Hour()


def spread(
    cost: Cost, until: int, weights: Mapping[int, int] = _NOTHING
) -> Iterator[tuple[int, int]]:
    """Yield (hour, nano-dollars) over the elapsed hours, the last one takes the rest.

    `weights` are what the usage of hours came to; without any the shares are equal.
    """
    hours = _hours(cost.start, cost.width, until)
    return zip(hours, shares(cost.amount, [weights.get(hour, 0) for hour in hours]), strict=True)


def shares(amount: int, weights: list[int]) -> list[int]:
    """Return the amount in parts as the weights are, equal when all are 0; they sum to it."""
    return _columns([amount], weights)


def counted(costs: Iterable[Cost], until: int) -> Iterator[tuple[int, Cost, int]]:
    """Yield (hour, line, nano-dollars) of all that counts by `until`; `hourly` is its sum."""
    lines = list(costs)
    plan = _Plan.of(lines, until)
    for line in lines:
        for hour, amount in plan.parts(line.source, (line.start, line.width), [line.amount]):
            yield hour, line, amount


def hourly(costs: Iterable[Cost], until: int) -> dict[int, Hour]:
    """Return each hour at which something counts, from the one source that counts for it."""
    lines = list(costs)
    plan = _Plan.of(lines, until)
    amounts: dict[tuple[str, int, int, bool, bool], list[int]] = {}
    for line in lines:
        key = line.source, line.start, line.width, line.estimated, line.unpriced
        amounts.setdefault(key, []).append(line.amount)
    hours: dict[int, Hour] = {}
    for (source, start, width, estimated, unpriced), some in amounts.items():
        for hour, amount in plan.parts(source, (start, width), some):
            bill, guess = (0, amount) if estimated else (amount, 0)
            fresh = Hour(bill, guess, width * MICROS > HOUR, unpriced)
            hours[hour] = _added(hours[hour], fresh) if hour in hours else fresh
    return {hour: cost for hour, cost in hours.items() if cost.total or cost.unpriced}


@dataclass(frozen=True, slots=True)
class _Plan:
    """The hours of each bucket, what usage weighs them by, and which source counts at each."""

    hours: Mapping[tuple[int, int], range]
    weights: Mapping[int, int]
    speakers: Mapping[int, str]

    @classmethod
    def of(cls, lines: Iterable[Cost], until: int) -> "_Plan":
        said = dict.fromkeys((line.source, line.start, line.width) for line in lines)
        hours = {(start, width): _hours(start, width, until) for _, start, width in said}
        best: dict[int, int] = {}
        for source, start, width in said:
            rank = PRECEDENCE.index(source)
            for hour in hours[start, width]:
                best[hour] = min(rank, best.get(hour, rank))
        speakers = {hour: PRECEDENCE[rank] for hour, rank in best.items()}
        return cls(hours, _usage(lines), speakers)

    def parts(
        self, source: str, bucket: tuple[int, int], amounts: list[int]
    ) -> Iterator[tuple[int, int]]:
        """Yield (hour, nano-dollars) of lines of one bucket, at the hours its source counts."""
        hours = self.hours[bucket]
        weights = [self.weights.get(hour, 0) for hour in hours] if len(hours) > 1 else [1]
        for hour, amount in zip(hours, _columns(amounts, weights), strict=True):
            if self.speakers[hour] == source:
                yield hour, amount


def _columns(amounts: list[int], weights: list[int]) -> list[int]:
    """Return by weight what all amounts, each spread by itself, come to; the last takes rests."""
    whole = sum(weights)
    if whole <= 0:
        weights, whole = [1] * len(weights), len(weights)
    parts = [sum([amount * weight // whole for amount in amounts]) for weight in weights[:-1]]
    return [*parts, sum(amounts) - sum(parts)]


def restated(
    late: Iterable[Cost], before: Mapping[int, Hour], after: Mapping[int, Hour], seen_at: int
) -> Iterator[Restatement]:
    """Yield by how much net moved at the hours of lines that changed late, a run of hours each.

    `before` and `after` are the hours without and with them: what was superseded moves nothing.
    """
    hours = {
        hour: line.source
        for line in late
        for hour in _hours(line.start, line.width, line.start + line.width * MICROS)
    }
    moves = {hour: _total(before, hour) - _total(after, hour) for hour in sorted(hours)}
    for run in _runs([hour for hour, move in moves.items() if move]):
        fact = f"cost ({hours[run[0]]})"
        amount = sum(moves[hour] for hour in run)
        yield Restatement(seen_at, PROVIDER, fact, run[0], run[-1] + HOUR, amount)


def _total(hours: Mapping[int, Hour], hour: int) -> int:
    return hours.get(hour, _FREE).total


def _runs(hours: Iterable[int]) -> Iterator[list[int]]:
    run: list[int] = []
    for hour in hours:
        if run and hour != run[-1] + HOUR:
            yield run
            run = []
        run.append(hour)
    if run:
        yield run


def _hours(start: int, width: int, until: int) -> range:
    """Return the hours a bucket is spread over: those begun, at least its first."""
    first = floor(start, HOUR)
    whole = width * MICROS
    begun = 1 if whole <= HOUR else max(1, -(-(min(start + whole, until) - first) // HOUR))
    return range(first, first + begun * HOUR, HOUR)


def _usage(lines: Iterable[Cost]) -> dict[int, int]:
    weights: dict[int, int] = {}
    for line in lines:
        if line.source == ESTIMATES:
            hour = floor(line.start, HOUR)
            weights[hour] = weights.get(hour, 0) + line.amount
    return weights


def _added(one: Hour, other: Hour) -> Hour:
    return Hour(
        one.billed + other.billed,
        one.estimated + other.estimated,
        one.daily or other.daily,
        one.unpriced or other.unpriced,
    )
