"""The tables beside the facts: names, commands, who did what, what changed late, what differs."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, UniqueConstraint

from storage.columns import Name
from storage.table import instant, key, metadata, nano, number, text, texts, whole

names = Table("names", metadata, *key("kind", "id"), text("name"))

inbox = Table(
    "inbox",
    metadata,
    number(),
    Column("key", Name, nullable=False),
    *texts("kind", "body", "actor"),
    instant("made_at"),
    instant("done_at", known=False),
    Column("status", Integer, nullable=False),
    text("answer"),
    UniqueConstraint("key", name="inbox_is_once"),
    Index("inbox_by_status", "status", "id"),
    sqlite_autoincrement=True,
)

audit = Table(
    "audit",
    metadata,
    number(),
    instant("time"),
    text("actor"),
    text("action"),
    Column("subject", Name, nullable=False),
    *texts("before", "after"),
    Index("audit_by_subject", "subject", "id"),
)

restatements = Table(
    "restatements",
    metadata,
    number(),
    instant("seen_at"),
    *texts("source", "fact"),
    instant("from"),
    instant("to"),
    *nano("amount"),
    Index("restatements_by_time", "seen_at"),
)

reconciliation_runs = Table(
    "reconciliation_runs",
    metadata,
    number(),
    instant("time"),
    Column("source", Name, nullable=False),
    whole("checked"),
    whole("differences"),
    text("detail"),
    Index("reconciliation_runs_by_source", "source", "id"),
)

reconciliation = Table(
    "reconciliation",
    metadata,
    number(),
    Column("run", BigInteger, nullable=False),
    instant("time"),
    *texts("source", "subject", "ours", "theirs", "difference", "unit", "kind"),
    Index("reconciliation_by_run", "run"),
)

progress = Table(
    "progress",
    metadata,
    *key("source"),
    whole("done"),
    Column("total", BigInteger),
    instant("started_at"),
    instant("updated_at"),
    text("state"),
)
