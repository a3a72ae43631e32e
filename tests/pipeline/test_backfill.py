"""Backfill: the whole history once, its progress shown, an end that is said."""

import io
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ledger.facts import Fill
from ledger.moment import HOUR
from pipeline.backfill import Unfinished, backfill
from pipeline.cycle import Store
from pipeline.sources.client import Unreachable
from storage import engine
from storage.engine import unguarded
from storage.facts import Page
from storage.progress import WHOLE, Imports
from tests.pipeline.conftest import Script
from tests.pipeline.test_worker import given_back, worker
from tests.product import Emulators, Product, until

Filled = Callable[..., Fill]


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=100)


def shown(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@dataclass
class Broken(Script):
    """A source that ends in the middle of its history."""

    def history(self, cursor: Mapping[str, str]) -> Iterator[Page]:
        """Yield what there is, then fail."""
        del cursor
        yield from self.past
        raise Unreachable("GET /portfolio/fills: no connection")


def test_every_history_is_recorded_and_counted(
    store: Store, url: str, console: Console, filled: Filled, hands: Any
) -> None:
    fills = tuple(filled(str(n), hands.now - n * HOUR, "yes", "1", "0.40") for n in range(1, 8))
    kalshi = Script(past=[Page("kalshi", fills[:4]), Page("kalshi", fills[4:])])
    backfill(worker(url, lambda: [kalshi, Script("revenue")]), console)
    assert len(list(store.facts.fills())) == 7
    for name in ("kalshi", "revenue"):
        assert store.facts.cursor(name)["complete"] == "1"
    assert "kalshi             7 facts" in shown(console)
    assert shown(console).count("whole") == 3
    assert shown(console).endswith("History is whole.\n")
    assert given_back(url)


def test_a_source_that_fails_ends_it_with_its_reason_and_another_run_goes_on(
    store: Store, url: str, console: Console, filled: Filled, hands: Any
) -> None:
    past = [Page("kalshi", (filled("a", hands.now, "yes", "1", "0.40"),))]
    with pytest.raises(Unfinished, match="kalshi: GET /portfolio/fills: no connection; run it"):
        backfill(worker(url, lambda: [Broken(past=past), Script("revenue")]), console)
    assert "History is whole" not in shown(console)
    backfill(worker(url, lambda: [Script(past=past), Script("revenue")]), console)
    assert len(list(store.facts.fills())) == 1
    assert "History is whole" in shown(console)


def test_a_tail_that_fails_does_not_end_the_import_of_another_source(
    url: str, console: Console
) -> None:
    revenue = Script("revenue", tails=[Unreachable("GET /deals: no connection")] * 9)
    backfill(worker(url, lambda: [revenue]), console)
    again = Script("kalshi")
    backfill(worker(url, lambda: [again, revenue]), console)
    assert "History is whole" in shown(console)


def test_progress_is_in_the_database_when_it_ends(
    url: str, console: Console, filled: Filled, hands: Any
) -> None:
    fills = tuple(filled(str(n), hands.now - n * HOUR, "yes", "1", "0.40") for n in range(1, 8))
    backfill(worker(url, lambda: [Script(past=[Page("kalshi", fills)])]), console)
    opened = engine.writer(url)
    (kept,) = Imports(opened, unguarded).known().values()
    opened.dispose()
    assert (kept.source, kept.done, kept.total, kept.state) == ("kalshi", 7, 7, WHOLE)


@pytest.fixture
def emulators(tmp_path: Path) -> Iterator[Emulators]:
    """Start a world of a month whose trader rests."""
    started = Emulators(tmp_path / "world", "--history-days", "30")
    started.freeze()
    yield started
    started.stop()


def fills_of(file: Path) -> list[str]:
    """Return the ids of all fills recorded so far."""
    if not file.exists():
        return []
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            return [name for (name,) in connection.execute("select fill_id from fills")]
    except sqlite3.OperationalError:
        return []


def test_a_backfill_that_is_killed_goes_on_and_loses_and_doubles_nothing(
    emulators: Emulators, tmp_path: Path
) -> None:
    product = Product(tmp_path, emulators.environment())
    file = tmp_path / "northstar.db"
    for least in (1, 2_001):
        product.start("backfill")
        until(lambda least=least: len(fills_of(file)) >= least, "some fills")
        product.kill("backfill")
    wanted = emulators.ask("/totals")["fills"]
    assert 0 < len(fills_of(file)) <= wanted
    product.start("backfill")
    assert product.running["backfill"].wait(60) == 0
    found = fills_of(file)
    assert len(found) == len(set(found)) == wanted
