"""Lines of AI cost at rest: the current ones, and the versions they replaced."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from ledger.facts import Cost
from storage import rows, schema
from storage.kept import Kept


@dataclass(frozen=True, slots=True)
class Window:
    """A completely read cost window: what starts in [start, end) and is absent counts 0 now."""

    source: str
    start: int
    end: int

    def covers(self, cost: Cost) -> bool:
        """Tell whether a line lies in the window."""
        return cost.source == self.source and self.start <= cost.start < self.end


@dataclass(frozen=True, slots=True)
class Changed:
    """One line whose amount, estimate flag or finality changed; None before the first."""

    before: Cost | None
    after: Cost


def keep(
    connection: Connection, costs: Sequence[Cost], window: Window | None, seen_at: int
) -> Kept[Changed]:
    """Replace lines by identity, the last of a page winning; keep what they replaced."""
    arrived = {cost.identity: cost for cost in costs}
    stored = _stored(connection, costs, window)
    changed = [
        Changed(stored.get(identity), cost)
        for identity, cost in arrived.items()
        if stored.get(identity) != cost
    ]
    duplicates = len(costs) - len(changed)
    changed += [
        Changed(before, replace(before, amount=0))
        for identity, before in stored.items()
        if identity not in arrived and before.amount and window and window.covers(before)
    ]
    _write(connection, changed, seen_at)
    return Kept(changed, duplicates, since=[change.after.start for change in changed])


def _stored(
    connection: Connection, costs: Sequence[Cost], window: Window | None
) -> dict[object, Cost]:
    found: dict[object, Cost] = {}
    table = schema.costs
    for source, first, last in _spans(costs, window):
        query = rows.chosen(table, Cost).where(
            table.c.source == source, table.c.start >= first, table.c.start <= last
        )
        lines = (Cost(*row) for row in connection.execute(query))
        found.update({line.identity: line for line in lines})
    return found


def _spans(costs: Sequence[Cost], window: Window | None) -> list[tuple[str, int, int]]:
    starts: dict[str, list[int]] = {}
    for cost in costs:
        starts.setdefault(cost.source, []).append(cost.start)
    if window:
        starts.setdefault(window.source, []).extend((window.start, window.end))
    return [(source, min(instants), max(instants)) for source, instants in starts.items()]


def _write(connection: Connection, changed: Sequence[Changed], seen_at: int) -> None:
    replaced = [
        rows.row(change.before) | {"replaced_at": seen_at} for change in changed if change.before
    ]
    if replaced:
        connection.execute(schema.cost_versions.insert(), replaced)
    rows.put(connection, schema.costs, [rows.row(change.after) for change in changed])
