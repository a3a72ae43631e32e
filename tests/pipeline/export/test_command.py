"""The command: the book as the last snapshot showed it."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ledger.pnl import Policy
from pipeline.cycle import Store
from pipeline.export.command import export
from pipeline.worker import Plan
from storage.errors import NotReady, Unusable
from storage.facts import Page
from tests.pipeline.conftest import Hands, Script


def plan(url: str, hands: Hands) -> Plan:
    """Return what the command is told."""
    return Plan(url, "", Policy.BID, ZoneInfo("UTC"), 1.0, "live", hands)


def test_a_book_is_written_as_of_its_last_snapshot(
    url: str, store: Store, hands: Hands, filled: Any, started: Any, tmp_path: Path
) -> None:
    first = filled("a", hands.now - 1, "yes", "10", "0.40", "0.01")
    cycle = started(Script(past=[Page("kalshi", (first,))]))
    cycle.run()
    cycle.run()
    hands.now += 60_000_000
    store.facts.record(Page("kalshi", (filled("b", hands.now, "yes", "1", "0.40"),)))
    file = tmp_path / "book.beancount"
    last = store.snapshots.last()
    assert last is not None
    assert export(plan(url, hands), file) == last[1]
    assert 'fill: "a"' in file.read_text()
    assert 'fill: "b"' not in file.read_text()


def test_without_a_file_it_goes_to_standard_output(
    url: str, hands: Hands, filled: Any, started: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    cycle = started(Script(past=[Page("kalshi", (filled("a", hands.now, "yes", "10", "0.40"),))]))
    cycle.run()
    export(plan(url, hands), None)
    assert 'fill: "a"' in capsys.readouterr().out


def test_before_a_snapshot_there_is_no_book(store: Store, url: str, hands: Hands) -> None:
    assert store.facts.pending() is None
    with pytest.raises(NotReady):
        export(plan(url, hands), None)


def test_what_is_no_database_is_refused_and_none_is_made(tmp_path: Path, hands: Hands) -> None:
    other, absent = tmp_path / "other.db", tmp_path / "absent.db"
    other.write_text("no database at all, whatever its name says")
    with pytest.raises(Unusable):
        export(plan(f"sqlite:///{other}", hands), None)
    with pytest.raises(NotReady):
        export(plan(f"sqlite:///{absent}", hands), None)
    assert not absent.exists()
