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


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_fold_that_goes_on_is_the_fold_begun_anew_at_every_look(
    store: Store, filled: Filled, hands: Callable[[], int], data: st.DataObject
) -> None:
    start = floor(hands(), HOUR)
    going, until = Tape(store.facts, Policy.BID), start
    going.rewind(start)
    known: list[Fill | Settlement | Mark] = []
    for step in range(data.draw(st.integers(1, 12), label="steps")):
        until += data.draw(st.integers(0, 90) | st.integers(0, 2 * MINUTE), label="later")
        far = data.draw(st.integers(-20, 20) | st.integers(-4 * MINUTE, MINUTE), label="when")
        time = max(until + far, going.through)
        fact = data.draw(st.sampled_from(["fill", "mark", "settlement"]), label="kind")
        news = drawn(fact, filled, step, time)
        known.append(news)
        assert going.take([news]) is None
        rows = going.roll(until) if data.draw(st.booleans(), label="roll") else going.look(until)
        anew = Tape(store.facts, Policy.BID)
        anew.rewind(start)
        anew.take(known)
        assert rows == anew.look(until)
        assert going.account.trading == anew.account.trading
        assert going.account.worths() == anew.account.worths()


def drawn(kind: str, filled: Filled, step: int, time: int) -> Fill | Settlement | Mark:
    fill = filled(str(step), time, "yes" if step % 3 else "no", "3", "0.30", "0.01")
    if kind == "mark":
        return Mark(fill.ticker, time, dollars("0.01") * (step + 1), None, None)
    if kind == "settlement":
        return Settlement(f"{fill.ticker}-{step}", time, "yes", NANO)
    return fill


def test_a_fill_moved_in_time_is_folded_where_it_belongs_now(
    store: Store, filled: Filled, hands: Callable[[], int]
) -> None:
    now = hands()
    tape = Tape(store.facts, Policy.BID)
    tape.rewind(now)
    before = filled("a", now + 1_000, "yes", "2", "0.40")
    tape.take([before, filled("b", now + 1_500, "no", "1", "0.60")])
    tape.look(now + 1_500)
    after = filled("a", now + 2 * MINUTE, "yes", "2", "0.40")
    assert tape.retime(before, after) is None
    anew = Tape(store.facts, Policy.BID)
    anew.rewind(now)
    anew.take([after, filled("b", now + 1_500, "no", "1", "0.60")])
    assert tape.look(now + 3 * MINUTE) == anew.look(now + 3 * MINUTE)
    assert tape.account.realized == anew.account.realized


def test_a_fact_of_a_minute_that_was_shown_as_quiet_is_in_its_row(
    store: Store, filled: Filled, hands: Callable[[], int]
) -> None:
    now = floor(hands(), HOUR)
    tape = Tape(store.facts, Policy.BID)
    tape.rewind(now)
    tape.look(now + 2 * MINUTE)
    tape.take([filled("a", now + MINUTE, "yes", "1", "0.40", "0.01")])
    assert [row.fills for row in tape.look(now + 2 * MINUTE)] == [0, 1, 0]


def test_facts_in_order_are_folded_once(
    store: Store, filled: Filled, hands: Callable[[], int]
) -> None:
    now = hands()
    tape = Tape(store.facts, Policy.BID)
    tape.rewind(now)
    tape.look(now)
    account = tape.account
    for step in range(1, 20):
        tape.take([filled(str(step), now + step * MINUTE, "yes", "1", "0.40")])
        tape.roll(now + step * MINUTE + 1)
        assert tape.account is account
    tape.take([filled("late", now + 19 * MINUTE, "yes", "1", "0.40")])
    tape.look(now + 20 * MINUTE)
    assert tape.account is not account


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
