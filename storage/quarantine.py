"""Quarantine: rows that were refused, kept once each with the reason."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, astuple, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select, update

from ledger import moment
from ledger.facts import Cost, Deal, Fact, Fill, Mark, Settlement
from ledger.moment import EARLIEST, recognition
from storage import rows, schema
from storage.engine import CHUNK
from storage.text import encode

if TYPE_CHECKING:
    from storage.costs import Window  # which keeps refusals itself


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was refused: whose, which field, why, and the row itself as text."""

    source: str
    identity: str
    field: str
    reason: str
    row: str

    @property
    def digest(self) -> str:
        """What makes two refusals the same."""
        return sha256(encode(astuple(self))).hexdigest()


@dataclass(frozen=True, slots=True)
class Refusals:
    """How many rows of a source were refused for one field; `same` when all for one reason."""

    source: str
    field: str
    reason: str
    same: bool
    rows: int


def refused(source: str, fact: Fact, field: str, reason: str) -> Reject:
    """Return the refusal of a fact."""
    named = (fact.ticker, fact.time) if isinstance(fact, Mark) else fact.identity
    return Reject(source, str(named), field, reason, encode(asdict(fact)).decode())


def earliest(fact: Fact) -> int | None:
    """Return the first instant at which a fact counts; None for a deal without a date."""
    if isinstance(fact, Cost):
        return fact.start
    if not isinstance(fact, Deal):
        return fact.time
    days = (fact.recognized_at, fact.closed_date, fact.service_start)
    return min((recognition(day) for day in days if day), default=None)


def sifted(source: str, facts: Sequence[Fact]) -> tuple[list[Fact], list[Reject]]:
    """Return the facts that may count, and the refusals of those dated before 2010."""
    good, old = [], []
    for fact in facts:
        instant = earliest(fact)
        if instant is None or instant >= EARLIEST:
            good.append(fact)
        else:
            old.append(refused(source, fact, "time", "is before 2010"))
    return good, old


STANDING = schema.quarantine.c.resolved_at.is_(None)
"""What is refused still: not delivered since in a way that could be taken."""


def standing(connection: Connection) -> int:
    """Return how many rows are refused still."""
    query = select(func.count()).select_from(schema.quarantine).where(STANDING)
    return connection.scalar(query) or 0


def resolve(
    connection: Connection, source: str, facts: Sequence[Fact], window: "Window | None", now: int
) -> None:
    """Mark refusals as resolved whose row came again and could be taken.

    A fact resolves those of its own identity; a window read whole, those of every line in it.
    """
    table = schema.quarantine
    mine = update(table).where(table.c.source == source, STANDING).values(resolved_at=now)
    if connection.scalar(select(table.c.id).where(table.c.source == source, STANDING).limit(1)):
        named = {name for fact in facts for name in _named(fact)}
        quoted = {fact.ticker for fact in facts if isinstance(fact, Mark)}
        for some in _some(named):
            connection.execute(mine.where(table.c.identity.in_(some)))
        for some in _some(quoted):
            quotes = table.c.identity.in_(some), table.c.row.like("%yes_bid%")
            connection.execute(mine.where(*quotes))
        if window:
            since, until = (moment.text(each)[:19] for each in (window.start, window.end))
            lines = table.c.identity >= since, table.c.identity < until
            connection.execute(mine.where(*lines))


def _named(fact: Fact) -> tuple[str, ...]:
    """Return how the refusal of a fact may be named: by its row, or by the fact itself."""
    if isinstance(fact, Fill):
        return (fact.fill_id,)
    if isinstance(fact, Settlement):
        return fact.ticker, str(fact.identity)
    return (fact.id, str(fact.identity)) if isinstance(fact, Deal) else ()


def _some(names: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(names)
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]


def refusals(connection: Connection) -> list[Refusals]:
    """Return what was refused, by source and field."""
    table = schema.quarantine
    reason = func.min(table.c.reason), func.max(table.c.reason), func.count()
    query = select(table.c.source, table.c.field, *reason).where(STANDING)
    query = query.group_by(table.c.source, table.c.field)
    return [
        Refusals(source, field, least, least == most, rows)
        for source, field, least, most, rows in connection.execute(query)
    ]


def keep(connection: Connection, rejects: Sequence[Reject], seen_at: int) -> set[str]:
    """Keep refusals, those that had been resolved as standing again; return the new digests."""
    by_digest = {reject.digest: reject for reject in rejects}
    query = select(schema.quarantine.c.digest)
    known = {digest for (digest,) in rows.of_keys(connection, query, "digest", by_digest)}
    for some in _some(known):
        table = schema.quarantine
        again = update(table).where(table.c.digest.in_(some), ~STANDING)
        connection.execute(again.values(resolved_at=None))
    fresh = {digest: reject for digest, reject in by_digest.items() if digest not in known}
    if fresh:
        connection.execute(
            schema.quarantine.insert(),
            [
                asdict(reject) | {"digest": digest, "seen_at": seen_at}
                for digest, reject in fresh.items()
            ],
        )
    return set(fresh)
