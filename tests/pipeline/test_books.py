"""Books: whatever arrives, in whatever order, the rows are those of a rebuild."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import moment
from ledger.facts import Cost, Deal, Fact, Fill, Mark, Settlement, Side, Status
from ledger.moment import DAY, HOUR, MICROS, MINUTE, floor
from ledger.money import NANO, dollars
from ledger.pnl import Policy
from pipeline.books import Books
from pipeline.cycle import Cycle, Store
from pipeline.sources.client import Unreachable
from storage.facts import Page, Recorded, Window
from storage.reader import Reader
from storage.restatements import Wanted
from storage.text import decode
from tests.pipeline.accounts import Account, account
from tests.pipeline.conftest import NOON, Hands, Script

ZONE = ZoneInfo("America/Los_Angeles")
TICKERS = ("KXA-1", "KXB-1")
BEGIN = NOON - 6 * HOUR

Filled = Callable[..., Fill]


@pytest.fixture
def ours(template: Path) -> Iterator[Account]:
    with account(template) as made:
        yield made


def spent(start: int, amount: str, source: str = "analytics", width: int = HOUR) -> Cost:
    group = (("model", "claude-opus-5"),)
    return Cost(source, start, width // MICROS, group, dollars(amount))


TIMES = st.integers(0, 22).map(lambda half: BEGIN + half * 30 * MINUTE) | st.integers(
    BEGIN, NOON + 5 * HOUR
)


@st.composite
def facts(draw: st.DrawFn) -> Fact:
    """Draw a fact of any kind and time, some a second version of one seen."""
    kind, time = draw(st.sampled_from("ffffsmmcd")), draw(TIMES)
    ticker = draw(st.sampled_from(TICKERS))
    if kind == "f":
        number = draw(st.integers(0, 7))
        side = Side.YES if number % 3 else Side.NO
        count, price = 100 * (number + 1), dollars("0.30") + number * dollars("0.05")
        return Fill(
            f"f{number}", time, TICKERS[number % 2], side, count, price, number, bool(number % 2)
        )
    if kind == "s":
        value = draw(st.sampled_from([0, NANO // 2, NANO]))
        return Settlement(ticker, time, "scalar", value)
    if kind == "m":
        bid = draw(st.integers(1, 97)) * dollars("0.01")
        return Mark(ticker, time, bid, bid + dollars("0.01"), None)
    if kind == "c":
        daily = draw(st.booleans())
        start = floor(time, DAY if daily else HOUR)
        source, width = ("legacy", DAY) if daily else ("analytics", HOUR)
        return spent(start, str(draw(st.integers(0, 50))), source, width)
    version = draw(st.integers(1, 9))
    day = date(2026, 11, draw(st.sampled_from([1, 20])))
    amount = draw(st.integers(1, 100)) * NANO
    return Deal("api", "d", "Acme", Status.RECOGNIZED, amount, version, closed_date=day)


EXAMPLES = 200 if os.environ.get("PROOF") else 8

LATER = st.sampled_from([7 * MICROS, MINUTE, 9 * MINUTE, 70 * MINUTE, 3 * HOUR])
STEPS = st.lists(
    st.tuples(st.sampled_from(["run", "run", "crash", "restart"]), LATER, st.lists(facts())),
    min_size=1,
    max_size=6,
)


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(facts(), max_size=4), steps=STEPS)
def test_any_arrival_with_crashes_between_ends_in_the_rows_of_a_rebuild(
    template: Path, history: list[Fact], steps: list[tuple[str, int, list[Fact]]]
) -> None:
    with account(template) as ours:
        ours.begin(*history)
        for action, later, arrived in steps:
            ours.hands.now += later
            if action == "crash":
                ours.crash(*arrived)
            else:
                _ = ours.start() if action == "restart" else None
                ours.run(*arrived)
            assert ours.shown()["complete"]
            ours.agrees()
        ours.equals_rebuild()


def test_a_worker_away_for_hours_leaves_no_gap_in_the_rows(ours: Account, filled: Filled) -> None:
    ours.begin(filled("a", NOON - HOUR, "yes", "5", "0.40"))
    ours.hands.now += 5 * HOUR
    ours.start()
    ours.run()
    assert len(ours.rows()) == 6 * 60 + 1
    ours.agrees()
    ours.equals_rebuild()


def test_a_fill_recorded_before_a_crash_and_older_than_every_row_begins_them(
    ours: Account, filled: Filled
) -> None:
    ours.begin(filled("a", NOON - HOUR, "yes", "5", "0.40"))
    ours.crash(filled("b", NOON - 30 * HOUR, "yes", "5", "0.40", "1"))
    assert ours.rows()[0].bucket == NOON - 30 * HOUR
    assert ours.rows()[0].fees == NANO
    ours.equals_rebuild()


def test_a_fill_moved_to_a_later_time_moves_between_the_rows(ours: Account, filled: Filled) -> None:
    first = filled("a", NOON - MINUTE, "yes", "5", "0.40", "1")
    ours.begin(first)
    ours.run(replace(first, time=NOON))
    fees = {row.bucket: row.fees for row in ours.rows() if row.fees}
    assert fees == {NOON: NANO}
    ours.hands.now += HOUR
    ours.run()
    ours.run(replace(first, time=NOON + MINUTE))
    fees = {row.bucket: row.fees for row in ours.rows() if row.fees}
    assert fees == {NOON + MINUTE: NANO}
    ours.equals_rebuild()


@pytest.mark.parametrize(
    ("age", "restated"), [(0, []), (59 * MICROS, []), (61 * MICROS, [NOON - MINUTE])]
)
def test_late_is_what_is_seen_a_minute_after_its_bucket_closed(
    ours: Account, filled: Filled, age: int, restated: list[int]
) -> None:
    ours.begin(filled("a", NOON - HOUR, "yes", "5", "0.40"))
    ours.hands.now = NOON + age
    ours.run(filled("late", NOON - MICROS, "yes", "5", "0.40"))
    assert [row.bucket for row in ours.rows() if row.restated] == restated


def test_what_was_late_stays_marked_over_a_restart(ours: Account, filled: Filled) -> None:
    ours.begin(filled("a", NOON - HOUR, "yes", "5", "0.40"))
    ours.hands.now = NOON + 10 * MINUTE
    ours.run(filled("late", NOON + MINUTE, "yes", "5", "0.40"))
    ours.start()
    ours.run(filled("now", NOON + 10 * MINUTE, "yes", "5", "0.40"))
    ours.run(filled("older", NOON - 10 * MINUTE, "yes", "5", "0.40"))
    marked = [row.bucket for row in ours.rows() if row.restated]
    assert marked == [NOON - 10 * MINUTE, NOON + MINUTE]
    assert sum(row.restated for row in ours.rows("1h")) == 2


def restated(ours: Account) -> list[dict[str, Any]]:
    """Return every restatement that storage holds, oldest first."""
    reader = Reader(ours.url)
    _, found = reader.restatements(Wanted())
    rows = list(found)
    reader.close()
    return rows[::-1]


def told(ours: Account) -> list[tuple[str, int, int, int]]:
    """Return fact, span and amount of every restatement of trades."""
    rows = restated(ours)
    assert {row["source"] for row in rows} <= {"kalshi"}
    return [(row["fact"], row["from"], row["to"], row["amount"]) for row in rows]


def test_a_late_fill_is_a_restatement_of_what_it_shifts(ours: Account, filled: Filled) -> None:
    """5 YES at .40, an hour later marked .50; bought two hours ago for a fee of $1, seen now."""
    quote = Mark("KXA-1", NOON - HOUR, dollars("0.50"), None, None)
    ours.begin(filled("a", NOON - HOUR, "yes", "5", "0.40"), quote)
    ours.hands.now = NOON + 30 * MICROS
    late = replace(filled("b", NOON - 2 * HOUR, "yes", "5", "0.40", "1"), ticker="KXA-1")
    ours.run(late, filled("now", NOON, "no", "1", "0.40"))
    assert told(ours) == [("KXA-1: fill b", NOON - 2 * HOUR, NOON, dollars("0.50") - NANO)]


def test_late_fills_within_the_minutes_in_hand_are_restatements_too(
    ours: Account, filled: Filled
) -> None:
    ours.begin(filled("a", NOON - HOUR, "yes", "5", "0.40"))
    ours.hands.now = NOON + 4 * MINUTE
    ours.run(
        filled("b", NOON + MINUTE, "yes", "5", "0.40", "1"),
        filled("c", NOON, "yes", "5", "0.40", "2"),
    )
    ours.run()
    ticker = filled("a", NOON, "yes", "5", "0.40").ticker
    assert told(ours) == [(f"{ticker}: 2 fills", NOON, NOON + 4 * MINUTE, -3 * NANO)]


def test_an_amended_settlement_restates_from_its_first_version_on(
    ours: Account, filled: Filled
) -> None:
    """1 YES at .40 settles at 1, amended to 0 ten minutes later: a dollar less since then."""
    bought = filled("a", NOON - HOUR, "yes", "1", "0.40")
    ours.begin(bought, Settlement(bought.ticker, NOON - 30 * MINUTE, "yes", NANO))
    ours.hands.now = NOON + MINUTE
    ours.run(Settlement(bought.ticker, NOON, "no", 0))
    span = NOON - 30 * MINUTE, NOON + MINUTE
    assert told(ours) == [(f"{bought.ticker}: settlement", *span, -NANO)]
    ours.equals_rebuild()


def test_a_bill_that_changes_after_its_hour_was_told_is_a_restatement(ours: Account) -> None:
    """$2 of three hours ago becomes $5 once the report has spoken of the hour."""
    ours.begin(spent(NOON - 20 * HOUR, "1"), spent(NOON - 3 * HOUR, "2"))
    spoken = Window("analytics", NOON - 4 * HOUR, NOON - HOUR, NOON - HOUR)
    ours.source.tails = [[Page("kalshi", (spent(NOON - 3 * HOUR, "5"),), window=spoken)]]
    ours.cycle.run()
    (one,) = restated(ours)
    assert (one["source"], one["amount"]) == ("anthropic", -3 * NANO)
    assert (one["from"], one["to"]) == (NOON - 3 * HOUR, NOON - 2 * HOUR)
    for period in ("1m", "5m", "1h"):
        assert [row.bucket for row in ours.rows(period) if row.restated] == [NOON - 3 * HOUR]
    ours.equals_rebuild()


def test_a_deal_changed_on_a_past_day_is_a_restatement_of_that_day(ours: Account) -> None:
    """$7 recognized last week becomes $9; the hour's rows are marked in every period."""
    won, day = Status.RECOGNIZED, date(2026, 11, 13)
    deal = Deal("manual", "d", "Acme", won, 7 * NANO, 1, closed_date=day)
    ours.begin(spent(NOON - 20 * DAY, "1"), deal)
    ours.run(replace(deal, amount=9 * NANO, updated_at=2))
    ten = moment.parse("2026-11-13T10:00:00Z")
    (one,) = restated(ours)
    assert (one["source"], one["amount"]) == ("manual", 2 * NANO)
    assert (one["from"], one["to"]) == (ten, ten + HOUR)
    for period in ("1m", "5m", "1h"):
        assert [row.bucket for row in ours.rows(period) if row.restated] == [ten]
    ours.agrees()
    ours.equals_rebuild()


def test_what_comes_in_time_or_before_the_first_complete_snapshot_restates_nothing(
    ours: Account, filled: Filled
) -> None:
    ours.begin(filled("a", NOON - 9 * HOUR, "yes", "5", "0.40"))
    ours.hands.now = NOON + 59 * MICROS
    ours.run(filled("b", NOON - MICROS, "yes", "5", "0.40"))
    assert told(ours) == []


def test_another_mark_policy_at_start_values_every_row_anew(ours: Account, filled: Filled) -> None:
    bought = filled("a", NOON - 3 * HOUR, "yes", "10", "0.40")
    quote = Mark(bought.ticker, NOON - 2 * HOUR, dollars("0.50"), dollars("0.60"), None)
    ours.begin(bought, quote)
    assert ours.rows()[-1].unrealized == dollars("1")
    ours.policy = Policy.MID
    ours.start()
    ours.run()
    assert {row.unrealized for row in ours.rows()} == {0, dollars("1.5")}
    ours.agrees()
    ours.equals_rebuild()


def test_a_day_that_is_billed_as_a_whole_is_spread_over_the_hours_so_far(ours: Account) -> None:
    ours.hands.now = NOON
    ours.begin(spent(floor(NOON, DAY), "24", "legacy", DAY))
    assert {row.cost for row in ours.rows("1h") if row.bucket < NOON} == {dollars("2")}
    ours.hands.now += 4 * HOUR
    ours.run()
    assert [row.cost for row in ours.rows("1h") if row.cost] == [dollars("1.5")] * 16
    ours.agrees()
    ours.equals_rebuild()


def test_facts_of_a_clock_far_ahead_wait_and_end_nothing(ours: Account, filled: Filled) -> None:
    ours.begin(filled("ahead", NOON + 3 * HOUR, "yes", "5", "0.40"))
    assert ours.shown()["complete"]
    assert ours.shown()["trading"]["fills"] == 0
    assert ours.shown()["since"] == ours.shown()["as_of"]
    ours.hands.now += 3 * HOUR
    ours.run()
    assert ours.shown()["trading"]["fills"] == 1
    ours.agrees()


def test_as_of_never_goes_back_with_the_clock(ours: Account) -> None:
    ours.begin()
    seen = [moment.parse(ours.shown()["as_of"])]
    for back in (HOUR, 3 * HOUR):
        ours.hands.now = NOON - back
        ours.run()
        ours.start()
        ours.run()
        seen.append(moment.parse(ours.shown()["as_of"]))
    assert seen == sorted(set(seen))


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        ("2026-03-08T23:30:00-07:00", 23),
        ("2026-11-01T23:30:00-08:00", 25),
        ("2026-11-02T23:30:00-08:00", 24),
    ],
)
def test_today_begins_at_the_display_midnight_on_days_of_any_length(
    store: Store, now: str, hours: int
) -> None:
    """One dollar an hour since three days: today's change is as many dollars as begun hours."""
    at = moment.parse(now)
    hourly = tuple(spent(floor(at, HOUR) - hour * HOUR, "1") for hour in range(72))
    store.facts.record(Page("anthropic", hourly))
    books = Books(store.facts, store.rollups, Policy.BID, ZONE)
    books.open(at, None, None)
    books.begin(at)
    store.rollups.write(books.roll(at))
    net = -books.costs(at).total
    assert net == dollars("-72")
    change = books.change(net, dollars("-70"), at)
    assert (change.tick, change.today) == (dollars("-2"), dollars(f"-{hours}"))


def test_a_week_over_the_change_of_clocks_has_its_hour_more(store: Store) -> None:
    at = moment.parse("2026-11-01T23:30:00-08:00")
    hourly = tuple(spent(floor(at, HOUR) - hour * HOUR, "1") for hour in range(200))
    store.facts.record(Page("anthropic", hourly))
    books = Books(store.facts, store.rollups, Policy.BID, ZONE)
    books.open(at, None, None)
    books.begin(at)
    store.rollups.write(books.roll(at))
    change = books.change(-books.costs(at).total, 0, at)
    assert change.week == dollars(f"-{7 * 24 + 1}")
    assert change.month == dollars("-25")


def test_memory_holds_the_running_hours_rows_only(ours: Account, filled: Filled) -> None:
    ours.begin(filled("a", NOON - 100 * HOUR, "yes", "5", "0.40"))
    books = Books(ours.store.facts, ours.store.rollups, Policy.BID, ZONE)
    first = int(ours.store.snapshots.meta()["first_row"])
    books.open(NOON, first, NOON)
    for minute in range(5, 135, 5):
        at = NOON + minute * MINUTE
        books.take([Recorded()], at)
        books.settle(at)
        rows = books.roll(at)
        assert len(rows["1m"]) <= 6
        books.committed(rows)
    assert len(books.tape.look(NOON + 135 * MINUTE)) <= 66


def test_what_arrives_late_before_the_first_complete_snapshot_is_booked(
    store: Store, started: Callable[..., Cycle], filled: Filled, hands: Hands
) -> None:
    """The exchange's quotes are not in yet, so there is no row to rewind."""
    bought = filled("a", hands.now - HOUR, "yes", "5", "0.40")
    kalshi, late = Script(past=[Page("kalshi", (bought,))]), Script("revenue")
    kalshi.tails = [Unreachable("GET /markets: no connection")] * 9
    cycle = started(kalshi, late)
    cycle.run()
    cycle.run()
    late.tails = [[Page("revenue", (filled("b", hands.now - 9 * HOUR, "no", "2", "0.50"),))]]
    cycle.run()
    last = store.snapshots.last()
    assert last is not None
    shown = decode(last[2])
    assert shown["complete"] is False
    assert shown["trading"]["fills"] == 2
    assert store.rollups.load("1m", 0) == []
