"""Quotes: on the tick, never crossed, moving; still when they are told to be."""

from emulators.world.instant import DAY, MINUTE, SECOND
from emulators.world.listing import MadeUp
from emulators.world.pins import Pins
from emulators.world.quotes import Quote, Quotes
from tests.emulators.stage import START


def quotes() -> tuple[MadeUp, Pins, Quotes]:
    listing, pins = MadeUp("7"), Pins()
    return listing, pins, Quotes("7", listing, pins)


def test_quotes_lie_on_the_tick_and_never_cross() -> None:
    listing, _, book = quotes()
    for moment in range(START - 3 * DAY, START, 7 * 60 * MINUTE):
        for market in listing.tradable(moment):
            quote, tick = book.at(market, moment), market.series.tick
            assert 0 <= quote.bid < quote.ask <= 10_000
            assert {price % tick for price in (quote.bid, quote.ask, quote.last)} == {0}
            assert 0 < quote.last < 10_000


def test_an_empty_side_shows_no_size() -> None:
    listing, _, book = quotes()
    markets = [m for m in listing.tradable(START) if book.at(m, START).bid == 0]
    assert markets
    assert all(book.at(market, START).bid_size == 0 for market in markets)


def test_some_quote_moves_every_few_seconds() -> None:
    listing, _, book = quotes()
    markets = listing.tradable(START)

    def seen(second: int) -> list[Quote]:
        return [book.at(market, START + second * SECOND) for market in markets]

    moves = sum(seen(second) != seen(second + 5) for second in range(0, 100, 5))
    assert moves == 20


def test_freezing_holds_all_quotes_and_thawing_lets_them_go() -> None:
    listing, pins, book = quotes()
    market = next(m for m in listing.tradable(START) if m.series.ticker == "KXFED")
    pins.apply(START, {"frozen": True})
    pins.apply(START + MINUTE, {"frozen": True})
    pins.apply(START + 3 * MINUTE, {"frozen": False})
    still = {book.at(market, START + step * SECOND) for step in range(0, 180, 9)}
    assert still == {book.at(market, START)}
    free = {book.at(market, START + (180 + step) * SECOND) for step in range(0, 180, 9)}
    assert len(free) > 1


def test_a_pin_holds_from_its_time_on_and_leaves_the_past() -> None:
    listing, pins, book = quotes()
    market = listing.tradable(START)[0]
    before = book.at(market, START - 1)
    pins.apply(START, {"ticker": market.ticker, "yes_bid": "0.4", "yes_ask": "0.45"})
    assert book.at(market, START - 1) == before
    pinned = book.at(market, START)
    assert (pinned.bid, pinned.ask) == book.book(market, START) == (4_000, 4_500)


def test_a_determined_market_has_no_book() -> None:
    listing, _, book = quotes()
    market = listing.listed(START - 3 * DAY, START)[0]
    quote = book.at(market, market.determined)
    assert (quote.bid, quote.ask) == (0, 10_000)
    assert quote.last == book.at(market, market.determined - 1).last


def test_a_position_fetches_the_bid_of_its_side_else_the_last_price() -> None:
    both = Quote(4_000, 4_500, 4_200)
    assert (both.value(1), both.value(-1)) == (4_000, 5_500)
    neither = Quote(0, 10_000, 4_200)
    assert (neither.value(1), neither.value(-1)) == (4_200, 5_800)
    assert (Quote(0, 10_000, 0).value(1), Quote(0, 10_000, 0).value(-1)) == (None, None)
