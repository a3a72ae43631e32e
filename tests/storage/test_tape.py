"""The tape: fills as flat rows, newest first, each with what it realized."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.book import Book
from ledger.facts import Fill, Market, Settlement, Side
from ledger.money import NANO, cents, contracts, dollars
from ledger.pnl import ordered
from tests.storage.databases import NOW, Database, fill

RAIN = Market("RAIN", "RAIN-25", "WEATHER")
SOLD = [("ask", 1, ".30"), ("ask", 5, ".30"), ("ask", 3, ".31"), ("ask", 1, ".31")]
LATER = [("bid", 5, ".32"), ("ask", 8, ".33")]


def trades(rows: list[tuple[str, int, str]]) -> list[Fill]:
    """Return fills one second apart."""
    return [
        fill(
            f"f{n}",
            NOW + n,
            side=Side.YES if book_side == "bid" else Side.NO,
            count=contracts(count),
            price=dollars(price),
        )
        for n, (book_side, count, price) in enumerate(rows)
    ]


def read(db: Database, *asked: Any, **filters: Any) -> list[dict[str, Any]]:
    """Return the rows asked for."""
    _, rows = db.reader.fills(*asked, **filters)
    return list(rows)


@pytest.fixture
def shown(db: Database) -> Database:
    """Return a database with a snapshot, without which nothing is read."""
    db.append()
    return db


def test_a_row_has_every_column_in_its_order(shown: Database) -> None:
    shown.record(fill("f1", side=Side.NO), markets=(RAIN,))
    seq, rows = shown.reader.fills()
    assert seq == 1
    assert list(rows) == [
        {
            "time": NOW,
            "fill_id": "f1",
            "ticker": "RAIN",
            "event": "RAIN-25",
            "series": "WEATHER",
            "side": "no",
            "count": 100,
            "price": NANO // 2,
            "fee": 1_000,
            "is_taker": True,
            "realized": 0,
        }
    ]


def test_what_was_realized_is_the_average_cost_of_the_worked_example(shown: Database) -> None:
    """Ask 1@.30 5@.30 3@.31 1@.31, bid 5@.32, ask 8@.33: the bid realized −0.08."""
    shown.record(*trades(SOLD + LATER))
    rows = read(shown)
    assert [row["realized"] for row in rows] == [0, dollars("-0.08"), 0, 0, 0, 0]
    assert [row["fill_id"] for row in rows] == ["f5", "f4", "f3", "f2", "f1", "f0"]


def test_a_part_of_the_tape_shows_what_the_whole_tape_shows(shown: Database) -> None:
    shown.record(*trades(SOLD + LATER))
    assert read(shown, NOW + 4, NOW + 5) == read(shown)[1:2]


def test_a_settlement_between_two_fills_empties_the_book(shown: Database) -> None:
    bought = fill("a", NOW, count=100, price=NANO // 4)
    sold = fill("b", NOW + 9, side=Side.NO, count=100, price=NANO // 2)
    shown.record(bought, sold)
    assert [row["realized"] for row in read(shown)] == [NANO // 4, 0]
    shown.record(Settlement("RAIN", NOW + 5, "yes", NANO))
    assert [row["realized"] for row in read(shown)] == [0, 0]


def test_a_settlement_of_the_same_instant_comes_after_the_fill(shown: Database) -> None:
    bought = fill("a", NOW, count=100, price=NANO // 4)
    sold = fill("b", NOW + 9, side=Side.NO, count=100, price=NANO // 2)
    shown.record(bought, sold, Settlement("RAIN", NOW + 9, "yes", NANO))
    assert [row["realized"] for row in read(shown)] == [NANO // 4, 0]


def test_subaccounts_have_books_of_their_own(shown: Database) -> None:
    bought = fill("a", NOW, price=NANO // 4)
    shown.record(bought, fill("b", NOW + 1, side=Side.NO, subaccount=3))
    assert [row["realized"] for row in read(shown)] == [0, 0]


def test_filters_narrow_by_market_series_side_and_time(shown: Database) -> None:
    snow = fill("s", NOW + 1, ticker="SNOW", side=Side.NO)
    shown.record(fill("r", NOW), snow, fill("x", NOW + 2), markets=(RAIN,))

    def names(**filters: Any) -> str:
        return "".join(row["fill_id"] for row in read(shown, **filters))

    assert names() == "xsr"
    assert names(ticker="RAIN") == "xr"
    assert names(series="WEATHER") == "xr"
    assert names(side="no") == "s"
    assert names(start=NOW + 1) == "xs"
    assert names(end=NOW + 1) == "r"
    assert names(start=NOW + 1, end=NOW + 2) == "s"
    assert names(ticker="RAIN", side="no") == ""
    assert names(series="") == ""


def test_an_unknown_side_is_refused(shown: Database) -> None:
    with pytest.raises(ValueError, match="maybe"):
        shown.reader.fills(side="maybe")


def test_a_long_tape_is_one_reading_while_more_is_recorded(shown: Database) -> None:
    shown.record(*(fill(f"{n:05}", NOW + n) for n in range(1_200)))
    seq, rows = shown.reader.fills()
    first = next(rows)
    shown.record(*(fill(f"x{n:05}", NOW + n) for n in range(50)))
    shown.append()
    assert [first["fill_id"], *(row["fill_id"] for row in rows)] == [
        f"{n:05}" for n in reversed(range(1_200))
    ]
    assert seq == 1


fills = st.builds(
    lambda n, at, ticker, side, count, price: fill(
        f"f{n}",
        NOW + at,
        ticker=ticker,
        side=side,
        count=count,
        price=price * 1_000,
        subaccount=n % 2,
    ),
    st.integers(0, 10**6),
    st.integers(0, 9),
    st.sampled_from("AB"),
    st.sampled_from(Side),
    st.integers(1, 900),
    st.integers(0, 10**6),
)
settlements = st.builds(
    lambda at, ticker, value: Settlement(ticker, NOW + at, "scalar", value),
    st.integers(0, 9),
    st.sampled_from("AB"),
    st.integers(0, 100).map(cents),
)


@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(fills, unique_by=lambda each: each.fill_id, max_size=15),
    st.lists(settlements, unique_by=lambda each: each.ticker),
    st.fixed_dictionaries(
        {},
        optional={
            "start": st.integers(NOW, NOW + 9),
            "end": st.integers(NOW, NOW + 9),
            "ticker": st.sampled_from("AB"),
            "side": st.sampled_from(["yes", "no"]),
        },
    ),
)
def test_realized_of_any_tape_is_that_of_the_whole_book(
    fresh: Callable[[], Database],
    known: list[Fill],
    ended: list[Settlement],
    asked: dict[str, Any],
) -> None:
    db, book, wanted = fresh(), Book(), {}
    db.record(*known, *ended)
    db.append()
    oldest_first = sorted(known, key=lambda each: (each.time, each.fill_id))
    for event in ordered(oldest_first, ended, ()):
        if isinstance(event, Settlement):
            book.settle(event)
        elif isinstance(event, Fill):
            before, now = book.fill(event)
            wanted[event.fill_id] = now.realized - before.realized
    rows = read(db, **asked)
    assert {row["fill_id"]: row["realized"] for row in rows} == {
        each.fill_id: wanted[each.fill_id] for each in known if _matches(each, asked)
    }
    assert [(row["time"], row["fill_id"]) for row in rows] == sorted(
        ((row["time"], row["fill_id"]) for row in rows), reverse=True
    )
    db.close()


def _matches(each: Fill, asked: dict[str, Any]) -> bool:
    return (
        asked.get("start", 0) <= each.time < asked.get("end", NOW * 2)
        and asked.get("ticker", each.ticker) == each.ticker
        and asked.get("side", each.side) == each.side
    )
