"""Names of what a source knows by id: workspaces, API keys."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from storage import rows, schema


@dataclass(frozen=True, slots=True)
class Name:
    """What an id of a kind (workspace, api_key) is called; reference data beside the facts."""

    kind: str
    id: str
    name: str


def keep(connection: Connection, names: Sequence[Name]) -> None:
    """Put names in; a newer name of the same id replaces the older one."""
    once = {(name.kind, name.id): name for name in names}
    rows.put(connection, schema.names, [rows.row(name) for name in once.values()])


def read(connection: Connection, kind: str) -> dict[str, str]:
    """Return the names of one kind by id."""
    table = schema.names
    query = select(table.c.id, table.c.name).where(table.c.kind == kind)
    return {row.id: row.name for row in connection.execute(query)}
