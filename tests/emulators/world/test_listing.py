"""The made-up exchange: enough markets at any time, coherent, fair, and ending as they trade."""

from collections import defaultdict
from statistics import fmean

import pytest

from emulators.world.instant import DAY, HOUR
from emulators.world.listing import MadeUp
from emulators.world.market import Market
from tests.emulators.stage import START


@pytest.fixture(scope="module")
def listing() -> MadeUp:
    return MadeUp("7")


def test_about_forty_markets_of_six_series_are_open_at_any_time(listing: MadeUp) -> None:
    for moment in range(START - 90 * DAY, START + 720 * DAY, 31 * DAY):
        markets = listing.tradable(moment)
        assert 30 <= len(markets) <= 65
        assert len({market.series.ticker for market in markets}) >= 5
    assert len({market.series.ticker for market in listing.tradable(START)}) == 6


def test_a_market_goes_through_its_stages(listing: MadeUp) -> None:
    market = listing.tradable(START)[0]
    steps = (market.created, market.open, market.close, market.determined, market.finalized)
    assert list(steps) == sorted(steps)
    assert [market.status(step) for step in steps] == [
        "initialized", "active", "closed", "determined", "finalized",
    ]  # fmt: skip


def test_tickers_are_unique_and_stay_what_they_are(listing: MadeUp) -> None:
    markets = listing.listed(START - 90 * DAY, START)
    assert len({market.ticker for market in markets}) == len(markets)
    again = MadeUp("7").listed(START - 90 * DAY, START)
    assert [(m.ticker, m.close, m.finalized) for m in again] == [
        (m.ticker, m.close, m.finalized) for m in markets
    ]
    assert set(listing.listed(START - DAY, START)) <= set(markets)


def by_event(markets: list[Market]) -> dict[str, list[Market]]:
    events = defaultdict(list)
    for market in markets:
        events[market.event.ticker].append(market)
    return events


def test_a_higher_threshold_is_never_likelier(listing: MadeUp) -> None:
    for markets in by_event(list(listing.tradable(START))).values():
        floors = [m for m in markets if m.strike.kind == "greater" and not m.event.exclusive]
        floors.sort(key=lambda market: market.strike.low)
        chances = [listing.probability(market, START) for market in floors]
        assert chances == sorted(chances, reverse=True)


def test_exclusive_markets_share_one_certainty(listing: MadeUp) -> None:
    ended = [m for m in listing.listed(START - 20 * DAY, START) if m.event.exclusive]
    for markets in by_event(ended).values():
        middle = (markets[0].open + markets[0].close) // 2
        assert sum(listing.probability(m, middle) for m in markets) == pytest.approx(1)
        assert sum(listing.outcome(m).value for m in markets) == 100


def test_prices_are_nearly_fair_bets(listing: MadeUp) -> None:
    ended = listing.listed(START - 300 * DAY, START - 2 * DAY)
    for share in (0.1, 0.5, 0.9):
        surprise = fmean(
            listing.outcome(m).value / 100
            - listing.probability(m, int(m.open + share * (m.close - m.open)))
            for m in ended
        )
        assert abs(surprise) < 0.02


def test_prices_know_the_end_just_before_it(listing: MadeUp) -> None:
    ended = [m for m in listing.listed(START - 60 * DAY, START - 2 * DAY) if not m.event.scalar]
    wrong = [
        m
        for m in ended
        if abs(listing.probability(m, m.close - 1) * 100 - listing.outcome(m).value) > 50
    ]
    assert len(wrong) < len(ended) * 0.02


def test_now_and_then_a_market_ends_in_between(listing: MadeUp) -> None:
    markets = listing.listed(START - 90 * DAY, START)
    assert {listing.outcome(market).result for market in markets} == {"yes", "no", "scalar"}


def test_another_seed_is_another_world(listing: MadeUp) -> None:
    other = MadeUp("8")
    moments = range(START - DAY, START, HOUR)
    market = next(m for m in listing.tradable(START) if m.series.ticker == "KXFED")
    twin = next(m for m in other.tradable(START) if m.ticker == market.ticker)
    assert [listing.probability(market, moment) for moment in moments] != [
        other.probability(twin, moment) for moment in moments
    ]
