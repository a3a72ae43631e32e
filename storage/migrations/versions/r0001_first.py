"""First revision: facts, snapshots, rollups, the lease and the database's epoch."""

import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_ROW_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _name(name: str, *, key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _NAME, primary_key=key, nullable=False)


def _key(name: str, kind: type[sa.Integer] = sa.BigInteger) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False, nullable=False)


def _texts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _wholes(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _small(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False)


def _flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _deal() -> list[sa.Column[Any]]:
    dates = ("closed_date", "recognized_at", "service_start", "service_end")
    return [
        *_texts("name", "status"),
        *_wholes("amount"),
        *_texts("currency"),
        *(sa.Column(name, sa.Date) for name in dates),
        sa.Column("probability", sa.Text),
        sa.Column("rate", sa.Text),
        sa.Column("rate_date", sa.Date),
        *_texts("customer", "owner", "stage", "url", "notes"),
    ]


def upgrade() -> None:
    """Make every table, the free lease and a new epoch."""
    _worker()
    _trades()
    _marks()
    _costs()
    _deals()
    _figures()
    op.execute(sa.text("insert into lease (id, owner, token, beat) values (1, '', 0, 0)"))
    epoch = sa.text("insert into meta (key, value) values ('epoch', :epoch)")
    op.execute(epoch.bindparams(epoch=secrets.token_hex(8)))


def _worker() -> None:
    op.create_table("meta", _name("key", key=True), *_texts("value"))
    op.create_table("cursors", _name("source", key=True), _name("name", key=True), *_texts("value"))
    op.create_table("lease", _key("id", sa.Integer), *_texts("owner"), *_wholes("token", "beat"))
    op.create_table(
        "quarantine",
        sa.Column("id", _ROW_KEY, primary_key=True),
        *_texts("source", "identity", "field", "reason", "row"),
        *_wholes("seen_at"),
        _name("digest"),
        sa.UniqueConstraint("digest", name="quarantine_is_once"),
    )
    op.create_table(
        "unrolled",
        sa.Column("id", _ROW_KEY, primary_key=True),
        *_wholes("since"),
        sqlite_autoincrement=True,
    )


def _trades() -> None:
    op.create_table(
        "fills",
        _name("fill_id", key=True),
        *_wholes("time"),
        _name("ticker"),
        *_texts("side"),
        *_wholes("count", "price", "fee"),
        _flag("is_taker"),
        *_texts("order_id"),
        _small("subaccount"),
        _small("exchange_index"),
    )
    op.create_index("fills_by_time", "fills", ["time", "fill_id"])
    op.create_index("fills_by_ticker", "fills", ["ticker", "time", "fill_id"])
    op.create_table(
        "settlements",
        _name("ticker", key=True),
        _key("exchange_index", sa.Integer),
        _key("subaccount", sa.Integer),
        _key("time"),
        *_texts("result"),
        *_wholes("value"),
        *_texts("event"),
        *_wholes("yes_count", "yes_cost", "no_count", "no_cost", "revenue", "fee"),
    )
    op.create_table("markets", _name("ticker", key=True), *_texts(*_MARKET))


_MARKET = ("event", "series", "title", "status")


def _marks() -> None:
    op.create_table(
        "tickers",
        sa.Column("id", sa.Integer, primary_key=True),
        _name("ticker"),
        sa.UniqueConstraint("ticker", name="tickers_are_one"),
    )
    op.create_table(
        "marks",
        _key("time"),
        sa.Column(
            "ticker_id",
            sa.Integer,
            sa.ForeignKey("tickers.id"),
            primary_key=True,
            autoincrement=False,
            nullable=False,
        ),
        *(sa.Column(name, sa.BigInteger) for name in ("bid", "ask", "last", "value")),
        sqlite_with_rowid=False,
    )
    op.create_index("marks_by_ticker", "marks", ["ticker_id", "time"])


def _costs() -> None:
    rest = ("amount",)
    flags = ("estimated", "final")
    op.create_table(
        "costs",
        _name("source", key=True),
        _key("start"),
        _key("width"),
        _name("group", key=True),
        *_wholes(*rest),
        *(_flag(name) for name in flags),
    )
    op.create_table(
        "cost_versions",
        sa.Column("id", _ROW_KEY, primary_key=True),
        _name("source"),
        *_wholes("start", "width"),
        _name("group"),
        *_wholes(*rest),
        *(_flag(name) for name in flags),
        *_wholes("replaced_at"),
    )
    line = ["source", "start", "width", "group"]
    op.create_index("cost_versions_by_line", "cost_versions", line)


def _deals() -> None:
    key = (_name("source", key=True), _name("id", key=True))
    op.create_table("deals", *key, *_wholes("updated_at"), *_deal())
    key = (_name("source", key=True), _name("id", key=True))
    op.create_table("deal_versions", *key, _key("updated_at"), *_deal(), *_wholes("replaced_at"))


def _figures() -> None:
    op.create_table(
        "snapshots",
        sa.Column("seq", _ROW_KEY, primary_key=True),
        *_wholes("as_of", "net", "realized", "unrealized", "fees"),
        *_wholes("recognized", "pending", "deferred", "pipeline", "pipeline_weighted"),
        *_wholes("billed", "estimated"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "documents",
        sa.Column(
            "seq",
            _ROW_KEY,
            sa.ForeignKey("snapshots.seq"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("text", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "rollups",
        _name("period", key=True),
        _key("bucket"),
        *_wholes("open", "high", "low", "close", "unrealized"),
        *_wholes("realized", "fees", "revenue", "cost", "fills", "restated"),
        sqlite_with_rowid=False,
    )
