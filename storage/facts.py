"""Facts at rest: recorded once by their identity, a page with its cursor in one transaction."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection, Engine, func, select

from ledger import moment
from ledger.facts import Cost, Deal, Fact, Fill, Mark, Market, Settlement
from ledger.revenue import Rates, valued
from storage import costs, deals, differences, marks, names, quarantine, rows, schema, trades
from storage.costs import Changed, Window
from storage.engine import Also, Guard, deferred, guarded
from storage.names import Name
from storage.quarantine import Refusals, Reject

__all__ = [
    "Changed",
    "Facts",
    "Name",
    "Page",
    "Recorded",
    "Refusals",
    "Reject",
    "Retimed",
    "Window",
]

F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a source: its facts, its markets, where to go on, what it refused."""

    source: str
    facts: tuple[Fact, ...] = ()
    markets: tuple[Market, ...] = ()
    cursor: Mapping[str, str] = field(default_factory=dict)
    rejects: tuple[Reject, ...] = ()
    window: Window | None = None
    names: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Retimed:
    """A fill already booked whose stored time a later one, more precise, replaced."""

    before: Fill
    after: Fill


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a page changed: only what is new, or is now the version that counts.

    `duplicates` were known, `conflicts` were quarantined and had not been before; `entry`
    numbers this page for `Snapshots.append(through=…)`, 0 when nothing dated changed.
    """

    fills: tuple[Fill, ...] = ()
    settlements: tuple[Settlement, ...] = ()
    marks: tuple[Mark, ...] = ()
    costs: tuple[Changed, ...] = ()
    deals: tuple[Deal, ...] = ()
    duplicates: int = 0
    conflicts: int = 0
    retimed: tuple[Retimed, ...] = ()
    entry: int = 0


class Facts:
    """The facts of one database; one writer, which the guard makes sure of."""

    def __init__(self, engine: Engine, guard: Guard, clock: moment.Clock = moment.system) -> None:
        """Write by `engine`; `clock` dates versions and refusals."""
        self._engine = engine
        self._guard = guard
        self._clock = clock

    def record(self, page: Page, *also: Also) -> Recorded:
        """Append a page in one transaction: facts, markets, refusals, its cursor, and `also`.

        LeaseLost when the guard finds another owner: then nothing of the page is written.
        """
        seen_at = self._clock()
        good, old = quarantine.sifted(page.source, page.facts)
        with guarded(self._engine, self._guard) as connection:
            quarantine.resolve(connection, page.source, good, page.window, seen_at)
            recorded = _recorded(connection, page, good, seen_at)
            quarantine.keep(connection, [*page.rejects, *old], seen_at)
            rows.put(connection, schema.markets, _market_rows(page.markets))
            names.keep(connection, page.names)
            rows.put(connection, schema.cursors, _cursor_rows(page))
            for write in also:
                write(connection)
        return recorded

    def convert(self, rates: Rates) -> list[tuple[Deal, Deal]]:
        """Count deals of other currencies at these rates from now on: USD per unit.

        Returns (before, after) of those recognized without a rate so far, which get theirs for
        good; one already recognized with a rate keeps it, whatever the rates say.
        """
        seen_at = self._clock()
        with guarded(self._engine, self._guard) as connection:
            changed = deals.convert(connection, rates, seen_at)
            _entered(connection, [instant for _, after in changed for instant in _dates(after)])
        return changed

    def cursor(self, source: str) -> dict[str, str]:
        """Return where the source's last recorded page ended."""
        table = schema.cursors
        query = select(table.c.name, table.c.value).where(table.c.source == source)
        return dict(rows.each(self._engine, query))

    def fills(
        self, since: int | None = None, before: int | None = None, ticker: str | None = None
    ) -> Iterator[Fill]:
        """Yield fills of [since, before) by (time, fill_id), streamed."""
        table = schema.fills
        query = rows.chosen(table, Fill).order_by(table.c.time, table.c.fill_id)
        query = query if since is None else query.where(table.c.time >= since)
        query = query if before is None else query.where(table.c.time < before)
        query = query if ticker is None else query.where(table.c.ticker == ticker)
        return (Fill(*row) for row in rows.each(self._engine, query))

    def settlements(self) -> list[Settlement]:
        """Return the winning version of each settlement, in order of time."""
        query = rows.chosen(schema.settlements, Settlement)
        versions = [Settlement(*row) for row in rows.each(self._engine, query)]
        return list(trades.latest(versions).values())

    def marks(self, since: int, before: int | None = None) -> Iterator[Mark]:
        """Yield marks of [since, before) by (time, ticker), streamed."""
        return (Mark(*row) for row in rows.each(self._engine, marks.between(since, before)))

    def marks_before(self, instant: int) -> dict[str, Mark]:
        """Return each market's newest mark strictly before an instant."""
        newest = rows.each(self._engine, marks.newest_before(instant))
        known = (Mark(*row) for row in newest if row.time is not None)
        return {mark.ticker: mark for mark in known}

    def costs(self, since: int | None = None, before: int | None = None) -> Iterator[Cost]:
        """Yield the current cost lines that start in [since, before), oldest first, streamed."""
        table = schema.costs
        query = rows.chosen(table, Cost).order_by(table.c.start, table.c.source, table.c.group)
        query = query if since is None else query.where(table.c.start >= since)
        query = query if before is None else query.where(table.c.start < before)
        return (Cost(*row) for row in rows.each(self._engine, query))

    def cost_totals(self, since: int | None = None, before: int | None = None) -> Iterator[Cost]:
        """Yield what starts in [since, before) for all groups together, wider lines one by one."""
        for query in costs.totals(since, before):
            yield from (costs.total(row) for row in rows.each(self._engine, query))

    def names(self, kind: str) -> dict[str, str]:
        """Return the names of one kind (workspace, api_key) by id."""
        with deferred(self._engine).connect() as connection:
            return names.read(connection, kind)

    def deals(self) -> list[Deal]:
        """Return the current version of each deal, by source and id.

        One of another currency that has no rate yet is valued at the remembered one.
        """
        table = schema.deals
        query = rows.chosen(table, Deal).order_by(table.c.source, table.c.id)
        with deferred(self._engine).connect() as connection:
            rates = deals.rates_of(connection)
            return [valued(Deal(*row), rates) for row in connection.execute(query)]

    def rates(self) -> Rates:
        """Return the rates remembered by `convert`."""
        with deferred(self._engine).connect() as connection:
            return deals.rates_of(connection)

    def deals_named(self, ids: Iterable[str]) -> list[Deal]:
        """Return the current deals of these ids as they are kept, whoever their source is."""
        with deferred(self._engine).connect() as connection:
            return deals.named(connection, ids)

    def markets(self) -> dict[str, Market]:
        """Return what is known of each market by its ticker."""
        query = rows.chosen(schema.markets, Market)
        known = (Market(*row) for row in rows.each(self._engine, query))
        return {market.ticker: market for market in known}

    def refused(self) -> int:
        """Return how many rows are refused still."""
        with deferred(self._engine).connect() as connection:
            return quarantine.standing(connection)

    def refusals(self) -> list[Refusals]:
        """Return what is quarantined, by source and field."""
        with deferred(self._engine).connect() as connection:
            return quarantine.refusals(connection)

    def differences(self) -> dict[str, int]:
        """Return how many differences the newest reconciliation of each source found."""
        with deferred(self._engine).connect() as connection:
            return differences.newest(connection)

    def pending(self) -> int | None:
        """Return the earliest instant touched by facts no committed snapshot has yet, or None.

        Not None at start means: the process ended between recording and its snapshot.
        """
        with deferred(self._engine).connect() as connection:
            since: int | None = connection.scalar(select(func.min(schema.unrolled.c.since)))
            return since


def _recorded(connection: Connection, page: Page, facts: Sequence[Fact], seen_at: int) -> Recorded:
    fills, moved = trades.keep_fills(connection, page.source, _of(Fill, facts), seen_at)
    settled = trades.keep_settlements(connection, page.source, _of(Settlement, facts), seen_at)
    quoted = marks.keep(connection, _of(Mark, facts))
    spent = costs.keep(connection, _of(Cost, facts), page.window, seen_at)
    earned = deals.keep(connection, page.source, _of(Deal, facts), seen_at)
    kinds = (fills, settled, quoted, spent, earned)
    conflicts = [conflict for kept in kinds for conflict in kept.conflicts]
    return Recorded(
        tuple(fills.new),
        tuple(settled.new),
        tuple(quoted.new),
        tuple(spent.new),
        tuple(earned.new),
        duplicates=sum(kept.duplicates for kept in kinds),
        conflicts=len(quarantine.keep(connection, conflicts, seen_at)),
        retimed=tuple(Retimed(*pair) for pair in moved),
        entry=_entered(connection, [since for kept in kinds for since in kept.since]),
    )


def _dates(deal: Deal) -> list[int]:
    first = quarantine.earliest(deal)
    return [] if first is None else [first]


def _entered(connection: Connection, since: Sequence[int]) -> int:
    if not since:
        return 0
    entry = connection.execute(schema.unrolled.insert().values(since=min(since)))
    return int((entry.inserted_primary_key or (0,))[0])


def _of(kind: type[F], facts: Sequence[Fact]) -> list[F]:
    return [fact for fact in facts if isinstance(fact, kind)]


def _market_rows(markets: Sequence[Market]) -> list[dict[str, object]]:
    return [rows.row(market) for market in {each.ticker: each for each in markets}.values()]


def _cursor_rows(page: Page) -> list[dict[str, str]]:
    return [
        {"source": page.source, "name": name, "value": value} for name, value in page.cursor.items()
    ]
