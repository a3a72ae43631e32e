"""Flows: revenue and AI cost by the hour they take effect, as known now."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING

from ledger import cost, revenue
from ledger.cost import Hour
from ledger.facts import Cost, Deal
from ledger.moment import DAY, HOUR, MICROS, floor
from ledger.snapshot import Costs
from storage.facts import Changed, Facts

if TYPE_CHECKING:
    from ledger.restatement import Restatement

WIDEST = DAY
"""No line of cost covers more than this."""

_FREE = Hour()


class Sums:
    """The costs of hours added up from the first on, to be asked at any instant."""

    def __init__(self, costs: Mapping[int, Hour]) -> None:
        """Add up once."""
        self._hours = sorted(costs)
        values = [costs[hour] for hour in self._hours]
        self._billed = [0, *accumulate(value.billed for value in values)]
        self._estimated = [0, *accumulate(value.estimated for value in values)]
        self._unpriced = [0, *accumulate(value.unpriced for value in values)]

    @property
    def first(self) -> int | None:
        """Return the first hour, or None."""
        return self._hours[0] if self._hours else None

    def before(self, instant: int) -> int:
        """Return what took effect strictly before an instant."""
        index = bisect_left(self._hours, instant)
        return self._billed[index] + self._estimated[index]

    def until(self, instant: int) -> Costs:
        """Return what took effect up to and with an instant."""
        index = bisect_right(self._hours, instant)
        return Costs(self._billed[index], self._estimated[index], bool(self._unpriced[index]))


class Flows:
    """Hourly revenue and cost, re-read where facts changed."""

    def __init__(self, facts: Facts) -> None:
        """Begin empty, over the facts that `load` and `take` read."""
        self._facts = facts
        self.deals: list[Deal] = []
        self.earned: dict[int, int] = {}
        self.costs: dict[int, Hour] = {}
        self.restatements: list[Restatement] = []
        self._spread_until = 0
        self._spent = Sums({})

    def load(self, now: int) -> None:
        """Read every deal and cost line."""
        self._deal(self._facts.deals())
        self.costs = cost.hourly(self._facts.cost_totals(), now)
        self._spent = Sums(self.costs)
        self._spread_until = now

    def take(self, changes: Iterable[Changed], deals: Iterable[Deal], now: int) -> set[int]:
        """Re-read what changed; return the hours whose revenue or cost is another now.

        What changed of a past that had been told already is added to `restatements`.
        """
        now, arrived = max(now, self._spread_until), list(deals)
        hours = self._redeal(arrived, now) if arrived else set()
        changed = list(changes)
        if changed:
            before = self.costs.copy()
            hours |= self._recost(*_span([change.after for change in changed]), now)
            late = [change.after for change in changed if change.late]
            self.restatements += cost.restated(late, before, self.costs, now)
        if _begun(now) > _begun(self._spread_until):
            hours |= self._recost(floor(self._spread_until, DAY) - DAY, now + DAY, now)
            self._spread_until = now
        return hours

    def _redeal(self, arrived: list[Deal], now: int) -> set[int]:
        before = {deal.identity: deal for deal in self.deals}
        hours = self._deal(self._facts.deals())
        for deal in arrived:
            self.restatements += revenue.restated(before.get(deal.identity), deal, now)
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
        """Count [start, end) anew; what lies around it may be spread or weigh into it."""
        lines = self._facts.cost_totals(start - WIDEST, end + WIDEST)
        fresh = {h: value for h, value in cost.hourly(lines, now).items() if start <= h < end}
        stale = {hour: value for hour, value in self.costs.items() if start <= hour < end}
        for hour in stale.keys() - fresh.keys():
            del self.costs[hour]
        self.costs |= fresh
        self._spent = Sums(self.costs)
        return {hour for hour in stale.keys() | fresh.keys() if fresh.get(hour) != stale.get(hour)}

    def at(self, hour: int) -> tuple[int, int]:
        """Return (revenue, cost) that takes effect at a whole hour."""
        return self.earned.get(hour, 0), self.costs.get(hour, _FREE).total

    def before(self, instant: int) -> int:
        """Return revenue − cost that took effect strictly before an instant."""
        return self.earned_before(instant) - self._spent.before(instant)

    def earned_before(self, instant: int) -> int:
        """Return revenue that took effect strictly before an instant."""
        return sum(amount for start, amount in self.earned.items() if start < instant)

    def spent(self, until: int) -> Costs:
        """Return the cost that took effect up to and with an instant."""
        return self._spent.until(until)

    def first_cost(self) -> int | None:
        """Return the hour of the first cost, or None."""
        return self._spent.first

    def first_earned(self) -> int | None:
        """Return the instant of the first revenue, or None."""
        return min(self.earned, default=None)


def _begun(now: int) -> int:
    """Return how many hours have begun: over so many a bucket that has not ended is spread."""
    return -(-now // HOUR)


def _span(costs: list[Cost]) -> tuple[int, int]:
    """Return the days to count anew: those of the lines; around estimates, what they weigh in."""
    start = min(line.start for line in costs)
    end = max(line.start + line.width * MICROS for line in costs)
    around = WIDEST if any(line.estimated for line in costs) else 0
    return floor(start - around, DAY), floor(end - 1 + around, DAY) + DAY
