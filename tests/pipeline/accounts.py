"""An account whose worker may end at any time, and what must hold of it at every step."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ledger.bucket import PERIODS, Row, merged
from ledger.facts import Fact
from ledger.moment import MINUTE
from ledger.money import dollars
from ledger.pnl import Policy
from pipeline.books import Books
from pipeline.cycle import Cycle, Store
from pipeline.fetch import Fetch
from storage.facts import Page
from storage.reader import Reader
from storage.snapshots import Snapshots
from storage.text import decode
from tests.pipeline.conftest import NOON, Hands, Script, assembled, kept

ZONE = ZoneInfo("America/Los_Angeles")


@dataclass
class Account:
    """A worker that may end at any time, on one database."""

    store: Store
    hands: Hands
    url: str
    cycle: Cycle | None = None
    fetch: Fetch | None = None
    policy: Policy = Policy.BID

    def begin(self, *history: Fact) -> None:
        """Start for the first time and import a history."""
        self.start(*history)
        self.run()
        self.run()

    def start(self, *history: Fact) -> None:
        """Start anew; sources that have delivered their history do not do so again."""
        self.stop()
        self.source = Script(past=[Page("kalshi", history)])
        made = assembled(self.store, self.hands, self.source, policy=self.policy)
        self.cycle, self.fetch = made

    def stop(self) -> None:
        """End without a word."""
        if self.fetch:
            self.fetch.close()

    def run(self, *facts: Fact) -> None:
        """Let facts arrive with the next tick."""
        assert self.cycle is not None
        self.source.tails = [[Page("kalshi", facts)]]
        while self.cycle.run():
            pass

    def crash(self, *facts: Fact) -> None:
        """Record facts, end before their snapshot, start again and tick."""
        self.store.facts.record(Page("kalshi", facts))
        self.start()
        self.run()

    def rows(self, period: str = "1m") -> list[Row]:
        """Return what is stored."""
        return self.store.rollups.load(period, 0)

    def shown(self) -> dict[str, Any]:
        """Return the newest document."""
        last = self.store.snapshots.last()
        assert last is not None
        return decode(last[2])

    def agrees(self) -> None:
        """Check what holds at every step."""
        rows = self.rows()
        assert {later.bucket - row.bucket for row, later in pairwise(rows)} <= {MINUTE}
        assert all(later.open == row.close for row, later in pairwise(rows))
        for period, width in PERIODS.items():
            assert self.rows(period) == list(merged(rows, width))
            reader = Reader(self.url)
            (*_, last) = reader.series(period, None, None).rows
            reader.close()
            assert last["net_close"] == int(self.store.snapshots.meta()["net"])
            assert dollars(self.shown()["net_pnl"]) == pytest.approx(last["net_close"], abs=500)

    def rebuilt(self) -> dict[str, list[Row]]:
        """Return the rows of a rebuild from what is stored."""
        last = self.store.snapshots.last()
        assert last is not None
        books = Books(self.store.facts, self.store.rollups, self.policy, ZONE)
        books.open(self.hands.now, None, None)
        books.begin(last[1])
        return books.roll(last[1])

    def equals_rebuild(self) -> None:
        """Check the rows against a rebuild; what was late is marked on one side only."""
        for period, expected in self.rebuilt().items():
            rows = [replace(row, restated=0) for row in self.rows(period)]
            before = [row for row in rows if row.bucket < expected[0].bucket]
            assert rows[len(before) :] == expected
            # A first fill that moved later leaves rows before it: without any trading, and with
            # the revenue that a rebuild has in its opening level.
            quiet = [replace(row, revenue=0) for row in before]
            assert all(row == Row(row.bucket, 0, 0, 0, 0, 0) for row in quiet)


@contextmanager
def account(template: Path) -> Iterator[Account]:
    """Open an account on a database of its own."""
    with TemporaryDirectory() as folder:
        shutil.copy(template, Path(folder) / "books.db")
        hands, url = Hands(NOON), f"sqlite:///{folder}/books.db"
        with kept(url, hands, "off") as store:
            made = Account(store, hands, url)
            yield made
            made.stop()


class Crashing(Snapshots):
    """Snapshots of which the next one fails, before it is stored or just after."""

    stored = False
    armed = True

    def append(self, *given: Any, **named: Any) -> tuple[int, bytes]:
        """Append as ever, but for the one that fails."""
        if not self.armed:
            return super().append(*given, **named)
        self.armed = False
        if self.stored:
            super().append(*given, **named)
        raise ZeroDivisionError
