"""One number everywhere: JSON, WebSocket, SSE, series, CSV and the page, at the same seq."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket

from tests.product import Emulators, Product, running, until

Both = tuple[Emulators, Product]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with running(tmp_path_factory.mktemp("agreement")) as started:
        emulators, product = started
        emulators.freeze()
        product.complete()
        yield started


def exact(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def wire(text: str) -> Decimal:
    """Round as JSON members are: six decimals, half to even."""
    return Decimal(text).quantize(Decimal("0.000001"), ROUND_HALF_EVEN)


def test_the_document_is_the_net_of_the_upstreams_own_books(both: Both) -> None:
    emulators, product = both
    shown = product.shows(emulators.net)
    totals = emulators.ask("/totals")
    trading = shown["trading"]
    assert trading["fills"] == totals["fills"] > 10_000
    assert Decimal(trading["realized"]) == wire(totals["realized"])
    assert Decimal(trading["fees"]) == wire(totals["fees"])
    assert shown["mode"] == "live"
    assert {state["status"] for state in shown["sources"].values()} == {"ok"}


def test_an_injected_fill_is_followed_to_the_cent(both: Both) -> None:
    emulators, product = both
    before = product.shows(emulators.net)
    emulators.ask("/fill", {"book_side": "ask", "count": "7.77"})
    after = product.shows(emulators.net)
    assert after["trading"]["fills"] == before["trading"]["fills"] + 1
    assert after["net_pnl"] != before["net_pnl"]


def test_every_channel_says_the_same_at_the_same_seq(both: Both) -> None:
    _, product = both

    def agreed() -> bool:
        socket = websocket.create_connection(product.url.replace("http", "ws") + "/ws/pnl")
        try:
            first = exact(socket.recv())
        finally:
            socket.close()
        with requests.get(f"{product.url}/api/pnl/stream", stream=True, timeout=10) as stream:
            lines = stream.iter_lines(1, decode_unicode=True)
            event = exact(next(line for line in lines if line.startswith("data:"))[5:])
        since = {"period": "1m", "from": (datetime.now(UTC) - timedelta(minutes=9)).isoformat()}
        table = requests.get(f"{product.url}/api/pnl/series.csv", since, timeout=30)
        last = list(csv.DictReader(io.StringIO(table.text)))[-1]
        current = product.current()
        seqs = {first["seq"], event["seq"], current["seq"], int(table.headers["X-Seq"])}
        if len(seqs) > 1:
            return False
        assert first["type"] == event["type"] == "snapshot"
        assert first["data"] == event["data"] == current
        assert wire(last["net_close"]) == Decimal(current["net_pnl"])
        return True

    until(agreed, "four answers about one seq")


def test_every_fill_is_in_the_csv_once(both: Both) -> None:
    _, product = both
    table = requests.get(f"{product.url}/api/trading/fills.csv", timeout=60)
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert len({row["fill_id"] for row in rows}) == len(rows)
    assert len(rows) == product.current()["trading"]["fills"]


def test_a_legacy_only_organization_costs_the_same(both: Both, tmp_path: Path) -> None:
    emulators, _ = both
    emulators.ask("/fault", {"analytics": 404})
    try:
        again = Product(tmp_path, emulators.environment())
        again.start("worker")
        again.start("web")
        shown = again.complete()
        totals = emulators.ask("/totals")
        billed = Decimal(shown["costs"]["billed"])
        assert Decimal(0) < billed <= wire(totals["cost_total"])
        assert shown["sources"]["anthropic"]["status"] == "ok"
    finally:
        emulators.ask("/fault", {"analytics": "ok"})
        again.stop()
