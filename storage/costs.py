"""Lines of AI cost at rest: the current ones, and the versions they replaced."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, cast, func, select

from ledger.cost import PRECEDENCE
from ledger.facts import Cost
from ledger.moment import HOUR, MICROS
from storage import rows, schema
from storage.kept import Kept


@dataclass(frozen=True, slots=True)
class Window:
    """A completely read cost window: what starts in [start, end) and is absent counts 0 now.

    `spoken` is how far the source had spoken when it was asked: a bucket that it had told of and
    that had ended by then is restated by whatever is another now.
    """

    source: str
    start: int
    end: int
    spoken: int = 0

    def covers(self, cost: Cost) -> bool:
        """Tell whether a line lies in the window."""
        return cost.source == self.source and self.start <= cost.start < self.end

    def closed(self, cost: Cost) -> bool:
        """Tell whether a line's bucket had ended by what the source had spoken of."""
        ended = cost.start + cost.width * MICROS <= self.spoken
        return ended and cost.source == self.source and not cost.estimated


@dataclass(frozen=True, slots=True)
class Changed:
    """One line whose amount, estimate flag or finality changed; None before the first.

    `late`: its bucket had been told of and was closed, so that this restates it.
    """

    before: Cost | None
    after: Cost
    late: bool = False

    @property
    def amount(self) -> int:
        """By how much the line grew, in nano-dollars."""
        return self.after.amount - (self.before.amount if self.before else 0)


def keep(
    connection: Connection, costs: Sequence[Cost], window: Window | None, seen_at: int
) -> Kept[Changed]:
    """Replace lines by identity, the last of a page winning; keep what they replaced."""
    arrived = {cost.identity: cost for cost in costs}
    stored = _stored(connection, costs, window)
    fresh = [
        (before, cost)
        for before, cost in ((stored.get(identity), cost) for identity, cost in arrived.items())
        if before != cost and not _priced(before, cost, seen_at)
    ]
    gone = [
        (before, replace(before, amount=0))
        for identity, before in stored.items()
        if identity not in arrived and before.amount and window and window.covers(before)
    ]
    told = {(line.source, line.start, line.width) for line in stored.values()}
    changed = [
        Changed(
            before,
            cost,
            late=window is not None
            and window.closed(cost)
            and (cost.source, cost.start, cost.width) in told,
        )
        for before, cost in (*fresh, *gone)
    ]
    _write(connection, changed, seen_at)
    duplicates = len(costs) - len(fresh)
    return Kept(changed, duplicates, since=[change.after.start for change in changed])


def _priced(before: Cost | None, cost: Cost, seen_at: int) -> bool:
    """Tell whether an estimate of the past was made with another table: it is not made anew."""
    if before is None or not before.price_table or cost.price_table == before.price_table:
        return False
    return cost.estimated and cost.start + cost.width * MICROS <= seen_at


def totals(since: int | None = None, before: int | None = None) -> Iterator[Select[Any]]:
    """Yield the queries of what starts in [since, before), as `total` reads their rows.

    An hour's lines of one source are one, priced and unpriced apart; wider lines stay single,
    since each is spread by itself.
    """
    table = schema.costs
    keys = table.c.source, table.c.start, table.c.width, table.c.estimated
    hours = table.c.width * MICROS <= HOUR
    summed = cast(func.sum(table.c.amount), BigInteger), func.max(table.c.price_table)
    together = select(*keys, *summed).where(hours).group_by(*keys, table.c.price_table != "")
    single = select(*keys, table.c.amount, table.c.price_table).where(~hours)
    for query in (together, single):
        # The key begins with the source: named, a span is found without a scan of all.
        known = query.where(table.c.source.in_(PRECEDENCE))
        narrowed = known if since is None else known.where(table.c.start >= since)
        yield narrowed if before is None else narrowed.where(table.c.start < before)


def total(row: Sequence[Any]) -> Cost:
    """Return a row of `totals` as a line of all groups."""
    source, start, width, estimated, amount, price_table = row
    return Cost(source, start, width, (), amount, estimated, price_table=price_table)


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
    current = [change.after for change in changed]
    rows.put_plain(connection, schema.costs, {"seen_at": seen_at}, current)
