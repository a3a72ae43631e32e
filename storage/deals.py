"""Deals at rest: the current ones by `updated_at`, and every other version."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Select, func, select

from ledger import moment
from ledger.facts import Deal, Status
from ledger.moment import aware, recognition
from ledger.money import plain
from ledger.revenue import Rates, rated, valued
from storage import audit, rows, schema
from storage.audit import Entry
from storage.engine import CHUNK
from storage.kept import Kept
from storage.quarantine import earliest, refused
from storage.text import decode, encode


def keep(connection: Connection, source: str, deals: Sequence[Deal], seen_at: int) -> Kept[Deal]:
    """Replace deals by a newer `updated_at`; an older one joins the versions only."""
    query = rows.chosen(schema.deals, Deal)
    query = query.where(schema.deals.c.source.in_({deal.source for deal in deals}))
    found = rows.of_keys(connection, query, "id", (deal.id for deal in deals))
    stored = {deal.identity: deal for deal in (Deal(*row) for row in found)}
    current, kept, versions = dict(stored), Kept[Deal](), list[Deal]()
    rates = rates_of(connection)
    for given in deals:
        before = current.get(given.identity)
        deal = rated(given, before, rates, seen_at)
        if before is None or deal.updated_at > before.updated_at:
            current[deal.identity] = deal
            versions += [before] if before else []
        elif deal.updated_at < before.updated_at:
            versions.append(deal)
        elif deal == before:
            kept.duplicates += 1
        else:
            kept.conflicts.append(refused(source, deal, "updated_at", "differs, not updated"))
    kept.new = [deal for identity, deal in current.items() if stored.get(identity) != deal]
    kept.since = _since(stored, kept.new)
    replaced = [rows.row(deal) | {"replaced_at": seen_at} for deal in versions]
    rows.add(connection, schema.deal_versions, replaced)
    rows.put(connection, schema.deals, rows.dated(kept.new, seen_at))
    return kept


def _since(stored: dict[tuple[str, str], Deal], new: Sequence[Deal]) -> list[int]:
    touched = [*new, *(stored[deal.identity] for deal in new if deal.identity in stored)]
    instants = (earliest(deal) for deal in touched)
    return [instant for instant in instants if instant is not None]


RATES = "revenue_rates"
"""The meta key of the setting's rates: what counts is what the database remembers."""

_COUNTED = func.coalesce(
    schema.deals.c.recognized_at, schema.deals.c.closed_date, schema.deals.c.service_start
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deals: by status and source, counting in [start, end), and not after `until`."""

    status: str | None = None
    source: str | None = None
    start: int | None = None
    end: int | None = None
    until: date | None = None
    id: str | None = None


def rates_of(connection: Connection) -> Rates:
    """Return the setting's rates as the worker remembered them."""
    query = select(schema.meta.c.value).where(schema.meta.c.key == RATES)
    text = connection.scalar(query)
    return {code: Decimal(rate) for code, rate in decode(text).items()} if text else {}


def convert(connection: Connection, rates: Rates, seen_at: int) -> list[tuple[Deal, Deal]]:
    """Remember the setting's rates; return (before, after) of recognized deals that had none.

    The rate is written into the version that waited for it, which its source still says is
    current; the audit keeps what it was.
    """
    remembered = {"key": RATES, "value": encode({k: str(v) for k, v in rates.items()}).decode()}
    rows.put(connection, schema.meta, [remembered])
    query = rows.chosen(schema.deals, Deal).where(
        schema.deals.c.rate.is_(None), schema.deals.c.currency != "USD"
    )
    found = [Deal(*row) for row in connection.execute(query)]
    pairs = [(deal, rated(deal, None, rates, seen_at)) for deal in found]
    changed = [(before, after) for before, after in pairs if before != after]
    rows.put(connection, schema.deals, rows.dated([after for _, after in changed], seen_at))
    audit.write(connection, [entry(seen_at, "setting", "rate", *pair) for pair in changed])
    return changed


def entry(time: int, actor: str, action: str, before: Deal | None, after: Deal) -> Entry:
    """Return the audit's line of a change to a deal."""
    texts = ["" if deal is None else shown(deal) for deal in (before, after)]
    return Entry(time, actor, action, f"deal {after.source}/{after.id}", *texts)


def shown(deal: Deal) -> str:
    """Return a deal as JSON, exactly, without what is empty."""
    known = {name: value for name, value in rows.row(deal).items() if value not in (None, "")}
    texts = {"amount": plain(deal.amount), "updated_at": moment.text(deal.updated_at)}
    dates = {name: str(value) for name, value in known.items() if isinstance(value, date)}
    return encode(known | texts | dates).decode()


def named(connection: Connection, ids: Iterable[str]) -> list[Deal]:
    """Return the current deals of these ids, whoever their source is."""
    query = rows.chosen(schema.deals, Deal)
    return [Deal(*row) for row in rows.of_keys(connection, query, "id", ids)]


def read(connection: Connection, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """Yield the deals wanted, newest day first and those without one last, streamed.

    A row holds a deal's fields, `day` it counts on (recognized, else closed, else service
    start), `amount_usd` in nano-dollars, None without a rate, and `flag`, which says so.
    """
    rates = rates_of(connection)
    result = connection.execution_options(yield_per=CHUNK).execute(_query(wanted))
    return (line(valued(Deal(*row), rates)) for row in result)


def _query(wanted: Wanted) -> Select[Any]:
    table = schema.deals
    query = rows.chosen(table, Deal).order_by(
        _COUNTED.desc().nulls_last(), table.c.updated_at.desc(), table.c.source.desc()
    )
    if wanted.status is not None:
        query = query.where(table.c.status == Status(wanted.status))
    if wanted.source is not None:
        query = query.where(table.c.source == wanted.source)
    if wanted.id is not None:
        query = query.where(table.c.id == wanted.id)
    if wanted.start is not None:
        query = query.where(_first_day(wanted.start) <= _COUNTED)
    if wanted.end is not None:
        query = query.where(_first_day(wanted.end) > _COUNTED)
    if wanted.until is not None:
        query = query.where(_COUNTED.is_(None) | (wanted.until >= _COUNTED))
    return query.order_by(table.c.id.desc())


def _first_day(instant: int) -> date:
    """Return the first day that counts at an instant or later."""
    day = aware(instant).date()
    return day + timedelta(days=1) if recognition(day) < instant and day < date.max else day


def line(deal: Deal) -> dict[str, Any]:
    """Return a deal as a list's row, as `read` says."""
    day = deal.recognized_at or deal.closed_date or deal.service_start
    flag = f"no rate for {deal.currency}: not counted" if deal.usd is None else None
    return rows.row(deal) | {"day": day, "amount_usd": deal.usd, "flag": flag}
