"""Revenue: when a deal's money is earned, and what is not earned yet."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from ledger.facts import Deal, Status
from ledger.moment import recognition
from ledger.money import CENT, converted

_UNWEIGHTED = Decimal(0)


@dataclass(frozen=True, slots=True)
class Revenue:
    """Deals summed at an instant, nano-dollars; only `recognized` counts in net P&L."""

    recognized: int = 0
    pending: int = 0
    deferred: int = 0
    pipeline: int = 0
    pipeline_weighted: int = 0


def earnings(deal: Deal) -> tuple[tuple[int, int], ...]:
    """Return (instant, nano-dollars) of each recognition; () when nothing is recognized.

    A deal with a service period is earned by day, both ends included, in whole cents; the last
    day takes the rest. Else it is earned at once on `recognized_at`, by default `closed_date`.
    """
    amount = deal.usd
    if deal.status is not Status.RECOGNIZED or amount is None:
        return ()
    if deal.service_start and deal.service_end:
        return tuple(_by_day(amount, deal.service_start, deal.service_end))
    day = deal.recognized_at or deal.closed_date
    return () if day is None else ((recognition(day), amount),)


def _by_day(amount: int, first: date, last: date) -> Iterator[tuple[int, int]]:
    days = max(1, (last - first).days + 1)
    share = int(Decimal(amount) / (days * CENT)) * CENT
    for day in range(days - 1):
        yield recognition(first + timedelta(days=day)), share
    yield recognition(last), amount - share * (days - 1)


def totals(deals: Iterable[Deal], at: int) -> Revenue:
    """Return every state's sum at an instant; deals without a rate are not counted."""
    sums = dict.fromkeys(Revenue.__slots__, 0)
    for deal in deals:
        for state, amount in _states(deal, at):
            sums[state] += amount
    return Revenue(**sums)


def _states(deal: Deal, at: int) -> Iterator[tuple[str, int]]:
    amount = deal.usd or 0
    if deal.status is Status.PENDING:
        yield "pending", amount
    elif deal.status is Status.PIPELINE:
        yield "pipeline", amount
        yield "pipeline_weighted", converted(amount, deal.probability or _UNWEIGHTED)
    elif deal.status is Status.RECOGNIZED:
        earned = sum(nano for instant, nano in earnings(deal) if instant <= at)
        yield "recognized", earned
        yield "deferred" if deal.service_start and deal.service_end else "pending", amount - earned
