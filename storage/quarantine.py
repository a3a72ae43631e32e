"""Quarantine: rows that were refused, kept once each with the reason."""

from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from hashlib import sha256

from sqlalchemy import Connection, func, select

from ledger.facts import Cost, Deal, Fact, Mark
from ledger.moment import EARLIEST, recognition
from storage import rows, schema
from storage.text import encode


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


def refusals(connection: Connection) -> list[Refusals]:
    """Return what was refused, by source and field."""
    table = schema.quarantine
    reason = func.min(table.c.reason), func.max(table.c.reason), func.count()
    query = select(table.c.source, table.c.field, *reason).group_by(table.c.source, table.c.field)
    return [
        Refusals(source, field, least, least == most, rows)
        for source, field, least, most, rows in connection.execute(query)
    ]


def keep(connection: Connection, rejects: Sequence[Reject], seen_at: int) -> set[str]:
    """Keep refusals that were not there yet; return their digests."""
    by_digest = {reject.digest: reject for reject in rejects}
    query = select(schema.quarantine.c.digest)
    known = {digest for (digest,) in rows.of_keys(connection, query, "digest", by_digest)}
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
