"""Costs: what counts for each UTC day held against the bill's own days, which are never booked."""

from collections.abc import Iterable, Mapping

from ledger.cost import counted
from ledger.difference import Difference, Kind, Unit
from ledger.facts import Cost
from ledger.moment import DAY, aware, floor
from ledger.money import plain

ROOM = 10_000
"""Nano-dollars: a day's lines are each rounded to the nano, its bill once."""


def by_day(costs: Iterable[Cost], until: int) -> dict[int, int]:
    """Return what counts by the start of its UTC day, nano-dollars."""
    days: dict[int, int] = {}
    for hour, _, amount in counted(costs, until):
        day = floor(hour, DAY)
        days[day] = days.get(day, 0) + amount
    return days


def differences(ours: Mapping[int, int], theirs: Mapping[int, int]) -> list[Difference]:
    """Return the days on which they are not the same; days not told yet are lag.

    What lies before their first day is beyond what a report tells of.
    """
    first, last = min(theirs, default=None), max(theirs, default=None)
    found = []
    for day in sorted({*ours, *theirs}):
        if first is not None and day < first:
            continue
        lags = last is None or day > last
        mine, bill = ours.get(day, 0), theirs.get(day, 0)
        if abs(bill - mine) > ROOM:
            found.append(_difference(day, mine, bill, lags=lags))
    return found


def _difference(day: int, ours: int, theirs: int, *, lags: bool) -> Difference:
    kind = Kind.CHANGED
    if lags:
        kind = Kind.LAG
    elif not ours:
        kind = Kind.MISSING
    elif not theirs:
        kind = Kind.EXTRA
    return Difference(
        f"cost {aware(day).date()}",
        plain(ours) if ours else "",
        "" if lags or not theirs else plain(theirs),
        theirs - ours,
        Unit.USD,
        kind,
    )
