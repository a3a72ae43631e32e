"""The inbox: commands by their Idempotency-Key, each answered through its own row.

A web process puts a command in and reads its answer; the worker alone answers, in the same
transaction as the facts that the command became.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Engine, delete, select, update

from ledger import moment
from storage import rows, schema
from storage.engine import Also, Guard, deferred, guarded, unguarded
from storage.errors import Reused
from storage.text import decode, encode

WAITING = 0
"""The status of a command that nobody has answered yet."""

_SEALED = "sha256:"


@dataclass(frozen=True, slots=True)
class Command:
    """What somebody asks for: `body` is a JSON value, `made_at` microseconds."""

    id: int
    key: str
    kind: str
    body: Any
    actor: str
    made_at: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an actor's command: HTTP's status, WAITING until then, and a JSON value."""

    actor: str
    kind: str
    status: int
    body: Any


class Inbox:
    """The commands of one database."""

    def __init__(
        self, engine: Engine, guard: Guard = unguarded, clock: moment.Clock = moment.system
    ) -> None:
        """Write by `engine`; a worker passes its lease's guard, a web process none."""
        self._engine = engine
        self._guard = guard
        self._clock = clock

    def put(self, key: str, kind: str, body: Any, actor: str) -> int:  # noqa: ANN401 - JSON
        """Keep a command once and return its number; the same key again gives the same number.

        Reused when the actor's key was given to another command.
        """
        text = encode(body).decode()
        row: dict[str, Any] = {"key": f"{actor}:{key}", "kind": kind, "body": text, "actor": actor}
        row |= {"made_at": self._clock(), "status": WAITING, "answer": ""}
        table = schema.inbox
        known = select(table.c.id, table.c.kind, table.c.body).where(table.c.key == row["key"])
        with guarded(self._engine, self._guard) as connection:
            rows.add(connection, table, [row])
            found = connection.execute(known).one()
        if (found.kind, _seal(found.body)) != (kind, _seal(text)):
            raise Reused(f"the key {key} belongs to another command; give each one of its own")
        return int(found.id)

    def waiting(self, most: int = 100) -> list[Command]:
        """Return the oldest commands that wait for an answer."""
        table = schema.inbox
        columns = (table.c[name] for name in Command.__slots__)
        query = select(*columns).where(table.c.status == WAITING).order_by(table.c.id).limit(most)
        with deferred(self._engine).connect() as connection:
            found = connection.execute(query).all()
        return [Command(**{**row._mapping, "body": decode(row.body)}) for row in found]  # noqa: SLF001 - SQLAlchemy's public name

    def answered(self, command: Command, status: int, body: Any) -> Also:  # noqa: ANN401 - JSON
        """Return what answers a command inside somebody's transaction.

        Of its body only the digest stays: enough to tell whether a key was used twice.
        """
        table, text = schema.inbox, encode(body).decode()
        seal = _seal(encode(command.body).decode())
        done = {"status": status, "answer": text, "done_at": self._clock(), "body": seal}

        def write(connection: Connection) -> None:
            connection.execute(update(table).where(table.c.id == command.id).values(done))

        return write

    def status(self, number: int) -> int:
        """Return HTTP's status of a command's answer, WAITING without one."""
        with deferred(self._engine).connect() as connection:
            found = answer(connection, number)
        return found.status if found else WAITING

    def prune(self, before: int) -> None:
        """Forget the commands answered before an instant, and with them their keys."""
        table = schema.inbox
        old = delete(table).where(table.c.status != WAITING, table.c.done_at < before)
        with guarded(self._engine, self._guard) as connection:
            connection.execute(old)


def answer(connection: Connection, number: int) -> Answer | None:
    """Return what became of a command; None when there is none of that number."""
    table = schema.inbox
    query = select(table.c.actor, table.c.kind, table.c.status, table.c.answer)
    row = connection.execute(query.where(table.c.id == number)).first()
    if row is None:
        return None
    return Answer(row.actor, row.kind, row.status, decode(row.answer) if row.answer else None)


def _seal(body: str) -> str:
    return body if body.startswith(_SEALED) else _SEALED + sha256(body.encode()).hexdigest()
