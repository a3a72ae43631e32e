"""The restatements over HTTP: what changed late, its pages, its filters and its CSV."""

import csv
import io

import pytest

from ledger import moment
from ledger.moment import HOUR
from ledger.money import CENT
from ledger.restatement import Restatement
from storage import restatements, schema
from tests.delivery.conftest import Database, Web

NOW = moment.parse("2026-11-20T12:00:00Z")
TOLD = (
    Restatement(NOW, "kalshi", "=KX: fill a", NOW - HOUR, NOW, -CENT - 1),
    Restatement(NOW + 1, "anthropic", "cost (analytics)", NOW - HOUR, NOW, 5 * CENT),
)


@pytest.fixture
def told(web: Web, database: Database) -> Web:
    """Return the web process of a database with two restatements."""
    with database.engine.begin() as connection:
        connection.execute(schema.restatements.delete())  # what another test had told
        restatements.keep(connection, TOLD)
    database.append()
    return web


def test_a_row_has_the_columns_of_the_contract_newest_first(told: Web) -> None:
    answer = told.get("/api/restatements")
    assert answer.headers["X-Seq"] == str(answer.json()["seq"])
    cost, fill = answer.json()["rows"]
    assert cost["source"] == "anthropic"
    assert fill == {
        "seen_at": "2026-11-20T12:00:00.000000Z",
        "source": "kalshi",
        "fact": "=KX: fill a",
        "from": "2026-11-20T11:00:00.000000Z",
        "to": "2026-11-20T12:00:00.000000Z",
        "amount": -0.01,
    }


def test_pages_lead_to_the_end(told: Web) -> None:
    first = told.get("/api/restatements?limit=1").json()
    last = told.get(f"/api/restatements?limit=1&cursor={first['next_cursor']}").json()
    assert [row["source"] for row in (*first["rows"], *last["rows"])] == ["anthropic", "kalshi"]
    assert "next_cursor" not in last


@pytest.mark.parametrize(
    ("wanted", "sources"),
    [
        ("source=kalshi", ["kalshi"]),
        ("from=2026-11-20T12:00:00.000001Z", ["anthropic"]),
        ("to=2026-11-20T12:00:00.000001Z", ["kalshi"]),
    ],
)
def test_filters_choose_by_source_and_by_when_it_was_seen(
    told: Web, wanted: str, sources: list[str]
) -> None:
    rows = told.get(f"/api/restatements?{wanted}").json()["rows"]
    assert [row["source"] for row in rows] == sources


def test_the_csv_has_every_row_and_every_decimal(told: Web) -> None:
    rows = list(csv.DictReader(io.StringIO(told.get("/api/restatements.csv").text)))
    assert [(row["fact"], row["amount"]) for row in rows] == [
        ("cost (analytics)", "0.05"),
        ("'=KX: fill a", "-0.010000001"),
    ]
