"""The public's trades and order books."""

from typing import Any

import pytest

from emulators.world import instant
from emulators.world.instant import DAY, HOUR, SECOND
from tests.emulators.stage import START, Stage


def open_market(stage: Stage) -> dict[str, Any]:
    found: dict[str, Any] = stage.kalshi("/markets", status="open", limit=1).json()["markets"][0]
    return found


def test_trades_come_newest_first_and_the_last_one_is_the_last_price(stage: Stage) -> None:
    ticker = open_market(stage)["ticker"]
    trades = stage.kalshi("/markets/trades", ticker=ticker, limit=200).json()["trades"]
    times = [trade["created_time"] for trade in trades]
    assert times == sorted(times, reverse=True)
    assert len({trade["trade_id"] for trade in trades}) == len(trades) == 200
    made = [trade for trade in trades if instant.parse(trade["created_time"]) % (15 * SECOND) == 0]
    assert made[0]["yes_price_dollars"] == open_market(stage)["last_price_dollars"]
    for trade in trades:
        sides = (trade["taker_outcome_side"], trade["taker_book_side"])
        assert sides in {("yes", "bid"), ("no", "ask")}


def test_pages_of_trades_neither_lose_nor_double_any(stage: Stage) -> None:
    span = {"min_ts": (START - 120 * SECOND) // SECOND, "max_ts": START // SECOND}
    whole = stage.kalshi("/markets/trades", limit=1000, **span).json()
    paged = stage.all_of("/markets/trades", "trades", limit=7, **span)
    assert paged == whole["trades"]
    assert whole["cursor"] == ""
    assert len(whole["trades"]) > 100


def test_a_cursor_that_is_none_gives_the_first_page(stage: Stage) -> None:
    first = stage.kalshi("/markets/trades", limit=5).json()
    again = stage.kalshi("/markets/trades", limit=5, cursor="nonsense").json()
    assert again["trades"] == first["trades"]


def test_live_and_historical_trades_meet_at_the_cutoff(season: Stage) -> None:
    cutoff = season.kalshi("/historical/cutoff").json()["trades_created_ts"]
    old = season.kalshi("/historical/trades", limit=100).json()["trades"]
    assert max(trade["created_time"] for trade in old) < cutoff
    at = instant.parse(cutoff) // SECOND
    live = season.kalshi("/markets/trades", limit=1000, min_ts=at - HOUR // SECOND, max_ts=at + 30)
    assert min(trade["created_time"] for trade in live.json()["trades"]) >= cutoff


def test_there_are_no_block_trades(stage: Stage) -> None:
    assert stage.kalshi("/markets/trades", is_block_trade="true").json()["trades"] == []
    assert stage.kalshi("/markets/trades", is_block_trade="false").json()["trades"]


def test_a_book_ends_with_its_best_bids(stage: Stage) -> None:
    market = open_market(stage)
    stage.tell("marks", ticker=market["ticker"], yes_bid=".40", yes_ask=".45", last=".42")
    path = f"/markets/{market['ticker']}/orderbook"
    book = stage.kalshi(path).json()["orderbook_fp"]
    assert book["yes_dollars"][-1][0] == "0.4000"
    assert book["no_dollars"][-1][0] == "0.5500"
    for levels in book.values():
        assert levels == sorted(levels)
    shallow = stage.kalshi(path, depth=2).json()["orderbook_fp"]
    assert shallow == {side: levels[-2:] for side, levels in book.items()}
    several = stage.kalshi("/markets/orderbooks", tickers=[market["ticker"], "NONE"]).json()
    assert several == {"orderbooks": [{"ticker": market["ticker"], "orderbook_fp": book}]}


def test_a_book_of_an_ended_market_is_empty(stage: Stage) -> None:
    ticker = open_market(stage)["ticker"]
    stage.tell("settlement", ticker=ticker, result="yes")
    book = stage.kalshi(f"/markets/{ticker}/orderbook").json()["orderbook_fp"]
    assert book == {"yes_dollars": [], "no_dollars": []}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/markets/NO/orderbook", 404),
        ("/markets/orderbooks", 400),
        ("/markets/trades?limit=1001", 400),
        ("/portfolio/deposits?limit=501", 400),
    ],
)
def test_what_does_not_fit_is_refused(stage: Stage, path: str, status: int) -> None:
    path, _, query = path.partition("?")
    params = dict([query.split("=")] if query else [])
    assert stage.kalshi(path, **params).status_code == status


def test_a_book_cannot_be_deeper_than_a_hundred(stage: Stage) -> None:
    path = f"/markets/{open_market(stage)['ticker']}/orderbook"
    assert stage.kalshi(path, depth=101).status_code == 400
    assert stage.kalshi(path, depth=-1).json() == stage.kalshi(path).json()


def test_several_tickers_and_events_can_be_asked_for_at_once(stage: Stage) -> None:
    fills = stage.all_of("/portfolio/fills", "fills", limit=1000)
    tickers = sorted({fill["ticker"] for fill in fills})[:3]
    found = stage.all_of("/portfolio/fills", "fills", ticker=",".join(tickers), limit=1000)
    assert found == [fill for fill in fills if fill["ticker"] in tickers]
    event = stage.kalshi(f"/markets/{tickers[0]}").json()["market"]["event_ticker"]
    orders = stage.all_of("/portfolio/orders", "orders", event_ticker=f"{event},NONE")
    assert {order["ticker"].rpartition("-")[0] for order in orders} == {event}


def test_events_can_be_asked_for_by_where_they_stand(stage: Stage) -> None:
    for status in ("unopened", "open", "settled"):
        events = stage.all_of("/events", "events", status=status, limit=200)
        assert bool(events) == (status != "unopened") or events
    later = (START + DAY) // SECOND
    events = stage.all_of("/events", "events", min_close_ts=later, with_nested_markets="true")
    assert all(
        market["close_time"] > instant.brief(START) for e in events for market in e["markets"]
    )
