"""The trader: how often, in which direction, how much, and always the same."""

from collections import Counter
from itertools import pairwise

import pytest

from emulators.world.charter import Charter
from emulators.world.holding import Fill
from emulators.world.instant import DAY, HOUR, SECOND
from emulators.world.listing import MadeUp
from emulators.world.pins import Pins
from emulators.world.quotes import Quotes
from emulators.world.trader import Trader
from tests.emulators.stage import START


def trader(days: int) -> Trader:
    listing = MadeUp("7")
    charter = Charter("7", START, START - days * DAY)
    return Trader(charter, listing, Quotes("7", listing, Pins()), listing.tradable)


@pytest.fixture(scope="module")
def fills() -> list[Fill]:
    return trader(90).until(START + 6 * HOUR)


def test_ninety_days_hold_fifteen_thousand_fills(fills: list[Fill]) -> None:
    past = [fill for fill in fills if fill.time < START]
    assert len(past) == 15_000
    assert past[0].time >= START - 90 * DAY


def test_a_live_fill_comes_every_ten_to_thirty_seconds(fills: list[Fill]) -> None:
    times = [fill.time for fill in fills if fill.time >= START]
    gaps = [(b - a) / SECOND for a, b in pairwise(times)]
    assert len(times) == 6 * 180
    assert 10 <= min(gaps) < 15
    assert 25 < max(gaps) <= 30


def test_fills_come_in_order_with_identities_of_their_own(fills: list[Fill]) -> None:
    assert [fill.key for fill in fills] == sorted({fill.key for fill in fills})
    assert len({fill.fill_id for fill in fills}) == len(fills)


def test_fills_go_both_ways_and_are_of_all_kinds(fills: list[Fill]) -> None:
    sides = Counter(fill.direction for fill in fills)
    assert 0.4 < sides[1] / len(fills) < 0.6
    assert 0.3 < sum(fill.is_taker for fill in fills) / len(fills) < 0.4
    assert 0.02 < sum(fill.count % 100 > 0 for fill in fills) / len(fills) < 0.1
    assert any(fill.price % 100 for fill in fills), "some market has ticks below a cent"


def test_positions_stay_bounded(fills: list[Fill]) -> None:
    held: Counter[str] = Counter()
    largest = 0
    for fill in fills:
        held[fill.ticker] += fill.direction * fill.count
        largest = max(largest, abs(held[fill.ticker]))
    assert 10_000 < largest <= 40_000


def test_asking_in_pieces_gives_the_same_fills(fills: list[Fill]) -> None:
    other = trader(90)
    moments = [START + hours * HOUR for hours in range(-80 * 24, 7, 11)]
    pieces = [fill for moment in moments for fill in other.until(moment)]
    pieces += other.until(START + 6 * HOUR)
    assert pieces == fills
