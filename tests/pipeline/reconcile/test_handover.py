"""The handover: runs another process made, kept once and whole by the worker."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import Engine

from ledger.difference import Difference, Kind, Unit
from ledger.moment import MINUTE
from pipeline.commands import Commands
from pipeline.cycle import Store
from pipeline.reconcile.handover import ACTOR, KIND, handed
from storage import engine
from storage.engine import unguarded
from storage.inbox import WAITING, Inbox
from storage.reconciliation import Reconciliations, Run, Wanted, read, runs
from tests.pipeline.conftest import NOON, Hands

HUGE = Difference("fees RAIN", "1", "", -(10**20), Unit.USD, Kind.EXTRA)
OWED = Difference("position RAIN", "3", "3.5", 50, Unit.CONTRACTS, Kind.CHANGED)
RUN = Run("kalshi", NOON, 812, (HUGE, replace(OWED, kind=Kind.LAG)), "1 row could not be read")


@dataclass
class Desk:
    """A database, its inbox, and the worker's side of it."""

    engine: Engine
    inbox: Inbox
    commands: Commands

    def hand(self, *made: Run) -> int:
        """Hand runs over without waiting."""
        return handed(self.inbox, made, 0)

    def kept(self) -> list[tuple[object, ...]]:
        """Return the newest runs."""
        with engine.deferred(self.engine).connect() as connection:
            names = ("source", "time", "checked", "differences", "detail")
            return [tuple(run[name] for name in names) for run in runs(connection)]

    def rows(self) -> list[tuple[object, ...]]:
        """Return what the newest runs found, oldest first."""
        names = ("subject", "ours", "theirs", "difference", "unit", "kind", "time", "source")
        with engine.deferred(self.engine).connect() as connection:
            found = [tuple(row[name] for name in names) for row in read(connection, Wanted())]
        return found[::-1]


@pytest.fixture
def desk(url: str, store: Store, hands: Hands) -> Iterator[Desk]:
    opened = engine.writer(url)
    inbox = Inbox(opened, clock=hands)
    yield Desk(opened, inbox, Commands(store.facts, inbox, hands))
    opened.dispose()


def test_what_is_handed_over_is_kept_as_if_the_worker_had_found_it(desk: Desk) -> None:
    assert desk.hand(RUN, replace(RUN, source="revenue", differences=())) == WAITING
    assert desk.kept() == []
    assert desk.commands.run()
    assert desk.kept() == [
        ("kalshi", NOON, 812, 1, "1 row could not be read"),
        ("revenue", NOON, 812, 0, "1 row could not be read"),
    ]
    handed_over = desk.rows()
    Reconciliations(desk.engine, unguarded).keep(RUN)
    assert handed_over == desk.rows()
    assert [row[3] for row in handed_over] == ["-100000000000", "0.5"]


def test_the_same_runs_are_kept_once_however_often_they_are_handed(desk: Desk) -> None:
    for _ in range(2):
        desk.hand(RUN)
        desk.commands.run()
    assert len(desk.inbox.waiting()) == 0
    assert desk.hand(RUN) == 200
    assert len(desk.rows()) == 2


def test_a_run_older_than_what_is_kept_does_not_take_its_place(desk: Desk) -> None:
    Reconciliations(desk.engine, unguarded).keep(replace(RUN, time=NOON + MINUTE, differences=()))
    desk.hand(RUN)
    desk.commands.run()
    assert [run[1] for run in desk.kept()] == [NOON + MINUTE]
    assert desk.rows() == []


def test_what_is_no_run_is_refused_and_keeps_nothing(desk: Desk) -> None:
    broken = {"source": "kalshi", "time": NOON, "checked": 1, "detail": "", "differences": [{}]}
    number = desk.inbox.put("key", KIND, {"runs": [broken]}, ACTOR)
    desk.commands.run()
    assert desk.inbox.status(number) == 500
    assert desk.kept() == []
