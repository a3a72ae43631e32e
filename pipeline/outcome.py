"""Outcome: what a command becomes, worked out before anything is written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from ledger.facts import Deal
from ledger.revenue import Rates, rated, valued
from pipeline.sources import revenue_rows
from pipeline.sources.fields import FieldError, Fields
from storage.audit import Entry
from storage.deals import entry, line
from storage.engine import Also

OURS = ("manual", "csv")
"""Sources whose deals people change here; every other keeps its own."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer (HTTP's status, a JSON value), the facts it takes, and what the audit says.

    `also` is written in the same transaction.
    """

    status: int
    body: Any
    deals: tuple[Deal, ...] = ()
    entries: tuple[Entry, ...] = ()
    also: tuple[Also, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What there is when a command is obeyed: deals by their id, rates, and now (µs)."""

    deals: Mapping[str, Deal]
    rates: Rates
    now: int

    @classmethod
    def of(cls, found: Iterable[Deal], rates: Rates, now: int) -> "Known":
        """Return what is known; where two sources share an id, ours is meant."""
        ordered = sorted(found, key=lambda deal: deal.source in OURS)
        return cls({deal.id: deal for deal in ordered}, rates, now)

    def version(self, before: Deal | None, after: Deal) -> Deal:
        """Return `after` as the next version of `before`, with the rate it is booked at."""
        updated = self.now if before is None else max(self.now, before.updated_at + 1)
        return rated(replace(after, updated_at=updated), before, self.rates, self.now)

    def shown(self, deal: Deal) -> dict[str, Any]:
        """Return a deal as a list shows it."""
        return line(valued(deal, self.rates))


def refused(status: HTTPStatus, detail: str, **members: Any) -> Outcome:  # noqa: ANN401 - JSON
    """Return the outcome that changes nothing and says why."""
    return Outcome(status, {"detail": detail, **members})


def misread(error: FieldError) -> Outcome:
    """Return the refusal of a field."""
    return refused(HTTPStatus.BAD_REQUEST, f"{error.field} {error.reason}", field=error.field)


def described(row: Mapping[str, Any], source: str, identity: str) -> Deal:
    """Return the deal a row describes, not dated yet; FieldError names what is wrong."""
    return revenue_rows.described(Fields(dict(row)), source, identity, 0)


def changed(
    known: Known, actor: str, action: str, pairs: Iterable[tuple[Deal | None, Deal]]
) -> tuple[tuple[Deal, ...], tuple[Entry, ...]]:
    """Return the facts and the audit of changes (before, after)."""
    done = list(pairs)
    entries = (entry(known.now, actor, action, before, after) for before, after in done)
    return tuple(after for _, after in done), tuple(entries)
