"""Revenue: when a deal's money is earned, what is not earned yet, and at which rate."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from ledger.facts import Deal, Status
from ledger.moment import DAY, HOUR, aware, floor, recognition
from ledger.money import CENT, MoneyError, converted
from ledger.restatement import Restatement

_UNWEIGHTED = Decimal(0)

Rates = Mapping[str, Decimal]
"""USD per unit of each currency, as the settings say."""


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


def rated(deal: Deal, before: Deal | None, rates: Rates, seen_at: int) -> Deal:
    """Return the deal with the rate it is kept with, `before` its version so far.

    Its own rate stands. One known before stays, so that what is recognized is frozen. One that
    is first seen recognized takes the setting's rate for good, dated to the UTC day it was seen.
    """
    if deal.currency == "USD" or deal.rate is not None:
        return deal
    if before is not None and before.currency == deal.currency and before.rate is not None:
        return replace(deal, rate=before.rate, rate_date=before.rate_date)
    known = before is not None and deal.updated_at <= before.updated_at
    if known or deal.status is not Status.RECOGNIZED:
        return deal
    return _at(deal, rates, aware(seen_at).date())


def valued(deal: Deal, rates: Rates) -> Deal:
    """Return the deal as it is shown: without a rate, at the setting's of today."""
    if deal.currency == "USD" or deal.rate is not None:
        return deal
    return _at(deal, rates, None)


def _at(deal: Deal, rates: Rates, day: date | None) -> Deal:
    rate = rates.get(deal.currency)
    if rate is None:
        return deal
    try:
        converted(deal.amount, rate)
    except MoneyError:
        return deal
    return replace(deal, rate=rate, rate_date=day)


def restated(before: Deal | None, after: Deal, seen_at: int) -> Iterator[Restatement]:
    """Yield what a new version changes of days before the UTC day it was seen on.

    One restatement for each run of consecutive days, from the first day's instant to the end of
    the last one's hour; the amounts sum to the change of what was recognized by that midnight.
    """
    changes: dict[int, int] = {}
    for sign, deal in ((-1, before), (1, after)):
        for instant, nano in earnings(deal) if deal else ():
            changes[instant] = changes.get(instant, 0) + sign * nano
    today = floor(seen_at, DAY)
    past = sorted(instant for instant, nano in changes.items() if nano and instant < today)
    for run in _runs(past):
        amount = sum(changes[instant] for instant in run)
        end = run[-1] + HOUR
        yield Restatement(seen_at, after.source, f"deal {after.id}", run[0], end, amount)


def _runs(instants: Iterable[int]) -> Iterator[list[int]]:
    run: list[int] = []
    for instant in instants:
        if run and instant != run[-1] + DAY:
            yield run
            run = []
        run.append(instant)
    if run:
        yield run
