"""Explanations: every move comes apart into what made it, to the nano-dollar."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ledger.bucket import Row, minutes, nets
from ledger.explain import (
    Contribution,
    Explanation,
    Kind,
    Known,
    Spent,
    State,
    View,
    known,
    observed,
    states,
)
from ledger.facts import Deal, Fill, Mark, Settlement, Side, Status
from ledger.moment import HOUR, MINUTE, floor, parse, recognition
from ledger.money import CENT, NANO
from ledger.pnl import Account, Event, Policy, Worth, levels, ordered
from ledger.revenue import earnings
from tests.ledger.worlds import worlds

NOON = parse("2026-03-08T12:00:00Z")
DAY = date(2026, 3, 8)


def fill(name: str, minute: int, price: int, count: int = 100, side: Side = Side.YES) -> Fill:
    """Return a fill of market M, a cent of fee, some minutes after noon; price in cents."""
    return Fill(name, NOON + minute * MINUTE, "M", side, count, price * CENT, CENT, is_taker=True)


def deal(name: str, dollars: int, day: date) -> Deal:
    """Return a recognized deal."""
    return Deal("manual", name, name, Status.RECOGNIZED, dollars * NANO, 0, recognized_at=day)


def test_a_move_is_told_by_market_model_and_deal_largest_first() -> None:
    """Buy 1 YES at .40, marked .50; then $3 of tokens at 10:00 UTC, with a deal of $20."""
    start = NOON - 3 * HOUR
    events = [
        replace(fill("a", 0, 40), time=start),
        Mark("M", NOON - MINUTE, 50 * CENT, None, None),
    ]
    facts = Known(
        Policy.BID,
        events,
        [deal("Acme", 20, DAY)],
        [Spent(NOON - 2 * HOUR, "claude", 3 * NANO)],
        floor(start, HOUR),
    )
    told = known(facts, start, NOON)
    assert told == Explanation(
        start,
        NOON,
        View.KNOWN,
        0,
        17 * NANO + 9 * CENT,
        (
            Contribution(Kind.DEAL, "manual:Acme", revenue=20 * NANO),
            Contribution(Kind.MODEL, "claude", cost=3 * NANO),
            Contribution(Kind.MARKET, "M", unrealized=10 * CENT, fees=CENT),
        ),
    )
    assert told.move == sum(part.amount for part in told.contributions)


def test_what_did_not_move_is_not_told() -> None:
    facts = Known(Policy.BID, [fill("a", 0, 40)], [], [], NOON)
    assert known(facts, NOON + MINUTE, NOON + HOUR).contributions == ()


def test_revenue_from_before_the_first_row_is_its_opening_level() -> None:
    """A deal of the year before: nothing is there at noon, all of it a minute later."""
    facts = Known(Policy.BID, [], [deal("Old", 5, date(2025, 1, 1))], [], NOON)
    told = known(facts, NOON, NOON + MINUTE)
    assert (told.net_from, told.net_to) == (0, 5 * NANO)
    assert known(facts, NOON + MINUTE, NOON + HOUR).move == 0


def test_without_a_first_row_nothing_ever_moved() -> None:
    facts = Known(Policy.BID, [], [deal("Old", 5, date(2025, 1, 1))], [], None)
    assert known(facts, 0, NOON).contributions == ()


def test_cost_is_told_by_workspace_when_asked() -> None:
    facts = Known(Policy.BID, [], [], [Spent(NOON, "research", CENT)], NOON)
    (part,) = known(facts, NOON, NOON + HOUR, Kind.WORKSPACE).contributions
    assert part == Contribution(Kind.WORKSPACE, "research", cost=CENT)
    assert part.amount == -CENT


def test_what_was_learned_late_is_told_as_late() -> None:
    """A span in which M earned 3, and a fill of N dated before it was learned: −2."""
    before = State({"M": Worth(realized=5)})
    learned = State({"M": Worth(realized=5), "N": Worth(realized=-2)})
    after = State({"M": Worth(realized=8), "N": Worth(realized=-2)})
    told = observed((0, HOUR), before, learned, after)
    assert told.contributions == (
        Contribution(Kind.MARKET, "M", realized=3),
        Contribution(Kind.LATE, "market:N", realized=-2),
    )
    assert told.view is View.OBSERVED
    assert (told.net_from, told.net_to, told.move) == (5, 6, 1)


@dataclass(frozen=True)
class Past:
    """Everything random there is to know, from noon on, a third of a minute apart."""

    facts: Known
    rows: list[Row]
    opening: int


@st.composite
def pasts(draw: st.DrawFn) -> Past:
    """Draw facts, and the dense minutes the rollups make of them."""
    world = draw(worlds())
    fills = [at_noon(each) for each in world.fills]
    ends, marks = [at_noon(each) for each in world.ends], [at_noon(each) for each in world.marks]
    events: list[Event] = list(ordered(fills, ends, marks))
    amounts = st.integers(-5, 5).map(lambda dollars: dollars * NANO)
    days = st.integers(-3, 3).map(lambda days: DAY + timedelta(days=days))
    deals = [
        replace(deal(f"d{index}", 0, day), amount=amount)
        for index, (amount, day) in enumerate(draw(st.lists(st.tuples(amounts, days), max_size=4)))
    ]
    times = st.integers(0, 3).map(lambda hours: NOON + hours * HOUR)
    spent = draw(st.lists(st.builds(Spent, times, st.sampled_from("ab"), amounts), max_size=4))
    facts = Known(draw(st.sampled_from(Policy)), events, deals, spent, NOON)
    return Past(facts, dense(facts), sum(earned(facts, NOON)))


def at_noon(event: Event) -> Event:
    """Return an event of a world's tick 0…9 at that many thirds of a minute after noon."""
    return replace(event, time=NOON + event.time * MINUTE // 3)


def earned(facts: Known, before: int) -> list[int]:
    """Return each amount that was earned strictly before an instant."""
    return [nano for each in facts.deals for time, nano in earnings(each) if time < before]


def dense(facts: Known) -> list[Row]:
    """Return four days of minutes, as the rollups keep them."""
    start = Row(NOON - MINUTE, 0, 0, 0, 0, 0)
    rows = list(minutes(levels(Account(facts.policy), facts.events), start))
    flows: dict[int, list[int]] = {}
    for each in facts.deals:
        for time, amount in earnings(each):
            flows.setdefault(time, [0, 0])[0] += amount
    for each in facts.spent:
        flows.setdefault(each.time, [0, 0])[1] += each.amount
    last = rows[-1] if rows else start
    for index in range(len(rows), 4 * 24 * 60):
        quiet = last.close, last.close, last.close, last.close, last.unrealized
        rows.append(Row(NOON + index * MINUTE, *quiet))
    return [
        replace(row, revenue=flows[row.bucket][0], cost=flows[row.bucket][1])
        if row.bucket in flows
        else row
        for row in rows
    ]


MINUTES = st.integers(-10, 6) | st.integers(0, 4 * 24 * 60 - 1)


@given(pasts(), MINUTES, MINUTES)
def test_contributions_sum_to_the_move_of_the_series_for_any_interval(
    past: Past, one: int, other: int
) -> None:
    closes = [net.close for net in nets(past.rows, past.opening)]
    start, end = min(one, other), max(one, other)
    told = known(past.facts, NOON + start * MINUTE, NOON + end * MINUTE)
    assert sum(part.amount for part in told.contributions) == told.move
    assert told.net_from == (closes[start - 1] if start > 0 else 0)
    assert told.net_to == (closes[end - 1] if end > 0 else 0)
    assert all(part.kind is not Kind.LATE for part in told.contributions)


@given(pasts(), st.data())
def test_two_spans_in_a_row_move_as_far_as_the_whole(past: Past, data: st.DataObject) -> None:
    first, middle, last = sorted(data.draw(st.tuples(MINUTES, MINUTES, MINUTES)))
    at = [NOON + minute * MINUTE for minute in (first, middle, last)]
    one, two = known(past.facts, at[0], at[1]), known(past.facts, at[1], at[2])
    whole = known(past.facts, at[0], at[2])
    assert one.move + two.move == whole.move
    summed: dict[tuple[Kind, str], int] = {}
    for part in (*one.contributions, *two.contributions):
        summed[part.kind, part.id] = summed.get((part.kind, part.id), 0) + part.amount
    told = {(part.kind, part.id): part.amount for part in whole.contributions}
    assert {key: amount for key, amount in summed.items() if amount} == {
        key: amount for key, amount in told.items() if amount
    }


@given(pasts(), MINUTES, MINUTES, st.sets(st.integers(0, 19)))
def test_an_observed_move_is_told_whole_whatever_was_learned_late(
    past: Past, one: int, other: int, unseen: set[int]
) -> None:
    """Some facts were not known at the first snapshot: those dated before it are late."""
    start, end = (NOON + minute * MINUTE for minute in sorted((one, other)))
    events = [e for index, e in enumerate(past.facts.events) if index not in unseen]
    (before,) = states(replace(past.facts, events=events), (start,))
    learned, after = states(past.facts, (start, end))
    told = observed((start, end), before, learned, after)
    assert sum(part.amount for part in told.contributions) == told.move
    assert told.move == after.net - before.net
    late = sum(part.amount for part in told.contributions if part.kind is Kind.LATE)
    assert late == learned.net - before.net


def test_a_settled_market_moves_by_what_it_paid() -> None:
    """1 YES at .40, marked .70, paid 1: +.30 in the hour it settles."""
    events = [
        fill("a", 0, 40),
        Mark("M", NOON + MINUTE, 70 * CENT, None, None),
        Settlement("M", NOON + HOUR, "yes", NANO),
    ]
    facts = Known(Policy.BID, events, [], [], NOON)
    (part,) = known(facts, NOON + HOUR, NOON + 2 * HOUR).contributions
    assert (part.realized, part.unrealized, part.amount) == (60 * CENT, -30 * CENT, 30 * CENT)


def test_a_deal_is_earned_at_ten_utc() -> None:
    facts = Known(Policy.BID, [], [deal("Acme", 1, DAY)], [], NOON - 24 * HOUR)
    ten = recognition(DAY)
    assert [known(facts, ten - HOUR, end).move for end in (ten, ten + 1)] == [0, NANO]
