"""Names of markets: asked for once, few at a time, live then historical."""

from collections.abc import Iterator

import pytest

from ledger.facts import Market
from pipeline.sources.client import Client
from pipeline.sources.credentials import Token
from pipeline.sources.kalshi_exchange import Exchange
from pipeline.sources.kalshi_names import EVENTS, Names
from pipeline.sources.source import Deadline
from tests.pipeline.sources.conftest import Hands
from tests.pipeline.sources.kalshi_upstream import account, market_row, named
from tests.pipeline.sources.upstream import Reply, Upstream


@pytest.fixture
def names(exchange: Upstream, hands: Hands) -> Iterator[Names]:
    client = Client(exchange.url, Token("key", ""), hands.timepiece())
    yield Names(Exchange(client))
    client.close()


def asked(names: Names, *, room: bool = True) -> list[Market]:
    """Return what one round of asking brings."""
    rounds = names.ask(Deadline.after(3.0), lambda: room)
    return [market for markets in rounds for market in markets]


def test_a_market_seen_in_a_fill_is_named(names: Names, exchange: Upstream) -> None:
    account(exchange, markets=[market_row(ticker="A")])
    names.saw(["A", "A"])
    assert [(m.ticker, m.series) for m in asked(names)] == [("A", ""), ("A", "KXCPI")]
    names.saw(["A"])
    assert asked(names) == []


def test_an_archived_market_is_found_among_the_historical(names: Names, exchange: Upstream) -> None:
    account(exchange)
    exchange.on("/historical/markets", named([market_row(ticker="OLD")]))
    names.saw(["OLD", "NOBODY"])
    assert [market.ticker for market in asked(names)] == ["OLD"]
    assert exchange.asked("/historical/markets")[0].arg("tickers") == "NOBODY,OLD"
    names.saw(["OLD", "NOBODY"])
    assert asked(names) == []
    assert len(exchange.asked("/historical/markets")) == 1


def test_only_a_few_events_are_asked_at_a_time(names: Names, exchange: Upstream) -> None:
    markets = [market_row(ticker=f"M{n}", event_ticker=f"E{n}") for n in range(EVENTS + 3)]
    account(exchange, markets=markets)
    names.saw(market["ticker"] for market in markets)
    series = [[m for m in asked(names) if m.series] for _ in range(3)]
    assert [len(some) for some in series] == [EVENTS, 3, 0]


def test_nothing_is_asked_without_room(names: Names, exchange: Upstream) -> None:
    account(exchange, markets=[market_row(ticker="A")])
    names.saw(["A"])
    assert asked(names, room=False) == []
    assert exchange.seen == []


def test_an_event_that_fails_is_tolerated(names: Names, exchange: Upstream) -> None:
    account(exchange, markets=[market_row(ticker="A")])
    exchange.on("/events/KXCPI-26NOV", Reply({}, 500))
    names.saw(["A"])
    assert [(m.ticker, m.series) for m in asked(names)] == [("A", "")]


def test_what_storage_knows_is_not_asked_again(names: Names, exchange: Upstream) -> None:
    account(exchange)
    names.recall({"A": Market("A", "E", "S", "t", "active"), "B": Market("B", "F")})
    names.saw(["A", "B"])
    asked(names)
    assert [request.arg("tickers") for request in exchange.asked("/markets")] == ["B"]


def test_a_changed_status_is_told(names: Names) -> None:
    assert len(names.told([market_row(), "no row", {}])) == 1
    assert names.told([market_row()]) == ()
    assert names.told([market_row(status="closed")])[0].status == "closed"
