"""Exactly once: whatever is delivered, however often, whenever the worker dies."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ledger.bucket import PERIODS, Row, merged
from ledger.facts import Cost, Deal, Fact, Fill, Mark, Settlement
from ledger.moment import HOUR, MINUTE
from ledger.money import NANO
from storage.costs import Window
from storage.facts import Page
from storage.text import decode
from tests.pipeline.arrivals import AGES, ANY, LATER, TRADES
from tests.pipeline.conftest import NOON, Hands
from tests.pipeline.mortal import Died, Process, Upstream, rebuilt
from tests.pipeline.plain import Figures, Plain

MONEY = Figures._fields[1:]
EXAMPLES, STEPS = (150, 40) if os.environ.get("PROOF") else (16, 14)


class ExactlyOnce(RuleBasedStateMachine):
    """One account, one upstream, two channels, and a worker that dies."""

    template: Path

    @initialize(history=st.lists(ANY, max_size=4))
    def begin(self, history: Sequence[Callable[[int], Fact]]) -> None:
        """Import a history."""
        self.folder = TemporaryDirectory()
        self.url = f"sqlite:///{self.folder.name}/once.db"
        shutil.copy(self.template, Path(self.folder.name) / "once.db")
        self.hands, self.upstream, self.plain = Hands(NOON), Upstream(), Plain()
        self.delivered: list[Fact] = []
        self.seqs: list[int] = []
        self.reborn = False
        self._rest([make(NOON) for make in history])
        self.upstream.past = len(self.upstream.pages)
        self.process = Process(self.url, self.hands, self.upstream)
        self.process.run()

    def teardown(self) -> None:
        """End the last process."""
        if hasattr(self, "process"):
            self.process.end()
            self.folder.cleanup()

    def _rest(self, facts: Sequence[Fact], window: Window | None = None) -> None:
        self.upstream.pages.append(Page("kalshi", tuple(facts), window=window))
        if window:
            self.plain.window(window.start, window.end, facts)
        else:
            self._known(facts)

    def _known(self, facts: Sequence[Fact]) -> None:
        take = {
            Fill: self.plain.fill,
            Settlement: self.plain.end,
            Mark: self.plain.mark,
            Cost: self.plain.cost,
            Deal: self.plain.deal,
        }
        for fact in facts:
            take[type(fact)](fact)
        self.delivered += facts

    @rule(made=st.lists(ANY, min_size=1, max_size=4))
    def a_page_by_rest(self, made: Sequence[Callable[[int], Fact]]) -> None:
        """Deliver what is new, late or out of order."""
        self._rest([make(self.hands.now) for make in made])
        self.process.run()

    @rule(made=st.lists(TRADES, min_size=1, max_size=3))
    def by_the_stream(self, made: Sequence[Callable[[int], Fact]]) -> None:
        """Deliver beside the polls, times cut to milliseconds."""
        self._stream([in_millis(make(self.hands.now)) for make in made])
        self.process.run()

    def _stream(self, facts: Sequence[Fact]) -> None:
        self._known(facts)
        self.process.stream(Page("kalshi", tuple(facts)))

    @precondition(lambda self: self.delivered)
    @rule(data=st.data(), streamed=st.booleans())
    def again(self, data: st.DataObject, *, streamed: bool) -> None:
        """Deliver some of what is known again, in another order, by either channel."""
        some = data.draw(st.lists(st.sampled_from(self.delivered), min_size=1, max_size=6))
        if streamed:
            self._stream([in_millis(fact) for fact in some if isinstance(fact, Fill | Mark)])
        else:
            self._rest(some)
        self.process.run()

    @precondition(lambda self: self.plain.fills)
    @rule(data=st.data(), name=st.sampled_from(["price", "fee", "count", "ticker"]))
    def a_conflict(self, data: st.DataObject, name: str) -> None:
        """Deliver a known fill with other content."""
        fill = self.plain.fills[data.draw(st.sampled_from(sorted(self.plain.fills)))]
        other = f"{fill.ticker}X" if name == "ticker" else getattr(fill, name) + 100
        self._rest([replace(fill, **{name: other})])
        self.process.run()

    @precondition(lambda self: self.plain.ends)
    @rule(data=st.data(), value=st.sampled_from([0, NANO // 4, NANO]), later=AGES)
    def settled_anew(self, data: st.DataObject, value: int, later: int) -> None:
        """Deliver another version of a settlement, at another time or at the same."""
        versions = [end for known in self.plain.ends.values() for end in known.values()]
        end = data.draw(st.sampled_from(versions))
        time = min(end.time + later, self.hands.now)
        self._rest([replace(end, time=time, value=value)])
        self.process.run()

    @precondition(lambda self: self.plain.costs)
    @rule(data=st.data(), hours=st.integers(1, 4))
    def a_window_of_cost(self, data: st.DataObject, hours: int) -> None:
        """Read a window of cost whole: some of its lines are no more."""
        start = data.draw(st.sampled_from(sorted({start for start, _ in self.plain.costs})))
        window = Window("analytics", start, start + hours * HOUR)
        kept = data.draw(st.lists(st.sampled_from(sorted(self.plain.costs)), unique=True))
        inside = [key for key in kept if window.start <= key[0] < window.end]
        lines = [Cost("analytics", key[0], 3600, key[1], self.plain.costs[key]) for key in inside]
        self._rest(lines, window)
        self.process.run()

    @rule(later=LATER)
    def time_passes(self, later: int) -> None:
        """Let time pass with nothing new."""
        self.hands.now += later
        self.process.run()

    @rule(later=LATER)
    def a_restart(self, later: int) -> None:
        """End in peace; begin again later."""
        self.process.end()
        self.hands.now += later
        self._reborn()

    @rule(made=st.lists(ANY, max_size=3), call=st.integers(1, 60), later=LATER)
    def a_crash(self, made: Sequence[Callable[[int], Fact]], call: int, later: int) -> None:
        """Die at a storage call while a page is taken; begin again later."""
        self._rest([make(self.hands.now) for make in made])
        self._dying(call, self.process.run)
        self.hands.now += later
        self._reborn()

    @rule(made=st.lists(TRADES, min_size=1, max_size=2), call=st.integers(1, 40))
    def a_crash_of_the_stream(self, made: Sequence[Callable[[int], Fact]], call: int) -> None:
        """Die while the stream delivers; after it REST brings what it may have lost."""
        facts = [make(self.hands.now) for make in made]
        page = Page("kalshi", tuple(in_millis(fact) for fact in facts))
        self._dying(call, lambda: (self.process.stream(page), self.process.run()))
        self._rest(facts)
        self._reborn()

    def _dying(self, call: int, work: Callable[[], Any]) -> None:
        self.process.mortality.dies_at = self.process.mortality.calls + call
        with suppress(Died):
            work()
        self.process.end()

    def _reborn(self) -> None:
        self.process = Process(self.url, self.hands, self.upstream)
        self.reborn = True
        self.process.run()

    @invariant()
    def every_figure_is_that_of_the_plain_account(self) -> None:
        """Compare the newest snapshot with the oracle; net is trading + revenue − cost."""
        if not hasattr(self, "process"):
            return
        row = newest(self.url)
        shown = document(self.process)
        known = self.plain.figures(row["as_of"])
        stated = {name: row[name] for name in MONEY}
        assert Figures(fills=shown["trading"]["fills"], **stated) == known
        assert row["net"] == known.net
        assert row["estimated"] == 0
        assert shown["complete"] is True
        assert shown["seq"] == row["seq"]
        assert len(list(self.process.store.facts.fills())) == len(self.plain.fills)
        assert not self.seqs or row["seq"] > self.seqs[-1]
        self.seqs.append(row["seq"])

    @invariant()
    def the_rows_are_those_of_a_rebuild_and_of_the_plain_account(self) -> None:
        """Compare levels at some bucket ends with the oracle, all rows with a rebuild."""
        if not hasattr(self, "process"):
            return
        as_of = newest(self.url)["as_of"]
        rows = self.process.store.rollups.load("1m", 0)
        assert {later.bucket - row.bucket for row, later in pairwise(rows)} <= {MINUTE}
        for row in [*(row for row in rows if row.fills), rows[0], rows[-1]]:
            at = min(row.bucket + MINUTE - 1, as_of)
            assert row.close == self.plain.figures(at).trading
        known = self.plain.figures(as_of)
        assert sum(row.fills for row in rows) == known.fills
        assert sum(row.cost for row in rows) == known.billed
        for period, width in PERIODS.items():
            assert self.process.store.rollups.load(period, 0) == list(merged(rows, width))
        if self.reborn or len(self.seqs) % 4 == 0:
            same_rows(rows, rebuilt(self.process, self.hands)["1m"])
        self.reborn = False


def in_millis(fact: Fact) -> Fact:
    """Return a fact as the stream dates it."""
    assert isinstance(fact, Fill | Mark)
    return replace(fact, time=fact.time // 1_000 * 1_000)


def newest(url: str) -> dict[str, int]:
    """Return the newest snapshot's row, past every layer of ours."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.row_factory = sqlite3.Row
        query = "select * from snapshots order by seq desc limit 1"
        return dict(connection.execute(query).fetchone())


def document(process: Process) -> dict[str, Any]:
    """Return the newest document."""
    last = process.store.snapshots.last()
    assert last is not None
    return decode(last[2])


def same_rows(rows: Sequence[Row], expected: Sequence[Row]) -> None:
    """Check rows against a rebuild's; what was late is marked on one side only."""
    plain = [replace(row, restated=0) for row in rows]
    early = [row for row in plain if row.bucket < expected[0].bucket]
    assert plain[len(early) :] == list(expected)
    # A first fact that moved later leaves rows before it, of nothing.
    assert all(replace(row, revenue=0) == Row(row.bucket, 0, 0, 0, 0, 0) for row in early)


def test_every_fact_counts_once_whatever_is_delivered_and_whenever_the_worker_dies(
    template: Path,
) -> None:
    machine = type("Machine", (ExactlyOnce,), {"template": template})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
