"""Deals at rest: the current ones by `updated_at`, and every other version."""

from collections.abc import Sequence

from sqlalchemy import Connection

from ledger.facts import Deal
from storage import rows, schema
from storage.kept import Kept
from storage.quarantine import earliest, refused


def keep(connection: Connection, source: str, deals: Sequence[Deal], seen_at: int) -> Kept[Deal]:
    """Replace deals by a newer `updated_at`; an older one joins the versions only."""
    query = rows.chosen(schema.deals, Deal)
    query = query.where(schema.deals.c.source.in_({deal.source for deal in deals}))
    found = rows.of_keys(connection, query, "id", (deal.id for deal in deals))
    stored = {deal.identity: deal for deal in (Deal(*row) for row in found)}
    current, kept, versions = dict(stored), Kept[Deal](), list[Deal]()
    for deal in deals:
        before = current.get(deal.identity)
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
    rows.put(connection, schema.deals, [rows.row(deal) for deal in kept.new])
    return kept


def _since(stored: dict[tuple[str, str], Deal], new: Sequence[Deal]) -> list[int]:
    touched = [*new, *(stored[deal.identity] for deal in new if deal.identity in stored)]
    instants = (earliest(deal) for deal in touched)
    return [instant for instant in instants if instant is not None]
