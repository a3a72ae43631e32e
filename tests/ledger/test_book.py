"""Book: a position is a fold over fills and settlements."""

import json
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.book import Book, Position, after, settled
from ledger.facts import Fill, Settlement, Side
from ledger.money import NANO, cents, contracts, dollars, notional
from ledger.pnl import ordered, position_in_fold

GOLDEN = Path(__file__).parents[3] / "shared" / "data" / "golden" / "kalshi.json"
Trade = tuple[str, str, str]
Leg = tuple[str, str]

AVERAGE_COST: list[tuple[list[Trade], str, str]] = [
    (
        [
            ("ask", "1.00", "0.30"),
            ("ask", "5.00", "0.30"),
            ("ask", "3.00", "0.31"),
            ("ask", "1.00", "0.31"),
            ("bid", "5.00", "0.32"),
            ("ask", "8.00", "0.33"),
        ],
        "-13.00",
        "-0.08",
    ),
    (
        [
            ("ask", "20.00", "0.91"),
            ("bid", "16.00", "0.93"),
            ("bid", "4.00", "0.90"),
            ("bid", "8.00", "0.90"),
            ("ask", "8.00", "0.90"),
        ],
        "0.00",
        "-0.28",
    ),
]
# YES leg (count, cost), NO leg, value of YES in cents, fees, net P&L.
SETTLEMENTS: list[tuple[Leg, Leg, int, str, str]] = [
    (("2.00", "1.78"), ("0.00", "0"), 100, "0.0138", "0.2062"),
    (("2.00", "0.012"), ("2.00", "1.60"), 0, "0.0233", "0.3647"),
    (("39.00", "16.26"), ("17.00", "14.45"), 100, "0", "8.29"),
    (("1.00", "0.97"), ("0.00", "0"), 50, "0.0021", "-0.4721"),
]


def traded(trades: Iterable[Trade], fee: str = "0") -> list[Fill]:
    """Return fills of one market in order; bid buys YES, ask buys NO, price is of YES."""
    sides = {"bid": Side.YES, "ask": Side.NO}
    return [
        Fill(
            f"f{i:04}",
            i,
            "M",
            sides[side],
            contracts(count),
            dollars(price),
            dollars(fee),
            is_taker=True,
        )
        for i, (side, count, price) in enumerate(trades)
    ]


def folded(fills: Iterable[Fill]) -> Position:
    """Return where the fills lead."""
    position = Position()
    for fill in fills:
        position = after(position, fill)
    return position


def bought(side: str, leg: Leg) -> list[Trade]:
    """Return trades that hold the leg's count for exactly its cost: the last takes the rest."""
    count, cost = contracts(leg[0]) // 100, dollars(leg[1])
    if not count:
        return []
    share = cost // count // 10**5 * 10**5
    costs = [share] * (count - 1) + [cost - share * (count - 1)]
    yes = [price if side == "bid" else NANO - price for price in costs]
    return [(side, "1.00", str(Fraction(price, 10)) + "e-8") for price in yes]


def ended(yes: Leg, no: Leg, value: int, fee: str) -> Position:
    """Return what both legs come to when YES pays `value` cents."""
    position = folded(traded([*bought("bid", yes), *bought("ask", no)]))
    return replace(settled(position, cents(value)), fees=dollars(fee))


@pytest.mark.parametrize(("trades", "count", "realized"), AVERAGE_COST)
def test_realized_is_average_cost_as_the_exchange_books_it(
    trades: list[Trade], count: str, realized: str
) -> None:
    position = folded(traded(trades))
    assert position.count == contracts(count)
    assert position.realized == dollars(realized)


def test_the_open_cost_of_the_worked_short_is_what_average_cost_leaves() -> None:
    """Ten sold at an average of .304, five bought back: 5 × .304 left, 8 × .33 added."""
    position = folded(traded(AVERAGE_COST[0][0]))
    assert position.cost == -dollars("4.16")


@pytest.mark.parametrize(("yes", "no", "value", "fee", "net"), SETTLEMENTS)
def test_a_settled_market_nets_what_its_legs_won(
    yes: Leg, no: Leg, value: int, fee: str, net: str
) -> None:
    position = ended(yes, no, value, fee)
    assert (position.count, position.cost) == (0, 0)
    assert position.realized - position.fees == dollars(net)


def test_seven_bought_and_seven_sold_lose_what_the_exchange_says() -> None:
    """14 shares, 7.14 traded, realized −0.14, fees 0.24."""
    fills = traded([("bid", "7.00", "0.52"), ("ask", "7.00", "0.50")], fee="0.12")
    assert sum(notional(fill.price, fill.count) for fill in fills) == dollars("7.14")
    assert folded(fills) == Position(0, 0, -dollars("0.14"), dollars("0.24"))


def test_the_balance_is_deposits_less_open_cost_and_fees() -> None:
    """Two fills at .99 with .0007 each, of 100.00: 98.0186 left, 1.98 in positions."""
    position = folded(traded([("bid", "1.00", "0.99")] * 2, fee="0.0007"))
    assert position.cost == dollars("1.98")
    assert 100 * NANO - position.cost + position.realized - position.fees == dollars("98.0186")


def test_the_golden_numbers_hold() -> None:
    """Every vector of the shared file, where the checkout stands beside it."""
    if not GOLDEN.exists():
        pytest.skip(f"no golden numbers at {GOLDEN}")
    golden: dict[str, Any] = json.loads(GOLDEN.read_text())
    for case in golden["average_cost"]:
        position = folded(traded(map(tuple, case["fills"])))
        shown = (position.count, position.realized)
        expected = (contracts(case["position_fp"]), dollars(case["realized_pnl_dollars"]))
        assert shown == expected, case["id"]
    for case in golden["settlements"]:
        yes = (case["yes_count_fp"], case["yes_total_cost_dollars"])
        no = (case["no_count_fp"], case["no_total_cost_dollars"])
        position = ended(yes, no, case["value"], case["fee_cost"])
        assert position.realized - position.fees == dollars(case["net_pnl"]), case["id"]


def test_buying_no_is_selling_yes_at_one_minus_the_price() -> None:
    """NO at .20 is YES sold at .80; YES pays nothing: .80 won."""
    sold = folded(traded([("ask", "1.00", "0.80")]))
    assert sold == Position(-100, -dollars("0.80"))
    assert settled(sold, 0).realized == dollars("0.80")


def test_a_fill_through_zero_closes_all_and_opens_the_rest_at_its_price() -> None:
    """3 at .40, then 5 sold at .50: .30 realized, 2 short at .50."""
    position = folded(traded([("bid", "3.00", "0.40"), ("ask", "5.00", "0.50")]))
    assert position == Position(-200, -dollars("1.00"), dollars("0.30"))
    back = after(position, traded([("bid", "2.50", "0.45")])[0])
    assert back == Position(50, dollars("0.225"), dollars("0.40"))


def test_a_fill_to_exactly_zero_leaves_no_cost() -> None:
    position = folded(traded([("bid", "0.03", "0.3333"), ("ask", "0.03", "0.1")]))
    assert (position.count, position.cost) == (0, 0)


def test_fractions_of_a_contract_are_booked() -> None:
    """1.50 at .1234 and .01 at .9999: cost .1851 + .009999."""
    position = folded(traded([("bid", "1.50", "0.1234"), ("bid", "0.01", "0.9999")]))
    assert position == Position(151, dollars("0.195099"))


@pytest.mark.parametrize(
    ("cost", "sign", "left"),
    [(1, 1, 1), (3, 1, 1), (5, 1, 3), (1, -1, -1), (3, -1, -1), (5, -1, -3)],
)
def test_a_close_takes_half_the_cost_rounded_half_even(cost: int, sign: int, left: int) -> None:
    """Half of 1, 3, 5 nano-dollars is 0, 2, 2; of a short position likewise with its sign."""
    held = Position(200 * sign, cost * sign)
    side = Side.NO if sign > 0 else Side.YES
    now = after(held, Fill("f", 0, "M", side, 100, 0, 0, is_taker=False))
    assert now.cost == left
    assert now.realized == left - cost * sign


def test_a_product_beyond_64_bits_is_exact() -> None:
    held = Position(3 * 10**11, 3 * 10**18 - 1)
    now = after(held, Fill("f", 0, "M", Side.NO, 10**11, 0, 0, is_taker=False))
    assert now == Position(2 * 10**11, 2 * 10**18 - 1, -(10**18))


def test_a_settlement_pays_a_fraction_of_a_contract_at_a_fractional_value() -> None:
    """.25 short at .60, settled at 33.5 cents: .25 × (.60 − .335)."""
    short = folded(traded([("ask", "0.25", "0.60")], fee="0.01"))
    assert settled(short, cents("33.5")) == Position(0, 0, dollars("0.06625"), dollars("0.01"))


def test_fees_add_up_and_never_touch_realized() -> None:
    fills = [
        replace(fill, fee=fee)
        for fill, fee in zip(traded(AVERAGE_COST[1][0]), (1, 2, 3, 4, -5), strict=True)
    ]
    assert folded(fills) == replace(folded(traded(AVERAGE_COST[1][0])), fees=5)


def in_book(*events: Fill | Settlement) -> Book:
    """Return the book after the events, in the order given."""
    book = Book()
    for event in events:
        if isinstance(event, Fill):
            book.fill(event)
        else:
            book.settle(event)
    return book


YES = Fill("a", 1, "M", Side.YES, 100, 400_000_000, 7, is_taker=True)
END = Settlement("M", 9, "yes", NANO)


def test_a_fill_answers_with_the_position_before_and_after() -> None:
    book = Book()
    first = Position(100, 400_000_000, 0, 7)
    assert book.fill(YES) == (Position(), first)
    assert book.fill(YES) == (first, Position(200, 800_000_000, 0, 14))


def test_subaccounts_are_books_of_their_own_and_shown_together() -> None:
    """1 YES at .40 in one, 1 NO at .40 in the other: nothing is closed, nothing held net."""
    book = in_book(YES, replace(YES, subaccount=1, side=Side.NO))
    assert book.books("M") == [Position(100, 400_000_000, 0, 7), Position(-100, -400_000_000, 0, 7)]
    assert book.of("M") == Position(0, 0, 0, 14)
    assert book.held() == {"M"}


def test_a_settlement_without_a_subaccount_closes_every_book_of_its_market() -> None:
    book = in_book(YES, replace(YES, subaccount=1), replace(YES, ticker="N"), END)
    assert book.books("M") == [Position(0, 0, 600_000_000, 7)] * 2
    assert book.books("N") == [Position(100, 400_000_000, 0, 7)]
    assert book.held() == {"N"}


@pytest.mark.parametrize("named", [0, 1])
def test_a_settlement_with_a_subaccount_closes_that_book_only(named: int) -> None:
    book = in_book(YES, replace(YES, subaccount=1), replace(END, subaccount=named))
    assert [position.count for position in book.books("M")] == (
        [0, 100] if named == 0 else [100, 0]
    )
    assert book.of("M").realized == 600_000_000


def test_a_second_settlement_of_a_closed_market_pays_nothing() -> None:
    once, twice = in_book(YES, END), in_book(YES, END, replace(END, time=10, value=0))
    assert once.positions == twice.positions


def test_a_settlement_of_an_unknown_market_changes_nothing() -> None:
    book = in_book(YES, replace(END, ticker="NEVER"), replace(END, subaccount=5))
    assert book.positions == {("M", 0): Position(100, 400_000_000, 0, 7)}
    assert book.of("NEVER") == Position()
    assert book.books("NEVER") == []


def test_a_fill_after_a_settlement_is_booked_in_a_market_no_longer_held() -> None:
    book = in_book(YES, END, replace(YES, fill_id="b", time=10))
    assert book.of("M") == Position(100, 400_000_000, 600_000_000, 14)
    assert book.held() == frozenset()


def test_a_flat_market_is_not_held() -> None:
    assert in_book(YES, replace(YES, side=Side.NO)).held() == frozenset()
    assert Book().held() == frozenset()


FILLS = st.lists(
    st.builds(
        Fill,
        fill_id=st.uuids().map(str),
        time=st.integers(0, 6),
        ticker=st.sampled_from("MN"),
        side=st.sampled_from(Side),
        count=st.integers(1, 400),
        price=st.integers(0, 10_000).map(lambda tick: tick * 100_000),
        fee=st.integers(0, 10**8),
        is_taker=st.booleans(),
        subaccount=st.integers(0, 2),
    ),
    max_size=25,
    unique_by=lambda fill: fill.fill_id,
)
ENDS = st.lists(
    st.builds(
        Settlement,
        ticker=st.sampled_from(["M", "N", "NEVER"]),
        time=st.integers(0, 6),
        result=st.just("scalar"),
        value=st.integers(0, 100).map(lambda percent: percent * NANO // 100),
        subaccount=st.none() | st.integers(0, 2),
        exchange_index=st.integers(0, 1),
    ),
    max_size=5,
    unique_by=lambda end: end.identity,
)


def booked(fills: Iterable[Fill], ends: Iterable[Settlement]) -> dict[tuple[str, int], Position]:
    """Return the positions of facts that came once each, in any order."""
    by_id = {fill.fill_id: fill for fill in fills}
    winning = {end.identity: end for end in ends}
    facts = ordered(sorted(by_id.values(), key=position_in_fold), winning.values(), ())
    return in_book(*facts).positions


@given(FILLS, ENDS, st.randoms(use_true_random=False))
def test_any_order_of_arrival_and_any_duplicate_give_the_same_book(
    fills: list[Fill], ends: list[Settlement], random: Random
) -> None:
    arrived = fills + random.choices(fills, k=5) if fills else []
    closing = ends + random.choices(ends, k=2) if ends else []
    random.shuffle(arrived)
    random.shuffle(closing)
    assert booked(arrived, closing) == booked(fills, ends)


@given(FILLS)
def test_realized_is_cash_flow_plus_the_cost_of_what_is_open(fills: list[Fill]) -> None:
    book = in_book(*fills)
    for (ticker, subaccount), position in book.positions.items():
        mine = [f for f in fills if (f.ticker, f.subaccount) == (ticker, subaccount)]
        cash = -sum(Fraction(fill.price * fill.signed, 100) for fill in mine)
        assert position.realized == cash + position.cost
        assert position.count == sum(fill.signed for fill in mine)
        assert position.fees == sum(fill.fee for fill in mine)


@given(FILLS)
def test_the_cost_of_an_open_position_stays_within_its_prices(fills: list[Fill]) -> None:
    for position in in_book(*fills).positions.values():
        assert 0 <= position.cost * position.count <= position.count**2 * NANO // 100
        assert position.count or not position.cost


@given(FILLS, st.integers(0, 100))
def test_settling_is_trading_all_of_it_at_the_value(fills: list[Fill], percent: int) -> None:
    value = percent * NANO // 100
    for position in in_book(*fills).positions.values():
        side = Side.NO if position.count > 0 else Side.YES
        closing = Fill("z", 9, "M", side, abs(position.count), value, 0, is_taker=True)
        assert settled(position, value) == after(position, closing)


@given(FILLS)
def test_books_of_a_market_add_up(fills: list[Fill]) -> None:
    book = in_book(*fills)
    for ticker in "MN":
        books = [at for key, at in book.positions.items() if key[0] == ticker]
        assert book.books(ticker) == books
        assert book.of(ticker) == Position(
            sum(position.count for position in books),
            sum(position.cost for position in books),
            sum(position.realized for position in books),
            sum(position.fees for position in books),
        )
