"""Facts: recorded once by their identity, a page with its cursor in one transaction."""

import random
import signal
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.facts import Fact, Mark, Market, Settlement, Side, Status
from storage.errors import LeaseLost
from storage.facts import Reject
from storage.lease import Lease
from storage.schema import FIGURES
from tests.storage.databases import COST, DEAL, FILL, MARK, NOW, SETTLEMENT, Database, fill
from tests.storage.processes import Start, line

EVERY: list[Fact] = [FILL, SETTLEMENT, MARK, COST, DEAL]

WRITE_UNTIL_KILLED = """
import sys, threading
from itertools import count
from storage import engine
from storage.facts import Facts, Page
from storage.lease import Lease
from storage.schema import FIGURES
from storage.snapshots import Snapshots
from tests.storage.databases import MARK, NOW, fill
from dataclasses import replace

written = engine.writer(sys.argv[1])
lease = Lease(written, "child", interval=0.01)
lease.acquire(threading.Event())
facts, snapshots = Facts(written, lease.guard), Snapshots(written, lease.guard)
first = int(facts.cursor("kalshi").get("page", "-1")) + 1
for page in count(first):
    fills = [fill(f"{page}-{n}", NOW + page) for n in range(50)]
    mark = replace(MARK, time=NOW + page)
    facts.record(Page("kalshi", (*fills, mark), cursor={"page": str(page)}))
    figures = dict.fromkeys(FIGURES, page)
    snapshots.append(NOW, figures, lambda epoch, seq: {"page": page, "seq": seq}, {}, {})
    print(page, flush=True)
"""


def stored(db: Database) -> dict[str, object]:
    """Return every fact that counts, and every version kept."""
    facts = db.facts
    return {
        "fills": list(facts.fills()),
        "settlements": facts.settlements(),
        "marks": list(facts.marks(0)),
        "costs": list(facts.costs()),
        "deals": facts.deals(),
        "settled": sorted(db.rows("select ticker, subaccount, time, value from settlements")),
        "replaced": sorted(db.rows("select id, updated_at, name from deal_versions")),
    }


def test_each_kind_of_fact_is_read_as_it_was_recorded(db: Database) -> None:
    recorded = db.record(*EVERY)
    assert (recorded.duplicates, recorded.conflicts) == (0, 0)
    assert recorded.fills == tuple(db.facts.fills()) == (FILL,)
    assert recorded.settlements == tuple(db.facts.settlements()) == (SETTLEMENT,)
    assert recorded.marks == tuple(db.facts.marks(0)) == (MARK,)
    assert recorded.costs[0].after == next(db.facts.costs()) == COST
    assert recorded.deals == tuple(db.facts.deals()) == (DEAL,)


def test_a_page_recorded_twice_changes_nothing(db: Database) -> None:
    db.record(*EVERY)
    before, entries = stored(db), db.rows("select * from unrolled")
    again = db.record(*EVERY)
    assert again.duplicates == len(EVERY)
    kinds = (again.fills, again.settlements, again.marks, again.costs, again.deals)
    assert (kinds, again.entry) == (((),) * 5, 0)
    assert (stored(db), db.rows("select * from unrolled")) == (before, entries)


def test_a_fact_twice_in_one_page_is_recorded_once(db: Database) -> None:
    recorded = db.record(*EVERY, *EVERY)
    assert recorded.duplicates == len(EVERY)
    assert db.facts.settlements() == [SETTLEMENT]
    assert [len(list(db.facts.fills())), len(list(db.facts.marks(0)))] == [1, 1]


def test_cursor_and_facts_are_one_transaction(db: Database) -> None:
    db.record(FILL, cursor={"cursor": "a", "as_of": "1"})
    db.record(cursor={"cursor": "b"})
    assert db.facts.cursor("kalshi") == {"cursor": "b", "as_of": "1"}
    assert db.facts.cursor("anthropic") == {}


def test_who_lost_the_lease_records_nothing_of_a_page(db: Database) -> None:
    other = Lease(db.engine, "other")
    db.lease.release()
    assert other.attempt()
    with pytest.raises(LeaseLost, match="another worker"):
        db.record(FILL, cursor={"cursor": "a"})
    assert list(db.facts.fills()) == []
    assert db.facts.cursor("kalshi") == {}


def test_markets_are_known_by_what_was_last_said_of_them(db: Database) -> None:
    rain = Market("RAIN", "RAIN-25", "RAIN", "Will it rain?", "active")
    db.record(markets=(rain, Market("SNOW")))
    db.record(markets=(replace(rain, status="settled"),))
    assert db.facts.markets() == {"RAIN": replace(rain, status="settled"), "SNOW": Market("SNOW")}


def test_fills_are_read_by_span_and_market_in_the_order_of_the_fold(db: Database) -> None:
    later, tie = fill("a", NOW + 2, ticker="SNOW"), fill("0", NOW)
    db.record(later, FILL, tie)
    assert list(db.facts.fills()) == [tie, FILL, later]
    assert list(db.facts.fills(since=NOW + 1)) == [later]
    assert list(db.facts.fills(before=NOW + 2)) == [tie, FILL]
    assert list(db.facts.fills(NOW, NOW + 3, "SNOW")) == [later]


def test_what_no_snapshot_has_is_pending_from_its_earliest_instant(db: Database) -> None:
    assert db.facts.pending() is None
    db.record(fill("late", NOW - 5), FILL)
    db.record(replace(MARK, time=NOW - 2))
    assert db.facts.pending() == NOW - 5
    db.append()
    assert db.facts.pending() is None


def test_what_was_recorded_after_the_figures_were_taken_stays_pending(db: Database) -> None:
    taken = db.record(fill("late", NOW - 5))
    db.record(FILL)
    db.snapshots.append(NOW, dict.fromkeys(FIGURES, 0), lambda *_: {}, {}, {}, through=taken.entry)
    assert db.facts.pending() == NOW


def test_duplicates_are_never_pending(db: Database) -> None:
    db.record(*EVERY)
    db.append()
    db.record(*EVERY)
    assert db.facts.pending() is None


def test_a_reading_of_facts_goes_on_while_others_are_recorded(db: Database) -> None:
    db.record(*(fill(f"{n:04}", NOW + n) for n in range(1_500)))
    reading = db.facts.fills()
    first = next(reading)
    db.record(*(fill(f"x{n:04}", NOW + n) for n in range(1_500)))
    assert [first.fill_id, *(each.fill_id for each in reading)] == [f"{n:04}" for n in range(1_500)]


def test_refused_rows_are_counted(db: Database) -> None:
    assert db.facts.refused() == 0
    db.record(rejects=(Reject("kalshi", "f9", "price", "not a number", "{}"),))
    assert db.facts.refused() == 1


def test_kill_9_in_mid_write_loses_nothing_and_doubles_nothing(
    fresh: Callable[[], Database], start: Start
) -> None:
    db = fresh()
    db.lease.release()
    for _ in range(4):
        writer = start(WRITE_UNTIL_KILLED, db.url)
        printed = [line(writer) for _ in range(random.randint(2, 9))]  # noqa: S311 - any moment
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        pages = int(db.facts.cursor("kalshi")["page"]) + 1
        assert pages > int(printed[-1])
        assert db.rows("pragma integrity_check") == [("ok",)]
        assert db.rows("select count(*) from fills") == [(50 * pages,)]
        assert db.rows("select count(*) from marks") == [(pages,)]
        ((count, newest, net),) = db.rows("select count(*), max(seq), max(net) from snapshots")
        assert count == newest == db.rows("select max(seq) from documents")[0][0]
        assert net in {pages - 1, pages - 2}
        assert db.facts.pending() == (None if net == pages - 1 else NOW + pages - 1)


small = st.integers(0, 3)
instants = st.integers(NOW, NOW + 5)
fills = st.builds(
    lambda n, at: fill(f"f{n}", at, ticker=f"M{n % 2}", side=[Side.YES, Side.NO][n % 2]),
    small,
    instants,
)
settlements = st.builds(
    lambda n, at: Settlement(f"M{n}", at, "scalar", at % 97, subaccount=n or None),
    small,
    instants,
)
marks = st.builds(lambda n, at: Mark(f"M{n}", at, at % 7 or None, None, n), small, instants)
deals = st.builds(
    lambda n, at: replace(DEAL, id=f"d{n}", updated_at=at, name=f"as of {at}", status=Status.LOST),
    small,
    instants,
)
costs = st.builds(
    lambda n, at: replace(COST, start=at, group=(("m", f"{n}"),), amount=n * at),
    small,
    instants,
)


@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.data(), st.lists(fills | settlements | marks | deals | costs, max_size=25))
def test_any_order_and_duplication_of_delivery_gives_the_same_facts(
    fresh: Callable[[], Database], data: st.DataObject, facts: list[Fact]
) -> None:
    once, shuffled = fresh(), fresh()
    once.record(*facts)
    extra = data.draw(st.lists(st.sampled_from(facts), max_size=10)) if facts else []
    order = data.draw(st.permutations([*facts, *extra]))
    size = data.draw(st.integers(1, 7))
    for begin in range(0, len(order), size):
        shuffled.record(*order[begin : begin + size])
    assert stored(shuffled) == stored(once)
    assert once.reader.quarantined() == shuffled.reader.quarantined() == 0
    once.close()
    shuffled.close()
