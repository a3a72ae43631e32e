"""Series and lists as CSV."""

import csv
import io
from decimal import Decimal

import requests

from delivery import columns
from ledger import moment
from ledger.bucket import PERIODS, Row, merged
from ledger.facts import Fill, Side
from ledger.money import NANO
from storage import text
from storage.facts import Page
from tests.delivery.conftest import Database, Web, eventually
from tests.delivery.peers import Events, Socket

START = moment.parse("2026-11-20T00:00:00Z")
ODD = 1_234_567_891


def rollups(minutes: int) -> dict[str, list[Row]]:
    """Return rows whose levels have nine decimals, with revenue and cost beside."""
    fine = [
        Row(
            START + n * moment.MINUTE,
            n * ODD,
            (n + 1) * ODD,
            n * ODD,
            (n + 1) * ODD,
            ODD,
            fees=1,
            revenue=7 * NANO,
            cost=1000,
            fills=2,
        )
        for n in range(minutes)
    ]
    return {name: list(merged(fine, width)) for name, width in PERIODS.items()}


def table(answer: requests.Response) -> list[dict[str, str]]:
    assert answer.ok, answer.text
    assert answer.headers["Content-Type"].startswith("text/csv; charset=utf-8")
    body = answer.content.decode()
    assert body.endswith("\r\n")
    assert body.count("\n") == body.count("\r\n")
    return list(csv.DictReader(io.StringIO(body, newline="")))


def test_the_last_row_is_the_current_figure_at_its_seq(fresh: Web, database: Database) -> None:
    net = Decimal(3 * ODD + 21 * NANO - 3000) / NANO
    seq = database.append(net, rows=rollups(3), meta={"complete": "1"})
    eventually(lambda: fresh.get("/api/pnl/current").json()["seq"] == seq)
    answer = fresh.get("/api/pnl/series.csv?period=1m")
    assert answer.headers["X-Seq"] == str(seq)
    assert f'filename="series-{seq}.csv"' in answer.headers["Content-Disposition"]
    current = text.decode(fresh.get("/api/pnl/current").content)
    last = Decimal(table(answer)[-1]["net_close"])
    assert last == net
    assert current["net_pnl"] == Socket(fresh.port).message()["data"]["net_pnl"] == net
    assert Events(fresh.base).message()["data"] == current


def test_a_long_export_has_every_row_and_every_digit(fresh: Web, database: Database) -> None:
    minutes = 1300
    database.append(0, rows=rollups(minutes), meta={"complete": "1"})
    rows = table(fresh.get("/api/pnl/series.csv?period=1m"))
    assert list(rows[0]) == list(columns.SERIES)
    assert len(rows) == minutes
    for n, row in enumerate(rows):
        assert row["time"] == moment.text(START + n * moment.MINUTE)
        assert Decimal(row["trading_close"]) * NANO == (n + 1) * ODD
    assert rows[0]["fees"] == "0.000000001"


def test_csv_and_json_give_the_same_rows(fresh: Web, database: Database) -> None:
    database.append(0, rows=rollups(700), meta={"complete": "1"})
    whole = text.decode(fresh.get("/api/pnl/series?period=5m").content)["rows"]
    rows = table(fresh.get("/api/pnl/series.csv?period=5m"))
    assert [row["time"] for row in rows] == [row["time"] for row in whole]
    for row, member in zip(rows, whole, strict=True):
        assert abs(Decimal(row["net_close"]) - member["net_close"]) <= Decimal("0.0000005")


def test_fills_are_exported_with_their_filters(fresh: Web, database: Database) -> None:
    facts = tuple(
        Fill(
            f"f{n}",
            START + n,
            "KXA" if n % 2 else "=HACK()",
            Side.YES,
            101,
            123_456_700,
            5,
            is_taker=True,
        )
        for n in range(1200)
    )
    database.facts.record(Page("kalshi", facts))
    seq = database.append(0)
    answer = fresh.get("/api/trading/fills.csv")
    assert answer.headers["X-Seq"] == str(seq)
    rows = table(answer)
    assert [row["fill_id"] for row in rows] == [f"f{n}" for n in reversed(range(1200))]
    assert {row["ticker"] for row in rows} == {"KXA", "'=HACK()"}
    assert {(row["count"], row["price"], row["fee"]) for row in rows} == {
        ("1.01", "0.1234567", "0.000000005")
    }
    assert {row["is_taker"] for row in rows} == {"true"}
    assert len(table(fresh.get("/api/trading/fills.csv?ticker=KXA"))) == 600


def test_an_empty_list_still_has_its_header(standing: Web) -> None:
    answer = standing.get("/api/trading/fills.csv")
    assert answer.content == (",".join(columns.FILLS) + "\r\n").encode()


def test_a_reader_that_leaves_in_the_middle_disturbs_nobody(fresh: Web, database: Database) -> None:
    database.append(0, rows=rollups(20_000), meta={"complete": "1"})
    answer = requests.get(f"{fresh.base}/api/pnl/series.csv?period=1m", stream=True, timeout=20)
    assert answer.raw.read(1000)
    answer.close()
    assert fresh.get("/api/pnl/series?period=1h").ok
