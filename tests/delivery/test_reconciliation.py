"""The reconciliation over HTTP: what differs now, its pages, its filters and its CSV."""

import csv
import io

import pytest

from ledger import moment
from ledger.difference import Difference, Kind, Unit
from ledger.money import CENT
from storage.engine import unguarded
from storage.reconciliation import Reconciliations, Run
from tests.delivery.conftest import Database, Web

NOW = moment.parse("2026-11-20T12:00:00Z")
FOUND = (
    Difference("realized KX-A", "1.250000001", "1", -CENT - 1, Unit.USD, Kind.CHANGED),
    Difference("position KX-A", "3", "3.5", 50, Unit.CONTRACTS, Kind.CHANGED),
    Difference("fill =f KX-B", "", "=yes 1", CENT, Unit.USD, Kind.LAG),
)


@pytest.fixture
def told(web: Web, database: Database) -> Web:
    """Return the web process of a database with two runs."""
    kept = Reconciliations(database.engine, unguarded)
    kept.keep(Run("kalshi", NOW, 9, FOUND))
    kept.keep(Run("revenue", NOW + 1, 9, (FOUND[0],)))
    database.append()
    return web


def test_a_row_has_the_columns_of_the_contract(told: Web) -> None:
    answer = told.get("/api/reconciliation?source=kalshi")
    assert answer.headers["X-Seq"] == str(answer.json()["seq"])
    assert answer.json()["rows"] == [
        {
            "time": "2026-11-20T12:00:00.000000Z",
            "source": "kalshi",
            "subject": subject,
            "ours": ours,
            "theirs": theirs,
            "difference": difference,
            "kind": kind,
            "unit": unit,
        }
        for subject, ours, theirs, difference, kind, unit in (
            ("fill =f KX-B", "", "=yes 1", 0.01, "lag", "usd"),
            ("position KX-A", "3", "3.5", 0.5, "changed", "contracts"),
            ("realized KX-A", "1.250000001", "1", -0.01, "changed", "usd"),
        )
    ]


def test_pages_lead_to_the_end(told: Web) -> None:
    seen, cursor = [], ""
    for _ in range(3):
        answer = told.get(f"/api/reconciliation?limit=2{cursor}").json()
        seen += [(row["source"], row["subject"]) for row in answer["rows"]]
        if "next_cursor" not in answer:
            break
        cursor = f"&cursor={answer['next_cursor']}"
    assert len(seen) == len(set(seen)) == 4


def test_filters_narrow_it_and_a_wrong_one_is_named(told: Web) -> None:
    rows = told.get("/api/reconciliation?kind=lag").json()["rows"]
    assert [row["kind"] for row in rows] == ["lag"]
    wrong = told.get("/api/reconciliation?kind=unknown")
    assert (wrong.status_code, "missing" in wrong.text) == (400, True)


def test_the_csv_has_every_digit_and_no_formula(told: Web) -> None:
    answer = told.get("/api/reconciliation.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["difference"] for row in rows if row["subject"] == "realized KX-A"] == [
        "-0.010000001",
        "-0.010000001",
    ]
    assert [row["theirs"] for row in rows if row["kind"] == "lag"] == ["'=yes 1"]
