"""Second revision: when facts were seen, price tables, and the tables beside the facts."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_ROW_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _number() -> sa.Column[Any]:
    return sa.Column("id", _ROW_KEY, primary_key=True)


def _key(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, _NAME, primary_key=True, nullable=False) for name in names]


def _names(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, _NAME, nullable=False) for name in names]


def _texts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _wholes(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def upgrade() -> None:
    """Add the columns and tables; what is there keeps its rows."""
    for table in ("costs", "cost_versions"):
        none = sa.Column("price_table", sa.Text, nullable=False, server_default="")
        op.add_column(table, none)
    for table in ("fills", "settlements", "costs", "deals"):
        unknown = sa.Column("seen_at", sa.BigInteger, nullable=False, server_default="0")
        op.add_column(table, unknown)
    op.add_column("quarantine", sa.Column("resolved_at", sa.BigInteger))
    op.create_table("names", *_key("kind", "id"), *_texts("name"))
    op.create_table(
        "progress",
        *_key("source"),
        *_wholes("done"),
        sa.Column("total", sa.BigInteger),
        *_wholes("started_at", "updated_at"),
        *_texts("state"),
    )
    _commands()
    _late()
    _compared()


def _commands() -> None:
    op.create_table(
        "inbox",
        _number(),
        *_names("key"),
        *_texts("kind", "body", "actor"),
        *_wholes("made_at"),
        sa.Column("done_at", sa.BigInteger),
        sa.Column("status", sa.Integer, nullable=False),
        *_texts("answer"),
        sa.UniqueConstraint("key", name="inbox_is_once"),
        sqlite_autoincrement=True,
    )
    op.create_index("inbox_by_status", "inbox", ["status", "id"])
    op.create_table(
        "audit",
        _number(),
        *_wholes("time"),
        *_texts("actor", "action"),
        *_names("subject"),
        *_texts("before", "after"),
    )
    op.create_index("audit_by_subject", "audit", ["subject", "id"])


def _late() -> None:
    op.create_table(
        "restatements",
        _number(),
        *_wholes("seen_at"),
        *_texts("source", "fact"),
        *_wholes("from", "to", "amount"),
    )
    op.create_index("restatements_by_time", "restatements", ["seen_at"])


def _compared() -> None:
    op.create_table(
        "reconciliation_runs",
        _number(),
        *_wholes("time"),
        *_names("source"),
        *_wholes("checked", "differences"),
        *_texts("detail"),
    )
    op.create_index("reconciliation_runs_by_source", "reconciliation_runs", ["source", "id"])
    op.create_table(
        "reconciliation",
        _number(),
        *_wholes("run", "time"),
        *_texts("source", "subject", "ours", "theirs", "difference", "unit", "kind"),
    )
    op.create_index("reconciliation_by_run", "reconciliation", ["run"])
