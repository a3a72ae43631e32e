"""Trading P&L: levels fact by fact equal what a count by hand says at every instant."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.facts import Fill, Mark, Settlement, Side
from ledger.money import NANO
from ledger.pnl import (
    Account,
    Event,
    Kind,
    Level,
    Policy,
    levels,
    ordered,
    position_in_fold,
    unrealized,
    valued,
)
from tests.ledger.worlds import TICKERS, TIMES, World, worlds

CENT = NANO // 100
YES = Fill("a", 1, "M", Side.YES, 100, 40 * CENT, 7, is_taker=True)
END = Settlement("M", 9, "yes", NANO)
QUOTE = Mark("M", 2, 30 * CENT, 34 * CENT, 31 * CENT)


def quote(bid: int | None, ask: int | None, last: int | None, value: int | None = None) -> Mark:
    """Return a mark from cents."""
    prices = (None if price is None else price * CENT for price in (bid, ask, last, value))
    return Mark("M", 2, *prices)


@pytest.mark.parametrize(
    ("policy", "count", "price", "kind"),
    [
        (Policy.BID, 100, 30, Kind.BID),
        (Policy.BID, -100, 34, Kind.BID),
        (Policy.BID, 1, 30, Kind.BID),
        (Policy.BID, -1, 34, Kind.BID),
        (Policy.MID, 100, 32, Kind.MID),
        (Policy.MID, -100, 32, Kind.MID),
        (Policy.LAST, 100, 31, Kind.LAST),
        (Policy.LAST, -100, 31, Kind.LAST),
    ],
)
def test_a_policy_values_by_its_price(policy: Policy, count: int, price: int, kind: Kind) -> None:
    """YES fetches the bid, NO what 1 − ask leaves: YES bought back at the ask."""
    assert valued(policy, QUOTE, count) == (price * CENT, kind)


@pytest.mark.parametrize(
    ("policy", "mark", "count", "price", "kind"),
    [
        (Policy.BID, quote(None, 34, 31), 100, 31, Kind.LAST),
        (Policy.BID, quote(0, 34, 31), 100, 31, Kind.LAST),
        (Policy.BID, quote(None, 34, None), 100, None, Kind.AVERAGE),
        (Policy.BID, quote(None, 34, 0), 100, None, Kind.AVERAGE),
        (Policy.BID, quote(0, 34, None), -100, 34, Kind.BID),
        (Policy.BID, quote(30, None, 31), -100, 31, Kind.LAST),
        (Policy.BID, quote(30, 100, 31), -100, 31, Kind.LAST),
        (Policy.BID, quote(30, 100, None), 100, 30, Kind.BID),
        (Policy.BID, quote(30, 0, 31), -100, 0, Kind.BID),
        (Policy.BID, quote(100, 100, 31), 100, 100, Kind.BID),
        (Policy.MID, quote(0, 34, 31), 100, 31, Kind.LAST),
        (Policy.MID, quote(None, 34, 31), 100, 31, Kind.LAST),
        (Policy.MID, quote(30, 100, 31), 100, 31, Kind.LAST),
        (Policy.MID, quote(30, None, None), 100, None, Kind.AVERAGE),
        (Policy.LAST, quote(30, 34, 0), 100, None, Kind.AVERAGE),
        (Policy.LAST, quote(30, 34, None), -100, None, Kind.AVERAGE),
    ],
)
def test_a_missing_quote_falls_back_to_last_then_to_average_cost(
    policy: Policy, mark: Mark, count: int, price: int | None, kind: Kind
) -> None:
    assert valued(policy, mark, count) == (None if price is None else price * CENT, kind)


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("value", [0, 50, 100])
def test_a_determined_market_is_worth_its_settlement_value(policy: Policy, value: int) -> None:
    assert valued(policy, quote(30, 34, 31, value), 100) == (value * CENT, Kind.SETTLEMENT)
    assert valued(policy, quote(None, None, None, value), 100) == (value * CENT, Kind.SETTLEMENT)


@pytest.mark.parametrize("policy", Policy)
def test_a_market_never_quoted_is_worth_its_cost(policy: Policy) -> None:
    assert valued(policy, None, 100) == (None, Kind.AVERAGE)
    assert folded([YES], policy).unrealized == 0


@pytest.mark.parametrize(("ask", "mid"), [(31, 30_500_000_000), (30, 30_000_000_000)])
def test_a_mid_may_have_half_a_cent(ask: int, mid: int) -> None:
    assert valued(Policy.MID, quote(30, ask, None), 1) == (mid // 100, Kind.MID)


def test_unrealized_is_value_less_cost_of_either_direction() -> None:
    """1 YES at .40 bid .30 loses .10; 1 NO from YES sold at .40, ask .34, wins .06."""
    held = folded([YES, QUOTE], Policy.BID)
    short = folded([replace(YES, side=Side.NO), QUOTE], Policy.BID)
    assert (held.unrealized, held.trading) == (-10 * CENT, -10 * CENT - 7)
    assert (short.unrealized, short.trading) == (6 * CENT, 6 * CENT - 7)
    assert unrealized(Policy.BID, QUOTE, short.book.of("M")) == 6 * CENT


@pytest.mark.parametrize(("bid", "worth"), [(150, 2), (250, 2), (251, 3), (100, 1)])
def test_a_quote_finer_than_its_count_divides_is_valued_half_even(bid: int, worth: int) -> None:
    """.01 contract at 1.5 nano-dollars a hundredth is worth 2, at 2.5 also."""
    scrap = replace(YES, count=1, price=0, fee=0)
    assert folded([scrap, replace(QUOTE, bid=bid)], Policy.BID).unrealized == worth
    short = replace(scrap, side=Side.NO)
    assert folded([short, replace(QUOTE, ask=bid)], Policy.BID).unrealized == -worth


def test_each_subaccount_is_worth_its_own_side_of_the_quote() -> None:
    """YES and NO of one market do not cancel: one fetches the bid, the other the ask."""
    both = folded([YES, replace(YES, side=Side.NO, subaccount=1), QUOTE], Policy.BID)
    assert both.book.of("M").count == 0
    assert both.unrealized == -10 * CENT + 6 * CENT


def test_a_settlement_realizes_what_was_unrealized_and_clears_it() -> None:
    account = folded([YES, QUOTE, END], Policy.BID)
    assert (account.realized, account.unrealized, account.fees) == (60 * CENT, 0, 7)


def test_a_fill_after_a_settlement_is_valued_again() -> None:
    late = replace(YES, fill_id="b", time=10)
    account = folded([YES, QUOTE, END, late], Policy.BID)
    assert (account.realized, account.unrealized) == (60 * CENT, -10 * CENT)


def test_a_mark_of_a_market_not_held_waits_for_its_fill() -> None:
    account = folded([QUOTE], Policy.BID)
    assert (account.trading, account.marks) == (0, {"M": QUOTE})
    account.apply(replace(YES, time=3))
    assert account.unrealized == -10 * CENT


def test_a_settlement_of_an_unknown_market_moves_nothing() -> None:
    account = folded([YES, replace(END, ticker="NEVER")], Policy.BID)
    assert (account.realized, account.trading) == (0, -7)


def test_a_replaced_mark_counts_once() -> None:
    marks = [QUOTE, replace(QUOTE, time=3, bid=35 * CENT), replace(QUOTE, time=4, bid=45 * CENT)]
    assert folded([YES, *marks], Policy.BID).unrealized == 5 * CENT


def test_everything_of_an_instant_is_applied_before_its_level() -> None:
    """A fill, a settlement and a mark of one instant make one level, in that order."""
    other = replace(YES, fill_id="b", ticker="N", time=9)
    facts = ordered(
        [YES, replace(YES, fill_id="c", time=9), other], [END], [replace(QUOTE, time=9)]
    )
    assert list(levels(Account(Policy.BID), facts)) == [
        Level(1, -7, 0, 0, 7, 1),
        Level(9, 120 * CENT - 21, 0, 120 * CENT, 14, 2),
    ]


def test_facts_of_one_instant_are_fills_by_id_then_settlements_then_marks() -> None:
    fills = [replace(YES, fill_id=name, time=9) for name in "ab"]
    ends = [END, replace(END, subaccount=1), replace(END, subaccount=0), replace(END, ticker="A")]
    mark = replace(QUOTE, time=9)
    early = replace(QUOTE, time=8)
    assert list(ordered(fills, ends, [early, mark])) == [
        early,
        *fills,
        replace(END, ticker="A"),
        replace(END, subaccount=0),
        replace(END, subaccount=1),
        END,
        mark,
    ]


def test_a_settlement_that_names_a_subaccount_wins_over_one_of_its_instant_that_does_not() -> None:
    named = replace(END, subaccount=0, value=0)
    for ends in ([END, named], [named, END]):
        account = Account(Policy.BID)
        assert [level.realized for level in levels(account, ordered([YES], ends, []))] == [
            0,
            -40 * CENT,
        ]


def test_no_facts_have_no_levels() -> None:
    assert list(levels(Account(Policy.BID), ordered([], [], []))) == []


def folded(events: Iterable[Event], policy: Policy) -> Account:
    """Return the account after the events, in the order given."""
    account = Account(policy)
    for event in events:
        account.apply(event)
    return account


POLICIES = st.sampled_from(Policy)


@dataclass
class Hand:
    """One book counted by hand, with fractions and absolute counts."""

    held: int = 0
    cost: Fraction = Fraction(0)
    realized: Fraction = Fraction(0)
    cash: Fraction = Fraction(0)

    def trade(self, signed: int, price: int) -> None:
        """Close what the trade closes at average cost, then open what is left of it."""
        self.cash -= Fraction(price * signed, 100)
        if self.held * signed < 0:
            closed = min(abs(signed), abs(self.held))
            direction = 1 if self.held > 0 else -1
            released = round(self.cost * closed / abs(self.held))
            self.realized += Fraction(price * closed * direction, 100) - released
            self.cost -= released
            self.held -= closed * direction
            signed += closed * direction
        self.held += signed
        self.cost += Fraction(price * signed, 100)


def counted(world: World, until: int) -> dict[tuple[str, int], Hand]:
    """Return every book counted by hand from the first fact up to an instant."""
    hands: dict[tuple[str, int], Hand] = {}
    for time in range(until + 1):
        for fill in sorted((f for f in world.fills if f.time == time), key=lambda f: f.fill_id):
            hand = hands.setdefault((fill.ticker, fill.subaccount), Hand())
            hand.trade(fill.count if fill.side == "yes" else -fill.count, fill.price)
        closing = [end for end in world.ends if end.time == time]
        for end in sorted(closing, key=lambda end: (end.subaccount is None, end.subaccount)):
            for (ticker, subaccount), hand in hands.items():
                if ticker == end.ticker and end.subaccount in (None, subaccount):
                    hand.trade(-hand.held, end.value)
    return hands


def price_by_hand(policy: Policy, mark: Mark | None, held: int) -> Fraction | None:
    """Return what the mark policy, in its words, says a YES is worth; None at average cost."""
    if mark is None:
        return None
    bid = mark.bid or None
    ask = None if mark.ask == NANO else mark.ask
    fallback = mark.last or None
    mid = None if bid is None or ask is None else Fraction(bid + ask, 2)
    own = {Policy.BID: bid if held > 0 else ask, Policy.MID: mid, Policy.LAST: fallback}[policy]
    price = next((p for p in (mark.value, own, fallback) if p is not None), None)
    return None if price is None else Fraction(price)


def open_value(world: World, policy: Policy, until: int) -> dict[tuple[str, int], Fraction]:
    """Return what each open book is worth at the newest mark of its market, else its cost."""
    newest = {mark.ticker: mark for mark in world.marks if mark.time <= until}
    worth = {}
    for key, hand in counted(world, until).items():
        price = price_by_hand(policy, newest.get(key[0]), hand.held)
        worth[key] = hand.cost if price is None else price * hand.held / 100
    return worth


@given(worlds(), POLICIES)
def test_incremental_levels_equal_a_count_by_hand_at_every_instant(
    world: World, policy: Policy
) -> None:
    trading, times, fees = Fraction(0), [], 0
    for level in levels(Account(policy), world.facts()):
        hands = counted(world, level.time)
        worth = open_value(world, policy, level.time)
        realized = sum(hand.realized for hand in hands.values())
        gain = sum(worth[key] - hand.cost for key, hand in hands.items())
        fees += level.fees
        assert level.unrealized == gain
        assert level.trading == realized + gain - fees
        assert level.realized == realized - trading
        assert level.fees == sum(fill.fee for fill in world.fills if fill.time == level.time)
        assert level.fills == sum(fill.time == level.time for fill in world.fills)
        trading = realized
        times.append(level.time)
    assert times == sorted({event.time for event in world.facts()})


@given(worlds(), POLICIES)
def test_realized_and_unrealized_are_cash_flow_and_the_value_of_what_is_open(
    world: World, policy: Policy
) -> None:
    for until in range(10):
        account = folded(world.facts(until), policy)
        cash = sum(hand.cash for hand in counted(world, until).values())
        value = sum(open_value(world, policy, until).values())
        assert account.realized + account.unrealized == cash + value


@given(worlds(), POLICIES)
def test_totals_are_the_sums_of_the_books(world: World, policy: Policy) -> None:
    account = folded(world.facts(), policy)
    positions = account.book.positions.values()
    assert account.realized == sum(position.realized for position in positions)
    assert account.fees == sum(position.fees for position in positions)
    assert account.fills == len(world.fills)
    assert account.unrealized == sum(
        unrealized(policy, account.marks.get(ticker), position)
        for (ticker, _), position in account.book.positions.items()
    )
    assert account.trading == account.realized + account.unrealized - account.fees


@given(worlds(), POLICIES, TIMES)
def test_a_fold_in_two_parts_is_the_fold_in_one(world: World, policy: Policy, cut: int) -> None:
    whole, parts = Account(policy), Account(policy)
    facts = world.facts()
    first = [event for event in facts if event.time < cut]
    at_once = list(levels(whole, facts))
    in_turn = [*levels(parts, first), *levels(parts, facts[len(first) :])]
    assert in_turn == at_once
    assert parts.book.positions == whole.book.positions


def state(account: Account) -> tuple[object, ...]:
    """Return all that an account knows, copied out of it."""
    totals = (account.realized, account.fees, account.fills, account.unrealized)
    book = account.book
    shown = {ticker: book.books(ticker) for ticker in TICKERS}
    return account.policy, totals, dict(book.positions), shown, book.held(), dict(account.marks)


@given(worlds(), POLICIES, TIMES)
def test_a_copy_goes_its_own_way_to_where_the_original_would(
    world: World, policy: Policy, cut: int
) -> None:
    early = world.facts(cut)
    late = world.facts()[len(early) :]
    original, whole = folded(early, policy), folded(world.facts(), policy)
    before, twin = state(original), original.copied()
    assert state(twin) == before
    moved = list(levels(twin, late))
    assert state(original) == before
    assert state(twin) == state(whole)
    assert list(levels(original, late)) == moved
    assert state(original) == state(twin)


@given(worlds(), POLICIES, st.randoms(use_true_random=False))
def test_any_order_of_arrival_with_duplicates_gives_the_same_levels(
    world: World, policy: Policy, random: Random
) -> None:
    arrived = world.facts() * 2
    random.shuffle(arrived)
    once = sorted(set(arrived), key=position_in_fold)
    assert list(levels(Account(policy), once)) == list(levels(Account(policy), world.facts()))


@given(worlds())
def test_facts_come_in_the_order_of_the_fold(world: World) -> None:
    keys = [position_in_fold(event) for event in world.facts()]
    assert all(before < now for before, now in pairwise(keys))
    assert len(keys) == len(world.fills) + len(world.ends) + len(world.marks)


@given(worlds(), POLICIES)
def test_marks_alone_move_unrealized_only(world: World, policy: Policy) -> None:
    still = replace(world, marks=[])
    moved, unmoved = folded(world.facts(), policy), folded(still.facts(), policy)
    assert unmoved.unrealized == 0
    assert (moved.realized, moved.fees) == (unmoved.realized, unmoved.fees)
