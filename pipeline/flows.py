"""Flows: revenue and AI cost by the hour they take effect, as known now."""

from collections.abc import Iterable

from ledger import cost, revenue
from ledger.cost import Hour
from ledger.facts import Cost, Deal
from ledger.moment import DAY, HOUR, MICROS, floor
from ledger.snapshot import Costs
from storage.facts import Changed, Facts

WIDEST = DAY
"""No line of cost covers more than this."""


class Flows:
    """Hourly revenue and cost, re-read where facts changed."""

    def __init__(self, facts: Facts) -> None:
        """Begin empty, over the facts that `load` and `take` read."""
        self._facts = facts
        self.deals: list[Deal] = []
        self.earned: dict[int, int] = {}
        self.costs: dict[int, Hour] = {}
        self._spread_until = 0

    def load(self, now: int) -> None:
        """Read every deal and cost line."""
        self._deal(self._facts.deals())
        self.costs = cost.hourly(self._facts.costs(), now)
        self._spread_until = now

    def take(self, changes: Iterable[Changed], deals: Iterable[Deal], now: int) -> set[int]:
        """Re-read what changed; return the hours whose revenue or cost is another now."""
        now = max(now, self._spread_until)
        hours = self._deal(self._facts.deals()) if list(deals) else set()
        touched = [change.after for change in changes]
        if touched:
            hours |= self._recost(*_span(touched), now)
        if _begun(now) > _begun(self._spread_until):
            hours |= self._recost(floor(self._spread_until, DAY) - DAY, now + DAY, now)
            self._spread_until = now
        return hours

    def _deal(self, deals: list[Deal]) -> set[int]:
        earned: dict[int, int] = {}
        for deal in deals:
            for instant, amount in revenue.earnings(deal):
                earned[instant] = earned.get(instant, 0) + amount
        changed = {
            hour
            for hour in earned.keys() | self.earned.keys()
            if earned.get(hour) != self.earned.get(hour)
        }
        self.deals, self.earned = deals, earned
        return changed

    def _recost(self, start: int, end: int, now: int) -> set[int]:
        lines = self._facts.costs(start - WIDEST, end)
        fresh = {h: value for h, value in cost.hourly(lines, now).items() if start <= h < end}
        stale = {hour: value for hour, value in self.costs.items() if start <= hour < end}
        self.costs |= fresh
        return {hour for hour, value in fresh.items() if value != stale.get(hour)}

    def at(self, hour: int) -> tuple[int, int]:
        """Return (revenue, cost) that takes effect at a whole hour."""
        return self.earned.get(hour, 0), self.costs.get(hour, Hour()).total

    def before(self, instant: int) -> int:
        """Return revenue − cost that took effect strictly before an instant."""
        return self.earned_before(instant) - sum(
            hour.total for start, hour in self.costs.items() if start < instant
        )

    def earned_before(self, instant: int) -> int:
        """Return revenue that took effect strictly before an instant."""
        return sum(amount for start, amount in self.earned.items() if start < instant)

    def spent(self, until: int) -> Costs:
        """Return the cost that took effect up to and with an instant."""
        hours = [hour for start, hour in self.costs.items() if start <= until]
        return Costs(sum(hour.billed for hour in hours), sum(hour.estimated for hour in hours))

    def first_cost(self) -> int | None:
        """Return the hour of the first cost, or None."""
        return min(self.costs, default=None)

    def first_earned(self) -> int | None:
        """Return the instant of the first revenue, or None."""
        return min(self.earned, default=None)


def _begun(now: int) -> int:
    """Return how many hours have begun: over so many a bucket that has not ended is spread."""
    return -(-now // HOUR)


def _span(costs: list[Cost]) -> tuple[int, int]:
    start = min(line.start for line in costs)
    end = max(line.start + line.width * MICROS for line in costs)
    return floor(start, DAY), floor(end - 1, DAY) + DAY
