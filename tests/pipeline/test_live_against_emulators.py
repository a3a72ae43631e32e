"""A worker that ticks once an hour: what it shows of the emulated exchange came by the stream."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ledger.pnl import Policy
from pipeline.sources.kalshi import Kalshi
from pipeline.worker import Plan, Worker
from storage import engine
from storage.engine import unguarded
from storage.errors import NotReady
from storage.facts import Facts
from storage.reader import Reader
from storage.text import decode
from tests.product import Emulators, until

HOUR = 3_600.0


@dataclass
class Desk:
    """One worker on the emulated exchange, and what it shows."""

    emulators: Emulators
    source: Kalshi
    url: str

    @property
    def stream(self) -> Any:
        """The stream of the source."""
        return self.source.stream

    def shown(self) -> dict[str, Any]:
        """Return the newest document, {} before the first."""
        reader = Reader(self.url)
        try:
            return decode(reader.head().text)
        except NotReady:
            return {}
        finally:
            reader.close()

    def fills(self) -> int:
        """Return how many fills are shown."""
        return int(self.shown().get("trading", {}).get("fills", 0))

    def facts(self) -> Facts:
        """Return the facts as they are stored."""
        return Facts(engine.writer(self.url), unguarded)

    def trade(self, **more: Any) -> dict[str, Any]:
        """Make a fill on the exchange."""
        wish = {"ticker": self.ticker, "book_side": "bid", "count": 1, "price": "0.50"}
        filled: dict[str, Any] = self.emulators.ask("/fill", wish | more)
        return filled

    @property
    def ticker(self) -> str:
        """A market that is held."""
        return min(self.stream.watched)

    def connected(self) -> bool:
        """Whether the stream is up."""
        return bool(self.stream.down_seconds == 0)


@pytest.fixture(scope="module")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulators]:
    made = Emulators(tmp_path_factory.mktemp("world"), "--history-days", "2")
    made.freeze()
    yield made
    made.stop()


@pytest.fixture
def desk(emulators: Emulators, tmp_path: Path) -> Iterator[Desk]:
    ready = emulators.ready
    emulators.ask("/fault", {"source": "kalshi", "stream": "ok"})
    source = Kalshi(
        ready["kalshi_url"],
        ready["kalshi_key_id"],
        Path(ready["kalshi_private_key_file"]).read_text(),
        cadence=HOUR,
        stream_url=ready["kalshi_ws_url"],
    )
    url = f"sqlite:///{tmp_path / 'northstar.db'}"
    plan = Plan(url, "", Policy.BID, ZoneInfo("UTC"), HOUR, "live")
    stop, worker = Event(), Worker(plan, lambda: [source])
    thread = Thread(target=worker.run, args=(stop,))
    thread.start()
    made = Desk(emulators, source, url)
    until(lambda: made.shown().get("complete") and made.connected(), "complete and connected")
    until(lambda: made.stream.watched, "what is held is watched")
    yield made
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


def fault(desk: Desk, **stream: object) -> None:
    desk.emulators.ask("/fault", {"source": "kalshi", "stream": stream})


def test_a_fill_comes_by_the_stream_with_the_content_of_rest(desk: Desk) -> None:
    before = desk.fills()
    made = desk.trade(book_side="ask", count=7, price="0.37")
    until(lambda: desk.fills() == before + 1, "it is shown")
    (stored,) = [fill for fill in desk.facts().fills() if fill.fill_id == made["fill_id"]]
    assert stored.side.value == "no"
    assert desk.facts().refusals() == []


def test_what_comes_twice_is_booked_once(desk: Desk) -> None:
    before = desk.fills()
    fault(desk, duplicate=True)
    desk.trade()
    desk.trade()
    until(lambda: desk.fills() == before + 2, "both are shown")
    fault(desk, disconnect="close")
    until(lambda: "closed the stream" in desk.stream.trouble, "it ended")
    until(desk.connected, "it is back, and REST is asked for the same again")
    desk.trade()
    until(lambda: desk.fills() == before + 3, "the next one")
    assert desk.facts().refusals() == []


@pytest.mark.parametrize("ending", ["close", "abort"])
def test_what_was_missed_while_the_stream_was_down_is_caught_up(desk: Desk, ending: str) -> None:
    before = desk.fills()
    fault(desk, drop_fills=1, disconnect=ending)
    made = desk.trade()
    until(lambda: desk.fills() == before + 1, "it is shown")
    assert made["fill_id"] in {fill.fill_id for fill in desk.facts().fills()}


def test_an_overflow_is_a_reconnect(desk: Desk) -> None:
    before = desk.fills()
    fault(desk, overflow=True)
    until(lambda: "subscription error 25" in desk.stream.trouble, "it was told")
    until(desk.connected, "it is back")
    desk.trade()
    until(lambda: desk.fills() == before + 1, "it is shown")


def test_a_settlement_is_booked_when_the_stream_tells_of_it(desk: Desk) -> None:
    ticker = desk.ticker
    positions = desk.shown()["trading"]["open_positions"]
    desk.emulators.ask("/settlement", {"ticker": ticker, "result": "yes"})
    until(lambda: desk.shown()["trading"]["open_positions"] == positions - 1, "it is settled")
    until(lambda: ticker not in desk.stream.watched, "it is watched no more")


def test_a_quote_that_moves_is_shown(desk: Desk) -> None:
    before = desk.shown()["trading"]["unrealized"]
    desk.emulators.ask("/marks", {"ticker": desk.ticker, "yes_bid": "0.0200", "yes_ask": "0.0300"})
    until(lambda: desk.shown()["trading"]["unrealized"] != before, "it is shown")


def test_the_figures_are_those_of_the_exchange_in_the_end(desk: Desk) -> None:
    totals = desk.emulators.ask("/totals")
    trading = desk.shown()["trading"]
    for name in ("realized", "fees"):
        assert abs(float(trading[name]) - float(totals[name])) < 1e-6
