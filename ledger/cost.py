"""AI cost by the hour: wider buckets spread, one source an hour, estimates until the bill."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ledger.facts import Cost
from ledger.moment import HOUR, MICROS, floor

ESTIMATES = "usage"
"""The source of estimates: what usage comes to by a price table."""

PRECEDENCE = ("analytics", "legacy", "csv", ESTIMATES)
"""An hour counts from the first of these that speaks of it; the others are kept, not counted.

A source speaks of an hour by a line, be it of 0. What was read completely and is empty is a line
of 0 without a group, so an hour that a bill knows to be nothing is not asked of the next source;
an hour without any line is one the source has not refreshed yet, or is before its first day.
"""

_NOTHING: Mapping[int, int] = {}


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
    whole = sum(weights)
    if whole <= 0:
        weights, whole = [1] * len(weights), len(weights)
    parts = [amount * weight // whole for weight in weights[:-1]]
    return [*parts, amount - sum(parts)]


def counted(costs: Iterable[Cost], until: int) -> Iterator[tuple[int, Cost, int]]:
    """Yield (hour, line, nano-dollars) of all that counts by `until`; `hourly` is its sum."""
    lines = list(costs)
    weights = _usage(lines)
    buckets = dict.fromkeys((line.start, line.width) for line in lines)
    plan = {bucket: _hours(*bucket, until) for bucket in buckets}
    speaker = _speakers(lines, plan)
    weighed = {
        key: [weights.get(hour, 0) for hour in hours]
        for key, hours in plan.items()
        if len(hours) > 1
    }
    for line in lines:
        key = line.start, line.width
        parts = shares(line.amount, weighed[key]) if key in weighed else [line.amount]
        for hour, amount in zip(plan[key], parts, strict=True):
            if speaker[hour] == line.source:
                yield hour, line, amount


def hourly(costs: Iterable[Cost], until: int) -> dict[int, Hour]:
    """Return each hour at which something counts, from the one source that counts for it."""
    hours: dict[int, Hour] = {}
    for hour, line, amount in counted(costs, until):
        hours[hour] = _added(hours.get(hour, _FREE), line, amount)
    return {hour: cost for hour, cost in hours.items() if cost.total or cost.unpriced}


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


def _speakers(lines: Iterable[Cost], plan: Mapping[tuple[int, int], range]) -> dict[int, str]:
    """Return which source counts for each hour."""
    best: dict[int, int] = {}
    said = dict.fromkeys((line.source, line.start, line.width) for line in lines)
    for source, start, width in said:
        rank = PRECEDENCE.index(source)
        for hour in plan[start, width]:
            best[hour] = min(rank, best.get(hour, rank))
    return {hour: PRECEDENCE[rank] for hour, rank in best.items()}


_FREE = Hour()


def _added(hour: Hour, cost: Cost, amount: int) -> Hour:
    daily = hour.daily or cost.width * MICROS > HOUR
    unpriced = hour.unpriced or cost.unpriced
    if cost.estimated:
        return Hour(hour.billed, hour.estimated + amount, daily, unpriced)
    return Hour(hour.billed + amount, hour.estimated, daily, unpriced)
