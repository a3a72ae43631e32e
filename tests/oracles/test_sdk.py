"""Kalshi's own client reads the emulated account; what it read adds up to the totals."""

import json
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.oracles.sdk.environment import ROOT, Unobtainable, interpreter
from tests.product import REQUIRED, Emulators

DAY = 86_400
PLACES = Decimal("0.000001")
SCRIPT = Path(__file__).parent / "sdk" / "reading.py"


@pytest.fixture(scope="module")
def python() -> Path:
    """Return the client's interpreter; skip, or fail when everything is required, without it."""
    try:
        return interpreter()
    except Unobtainable as error:
        (pytest.fail if REQUIRED else pytest.skip)(str(error))


@pytest.fixture(scope="module")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulators]:
    """Run a world of 20 days that stands still: archived fills, a tie, a second subaccount."""
    running = Emulators(tmp_path_factory.mktemp("world"), "--history-days", "20", "--seed", "5")
    running.freeze()
    cutoff = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() - 8 * DAY))
    running.ask("/fault", {"read_tokens": 100_000, "cutoff": cutoff})
    told = running.ask("/fill", {"book_side": "bid", "count": "7.77"})
    for side, number in (("bid", 0), ("ask", 1), ("ask", 0)):
        wish = {"book_side": side, "count": "3.33", "subaccount": number}
        running.ask("/fill", {**wish, "ticker": told["ticker"]})
    running.ask("/settlement", {"ticker": told["ticker"], "result": "scalar", "value": 37})
    running.ask("/fill", {"book_side": "ask", "count": 2, "subaccount": 1})
    running.ask("/deposit", {"cents": 12_345, "subaccount": 1})
    yield running
    running.stop()


@pytest.fixture(scope="module", params=["kalshi", "kalshi_ed25519"])
def read(request: pytest.FixtureRequest, emulators: Emulators, python: Path) -> dict[str, Any]:
    """Return what the client read, by either kind of key."""
    names = ("kalshi_url", f"{request.param}_key_id", f"{request.param}_private_key_file")
    command = [python, SCRIPT, *(emulators.ready[name] for name in names)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_fill_is_read_once(read: dict[str, Any], emulators: Emulators) -> None:
    totals = emulators.ask("/totals")
    assert read["fills"] == read["rows"] == read["orders"] == totals["fills"]
    assert read["one_order"]
    assert read["settlements"] == totals["settlements"]


def test_fees_are_the_totals_in_fills_and_positions(
    read: dict[str, Any], emulators: Emulators
) -> None:
    fees = Decimal(emulators.ask("/totals")["fees"])
    assert Decimal(read["fees"]) == Decimal(read["position_fees"]) == fees


def test_the_balance_is_the_total_and_the_cash_identity(
    read: dict[str, Any], emulators: Emulators
) -> None:
    balance = Decimal(emulators.ask("/totals")["balance"])
    assert Decimal(read["identity"]) == balance
    assert balance - Decimal("0.0002") < Decimal(read["balance"]) <= balance


def test_realized_is_the_total_to_the_last_shown_decimal(
    read: dict[str, Any], emulators: Emulators
) -> None:
    """Open positions are shown rounded to six decimals, settled ones are exact."""
    totals = emulators.ask("/totals")
    rounding = PLACES * len(read["held"])
    assert abs(Decimal(read["realized"]) - Decimal(totals["realized"])) <= rounding
    settled = Decimal(totals["realized"]) - sum(
        Decimal(row["realized"]) for row in totals["positions"].values()
    )
    assert Decimal(read["settled"]) == settled


def test_every_open_position_is_read(read: dict[str, Any], emulators: Emulators) -> None:
    rows = emulators.ask("/totals")["positions"]
    assert read["held"] == {ticker: row["position"] for ticker, row in rows.items()}
    assert any(Decimal(row["position"]) for row in rows.values())


def test_everything_public_is_read(read: dict[str, Any]) -> None:
    assert [name for name, number in read["public"].items() if not number] == []
    assert read["public"]["books"] == read["public"]["hours"] == 1
    assert read["public"]["tokens"] == 100_000
