"""Real public trades become an account: the totals of product and world are equal."""

import csv
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from storage.text import decode
from tests.product import Emulators, Product, until

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "kalshi-public-trades"
FILES = sorted(FOLDER.glob("*.csv"))
DAYS, LIVE, LEFT = 24, 10, 3
"""How long the replay lasts, how much of it is not archived, how much is still to come."""

pytestmark = pytest.mark.skipif(not FILES, reason="the public trades are not beside the checkout")

Both = tuple[Emulators, Product]


def options(file: Path, share: str) -> list[str]:
    """Return what replays a file into the last weeks, so that its last trades are to come."""
    with file.open(newline="") as rows:
        times = [datetime.fromisoformat(row["created_time"]) for row in csv.DictReader(rows)]
    speed = (max(times) - min(times)) / timedelta(days=DAYS)
    start = datetime.now(UTC) - timedelta(days=DAYS - LEFT)
    return [
        "--replay", str(file), "--speed", repr(speed), "--own", share, "--history-days", "1",
        "--start", start.isoformat(),
    ]  # fmt: skip


@pytest.fixture(
    scope="module",
    params=[(file, share) for file, share in zip(FILES, ("0.37", "1", "0.37", "1"), strict=False)],
    ids=lambda pair: f"{pair[0].stem.removeprefix('trade_level_data_')}-{pair[1]}",
)
def both(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Both]:
    """Run the worker on the account of one file, standing still."""
    folder = tmp_path_factory.mktemp("replay")
    emulators = Emulators(folder / "world", *options(*request.param))
    product = Product(folder, emulators.environment())
    try:
        cutoff = (datetime.now(UTC) - timedelta(days=LIVE)).isoformat()
        emulators.ask("/fault", {"read_tokens": 10_000, "cutoff": cutoff})
        emulators.freeze()
        product.start("worker")
        until(lambda: shown(product).get("complete"), "the whole history", patience=240)
        yield emulators, product
    finally:
        product.stop()
        emulators.stop()


def shown(product: Product) -> dict[str, Any]:
    """Return the newest document, {} before the first."""
    tables = stored(product, "select name from sqlite_master where name = 'documents'")
    query = "select text from documents order by seq desc limit 1"
    texts = stored(product, query) if tables else []
    return decode(texts[0][0]) if texts else {}


def figures(product: Product) -> dict[str, int]:
    """Return the newest snapshot's figures, in nano-dollars."""
    query = "select realized, unrealized, fees from snapshots order by seq desc limit 1"
    return dict(zip(("realized", "unrealized", "fees"), stored(product, query)[0], strict=True))


def stored(product: Product, query: str) -> list[tuple[Any, ...]]:
    """Return rows of the product's database."""
    path = product.environment["DATABASE_URL"].removeprefix("sqlite:///")
    if not Path(path).exists():
        return []
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        return connection.execute(query).fetchall()


def wanted(totals: dict[str, Any]) -> dict[str, int]:
    """Return the figures the world's own books want, in nano-dollars."""
    names = {"realized": "realized", "unrealized": "unrealized_bid", "fees": "fees"}
    return {name: int(Decimal(totals[other]).scaleb(9)) for name, other in names.items()}


def test_the_totals_are_equal_to_the_nano_dollar(both: Both) -> None:
    emulators, product = both

    def agreed() -> dict[str, Any] | None:
        totals: dict[str, Any] = emulators.ask("/totals")
        return totals if figures(product) == wanted(totals) else None

    totals = until(agreed, "the figures of the world's own books")
    assert shown(product)["trading"]["fills"] == totals["fills"] > 1_000
    assert all(wanted(totals).values())


def test_every_open_position_is_the_worlds(both: Both) -> None:
    emulators, product = both
    held = {
        ticker: Decimal(row["position"])
        for ticker, row in emulators.ask("/totals")["positions"].items()
    }
    rows = stored(
        product,
        "select ticker, sum(case side when 'yes' then count else -count end) from fills"
        " where ticker not in (select ticker from settlements) group by ticker",
    )
    assert {ticker: Decimal(count) / 100 for ticker, count in rows} == held
    assert any(held.values())


def test_every_trade_is_a_fill_with_its_own_identity(both: Both) -> None:
    emulators, product = both
    found = stored(product, "select fill_id, count, price from fills")
    assert len(found) == emulators.ask("/totals")["fills"]
    trades = {}
    for file in FILES:
        with file.open(newline="") as rows:
            trades |= {row["trade_id"]: row for row in csv.DictReader(rows)}
    assert all(price == int(trades[one]["yes_price"]) * 10_000_000 for one, _, price in found)
    shares = {round(count / int(trades[one]["count"])) for one, count, _ in found[:50]}
    assert shares <= {37, 36, 100}
