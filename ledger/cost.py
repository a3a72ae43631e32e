"""AI cost by the hour: wider buckets spread, one source an hour."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ledger.facts import Cost
from ledger.moment import HOUR, MICROS, floor

PRECEDENCE = ("analytics", "legacy", "csv")
"""An hour counts from the first of these that has it; the others are kept, not counted."""


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour's cost, nano-dollars; `daily` when any of it was spread from a wider bucket."""

    billed: int = 0
    estimated: int = 0
    daily: bool = False

    @property
    def total(self) -> int:
        """Billed + estimated."""
        return self.billed + self.estimated


def spread(cost: Cost, until: int) -> Iterator[tuple[int, int]]:
    """Yield (hour, nano-dollars): equal shares over the elapsed hours, the last takes the rest."""
    first = floor(cost.start, HOUR)
    width = cost.width * MICROS
    if width <= HOUR:
        yield first, cost.amount
        return
    hours = max(1, -(-(min(cost.start + width, until) - first) // HOUR))
    share = cost.amount // hours
    for index in range(hours - 1):
        yield first + index * HOUR, share
    yield first + (hours - 1) * HOUR, cost.amount - share * (hours - 1)


def hourly(costs: Iterable[Cost], until: int) -> dict[int, Hour]:
    """Return each hour's cost from the one source that counts for it."""
    sources: dict[int, dict[str, Hour]] = {}
    for cost in costs:
        for hour, amount in spread(cost, until):
            by_source = sources.setdefault(hour, {})
            by_source[cost.source] = _added(by_source.get(cost.source, Hour()), cost, amount)
    return {hour: _counted(by_source) for hour, by_source in sources.items()}


def _added(hour: Hour, cost: Cost, amount: int) -> Hour:
    daily = hour.daily or cost.width * MICROS > HOUR
    if cost.estimated:
        return Hour(hour.billed, hour.estimated + amount, daily)
    return Hour(hour.billed + amount, hour.estimated, daily)


def _counted(by_source: dict[str, Hour]) -> Hour:
    return by_source[min(by_source, key=PRECEDENCE.index)]
