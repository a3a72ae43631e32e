"""The tape: whatever the order of arrival, the rows are those of one fold in order."""

import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.bucket import Row
from ledger.facts import Fill, Mark, Settlement
from ledger.moment import HOUR, MINUTE, floor
from ledger.money import NANO, dollars
from ledger.pnl import Policy
from pipeline.cycle import Store
from pipeline.tape import Tape
from storage import engine, schema
from storage.engine import unguarded
from storage.facts import Facts, Page

Filled = Callable[..., Fill]


def written(store: Store, *facts: Fill | Settlement | Mark) -> None:
    store.facts.record(Page("kalshi", facts))


def whole(store: Store, since: int, until: int) -> list[Row]:
    """Fold everything storage holds from an hour on, at once."""
    tape = Tape(store.facts, Policy.BID)
    tape.rewind(since)
    return tape.roll(until)


def test_facts_that_arrive_out_of_order_make_the_rows_of_one_fold(
    store: Store, filled: Filled, hands: Callable[[], int]
) -> None:
    now = hands()
    tape = Tape(store.facts, Policy.BID)
    tape.rewind(now)
    bought = filled("a", now + 30, "yes", "2", "0.40")
    sold = filled("b", now + 20, "no", "1", "0.60")
    quote = Mark(bought.ticker, now + 10, dollars("0.50"), dollars("0.52"), None)
    for fact in (bought, quote, sold):
        written(store, fact)
        assert tape.take([fact]) is None
        tape.roll(now + 40)
    assert tape.roll(now + MINUTE) == whole(store, now, now + MINUTE)


def test_a_fact_older_than_the_rows_in_hand_asks_for_a_rewind(
    store: Store, filled: Filled, hands: Callable[[], int]
) -> None:
    now = hands()
    tape = Tape(store.facts, Policy.BID)
    tape.rewind(now)
    tape.roll(now + 30 * MINUTE)
    late = filled("late", now + MINUTE, "yes", "1", "0.40")
    written(store, late)
    assert tape.take([late]) == late.time
    tape.rewind(late.time)
    assert tape.roll(now + 30 * MINUTE) == whole(store, now, now + 30 * MINUTE)
    assert tape.account.fills == 1


def test_another_version_of_a_settlement_rewinds_to_the_earlier_of_the_two(
    store: Store, filled: Filled, hands: Callable[[], int]
) -> None:
    now = hands()
    bought = filled("a", now, "yes", "2", "0.40")
    first = Settlement(bought.ticker, now + MINUTE, "yes", NANO)
    written(store, bought, first)
    tape = Tape(store.facts, Policy.BID)
    tape.rewind(now)
    amended = Settlement(bought.ticker, now + 2 * MINUTE, "no", 0)
    written(store, amended)
    assert tape.take([amended]) == first.time
    tape.rewind(first.time)
    tape.roll(now + 3 * MINUTE)
    assert tape.account.realized == dollars("-0.80")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tape") / "empty.db"
    opened = engine.writer(f"sqlite:///{path}")
    schema.upgrade(opened)
    opened.dispose()
    return path


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_arrival_over_hours_ends_in_the_rows_of_a_rebuild(
    template: Path, filled: Filled, hands: Callable[[], int], data: st.DataObject
) -> None:
    start = floor(hands(), HOUR)
    with TemporaryDirectory() as folder:
        shutil.copy(template, Path(folder) / "tape.db")
        opened = engine.writer(f"sqlite:///{folder}/tape.db", synchronous="off")
        facts = Facts(opened, unguarded)
        tape = Tape(facts, Policy.BID)
        tape.rewind(start)
        rows: dict[int, Row] = {}
        until = start
        for step in range(data.draw(st.integers(1, 6), label="steps")):
            until += data.draw(st.integers(1, 20 * MINUTE), label="later")
            time = data.draw(st.integers(start, until), label="time")
            side = data.draw(st.sampled_from(["yes", "no"]), label="side")
            fact = filled(str(step), time, side, "3", "0.30", "0.01")
            facts.record(Page("kalshi", (fact,)))
            late = tape.take([fact])
            if late is not None:
                tape.rewind(late)
            rows |= {row.bucket: row for row in tape.roll(until)}
        rebuilt = Tape(facts, Policy.BID)
        rebuilt.rewind(start)
        assert list(rows.values()) == rebuilt.roll(until)
        opened.dispose()


def test_the_newest_fact_within_reach_is_known(
    store: Store, filled: Filled, hands: Callable[[], int]
) -> None:
    now = hands()
    tape = Tape(store.facts, Policy.BID)
    tape.rewind(now)
    assert tape.latest(now) == 0
    tape.take(
        [filled("soon", now + 5, "yes", "1", "0.5"), filled("far", now + HOUR, "no", "1", "0.5")]
    )
    assert tape.latest(now + MINUTE) == now + 5
    with pytest.raises(IndexError):
        _ = tape.roll(now - MINUTE)[0]
