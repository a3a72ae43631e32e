"""The tables, and how a database is brought to them."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Engine,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.exc import DBAPIError

from ledger.facts import Side, Status
from storage.annals import (
    audit,
    inbox,
    names,
    progress,
    reconciliation,
    reconciliation_runs,
    restatements,
)
from storage.columns import Exact, Micros, Name, Nano, Pairs, RowKey, Subaccount, Word
from storage.errors import Unusable
from storage.table import metadata, nano, seen, text, texts, whole

__all__ = [
    "FIGURES",
    "REVISION",
    "audit",
    "cost_versions",
    "costs",
    "cursors",
    "deal_versions",
    "deals",
    "documents",
    "fills",
    "inbox",
    "lease",
    "markets",
    "marks",
    "meta",
    "metadata",
    "names",
    "progress",
    "quarantine",
    "reconciliation",
    "reconciliation_runs",
    "restatements",
    "rollups",
    "settlements",
    "snapshots",
    "tickers",
    "unrolled",
    "upgrade",
]

REVISION = "0002"
"""The revision these tables are; a reader waits until the database is at it."""


def _deal() -> list[Column[Any]]:
    return [
        Column("name", Text, nullable=False),
        Column("status", Word(Status), nullable=False),
        Column("amount", Nano, nullable=False),
        Column("currency", Text, nullable=False),
        Column("closed_date", Date),
        Column("recognized_at", Date),
        Column("service_start", Date),
        Column("service_end", Date),
        Column("probability", Exact),
        Column("rate", Exact),
        Column("rate_date", Date),
        *texts("customer", "owner", "stage", "url", "notes"),
    ]


def _line(*, key: bool) -> list[Column[Any]]:
    return [
        Column("source", Name, primary_key=key, nullable=False),
        Column("start", Micros, primary_key=key, nullable=False, autoincrement=False),
        Column("width", BigInteger, primary_key=key, nullable=False, autoincrement=False),
        Column("group", Pairs, primary_key=key, nullable=False),
        Column("amount", Nano, nullable=False),
        Column("estimated", Boolean, nullable=False),
        Column("final", Boolean, nullable=False),
        Column("price_table", Text, nullable=False, server_default=""),
    ]


meta = Table("meta", metadata, Column("key", Name, primary_key=True), text("value"))

cursors = Table(
    "cursors",
    metadata,
    Column("source", Name, primary_key=True),
    Column("name", Name, primary_key=True),
    text("value"),
)

lease = Table(
    "lease",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    text("owner"),
    whole("token"),
    whole("beat"),
)

fills = Table(
    "fills",
    metadata,
    Column("fill_id", Name, primary_key=True),
    Column("time", Micros, nullable=False),
    Column("ticker", Name, nullable=False),
    Column("side", Word(Side), nullable=False),
    Column("count", BigInteger, nullable=False),
    *nano("price", "fee"),
    Column("is_taker", Boolean, nullable=False),
    text("order_id"),
    Column("subaccount", Integer, nullable=False),
    Column("exchange_index", Integer, nullable=False),
    seen(),
    Index("fills_by_time", "time", "fill_id"),
    Index("fills_by_ticker", "ticker", "time", "fill_id"),
)

settlements = Table(
    "settlements",
    metadata,
    Column("ticker", Name, primary_key=True),
    Column("exchange_index", Integer, primary_key=True, autoincrement=False),
    Column("subaccount", Subaccount, primary_key=True, autoincrement=False),
    Column("time", Micros, primary_key=True, autoincrement=False),
    text("result"),
    *nano("value"),
    text("event"),
    whole("yes_count"),
    *nano("yes_cost"),
    whole("no_count"),
    *nano("no_cost", "revenue", "fee"),
    seen(),
)

tickers = Table(
    "tickers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ticker", Name, nullable=False),
    UniqueConstraint("ticker", name="tickers_are_one"),
)

marks = Table(
    "marks",
    metadata,
    Column("time", Micros, primary_key=True, autoincrement=False),
    Column("ticker_id", Integer, ForeignKey("tickers.id"), primary_key=True, autoincrement=False),
    *(Column(name, Nano) for name in ("bid", "ask", "last", "value")),
    Index("marks_by_ticker", "ticker_id", "time"),
    sqlite_with_rowid=False,
)

markets = Table(
    "markets",
    metadata,
    Column("ticker", Name, primary_key=True),
    *texts("event", "series", "title", "status"),
)

costs = Table("costs", metadata, *_line(key=True), seen())

cost_versions = Table(
    "cost_versions",
    metadata,
    Column("id", RowKey, primary_key=True),
    *_line(key=False),
    whole("replaced_at"),
    Index("cost_versions_by_line", "source", "start", "width", "group"),
)

deals = Table(
    "deals",
    metadata,
    Column("source", Name, primary_key=True),
    Column("id", Name, primary_key=True),
    whole("updated_at"),
    *_deal(),
    seen(),
)

deal_versions = Table(
    "deal_versions",
    metadata,
    Column("source", Name, primary_key=True),
    Column("id", Name, primary_key=True),
    Column("updated_at", Micros, primary_key=True, autoincrement=False),
    *_deal(),
    whole("replaced_at"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", RowKey, primary_key=True),
    *texts("source", "identity", "field", "reason", "row"),
    whole("seen_at"),
    Column("resolved_at", Micros),
    Column("digest", Name, nullable=False),
    UniqueConstraint("digest", name="quarantine_is_once"),
)

unrolled = Table(
    "unrolled",
    metadata,
    Column("id", RowKey, primary_key=True),
    whole("since"),
    sqlite_autoincrement=True,
)

FIGURES = (
    "net",
    "realized",
    "unrealized",
    "fees",
    "recognized",
    "pending",
    "deferred",
    "pipeline",
    "pipeline_weighted",
    "billed",
    "estimated",
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("seq", RowKey, primary_key=True),
    whole("as_of"),
    *nano(*FIGURES),
    sqlite_autoincrement=True,
)

documents = Table(
    "documents",
    metadata,
    Column("seq", RowKey, ForeignKey("snapshots.seq"), primary_key=True, autoincrement=False),
    Column("text", LargeBinary, nullable=False),
)

rollups = Table(
    "rollups",
    metadata,
    Column("period", Name, primary_key=True),
    Column("bucket", Micros, primary_key=True, autoincrement=False),
    *nano("open", "high", "low", "close", "unrealized"),
    *nano("realized", "fees", "revenue", "cost"),
    whole("fills"),
    whole("restated"),
    sqlite_with_rowid=False,
)


def upgrade(engine: Engine) -> None:
    """Bring the database to these tables in one transaction; two at once do it once.

    Unusable when it can't be opened, is no database, or has tables this version doesn't know.
    """
    config = Config()
    folder = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except (DBAPIError, CommandError) as error:
        raise Unusable(str(getattr(error, "orig", error))) from error
