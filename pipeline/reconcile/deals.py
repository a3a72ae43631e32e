"""Deals: ours held against the source's full list."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ledger.difference import Difference, Kind, Unit
from ledger.facts import Deal, Status
from ledger.money import plain

FIELDS = (
    "status",
    "amount",
    "currency",
    "closed_date",
    "recognized_at",
    "service_start",
    "service_end",
)
"""What a figure depends on; a name or a note that differs moves nothing."""

DEAD = (Status.VOID, Status.LOST)


def differences(ours: Iterable[Deal], theirs: Iterable[Deal]) -> Iterator[Difference]:
    """Yield deals that are missing, extra or changed, and ids that are listed with two contents.

    A row that is repeated as it was is a list that grew while it was read.
    """
    known = {deal.id: deal for deal in ours}
    listed: dict[str, Deal] = {}
    for deal in theirs:
        before = listed.setdefault(deal.id, deal)
        if _differ(before, deal) and before.updated_at == deal.updated_at:
            yield _difference(before, deal, Kind.DUPLICATE)
        elif deal.updated_at > before.updated_at:
            listed[deal.id] = deal
    for name in sorted({*known, *listed}):
        yield from _compared(known.get(name), listed.get(name))


def _compared(ours: Deal | None, theirs: Deal | None) -> Iterator[Difference]:
    if ours is None:
        yield _difference(ours, theirs, Kind.MISSING)
    elif theirs is None:
        if ours.status not in DEAD:
            yield _difference(ours, theirs, Kind.EXTRA)
    elif _differ(ours, theirs):
        yield _difference(ours, _rated(theirs, ours), Kind.CHANGED)


def _rated(theirs: Deal, ours: Deal) -> Deal:
    """Return their deal at the rate ours is kept with, when it names none itself."""
    if theirs.rate is not None or theirs.currency != ours.currency:
        return theirs
    return replace(theirs, rate=ours.rate)


def _differ(ours: Deal, theirs: Deal) -> bool:
    return any(getattr(ours, name) != getattr(theirs, name) for name in FIELDS)


def _difference(ours: Deal | None, theirs: Deal | None, kind: Kind) -> Difference:
    sides = [deal for deal in (ours, theirs) if deal is not None]
    return Difference(
        f"deal {sides[0].id}",
        _text(ours),
        _text(theirs),
        _worth(theirs, sides) - _worth(ours, sides),
        Unit.USD,
        kind,
        max(deal.updated_at for deal in sides),
    )


def _worth(deal: Deal | None, sides: list[Deal]) -> int:
    """Return what a side counts: recognized money where one of them is, else what it may be."""
    if deal is None or deal.status in DEAD:
        return 0
    recognized = any(each.status is Status.RECOGNIZED for each in sides)
    if recognized and deal.status is not Status.RECOGNIZED:
        return 0
    return deal.usd or 0


def _text(deal: Deal | None) -> str:
    if deal is None:
        return ""
    span = f"{deal.service_start}/{deal.service_end}" if deal.service_start else ""
    day = deal.recognized_at or deal.closed_date or ""
    parts = (plain(deal.amount), deal.currency, deal.status.value, str(day), span)
    return " ".join(part for part in parts if part)
