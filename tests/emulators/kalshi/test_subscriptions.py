"""Commands and their replies; what is subscribed to, and what is not."""

from typing import Any

import pytest

from tests.emulators.ear import Ear, listening
from tests.emulators.stage import Stage


def open_tickers(stage: Stage, number: int) -> list[str]:
    markets = stage.kalshi("/markets", status="open", limit=number).json()["markets"]
    return [market["ticker"] for market in markets]


def said(reply: dict[str, Any]) -> tuple[str, int]:
    return reply["type"], reply["msg"]["code"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", 1),
        ("[1]", 1),
        ('{"id": "x", "cmd": "subscribe"}', 1),
        ('{"id": 1, "cmd": "subscribe"}', 2),
        ('{"id": 1, "cmd": "subscribe", "params": {}}', 3),
        ('{"id": 1, "cmd": "unsubscribe", "params": {}}', 4),
        ('{"id": 1, "cmd": "dance", "params": {}}', 5),
        ('{"id": 1, "cmd": "unsubscribe", "params": {"sids": [9]}}', 7),
        ('{"id": 1, "cmd": "subscribe", "params": {"channels": ["gossip"]}}', 8),
        ('{"id": 1, "cmd": "subscribe", "params": {"channels": "fill"}}', 11),
        ('{"id": 1, "cmd": "unsubscribe", "params": {"sids": ["a"]}}', 11),
        ('{"id":1,"cmd":"subscribe","params":{"channels":["fill"],"market_ticker":5}}', 11),
        ('{"id": 1, "cmd": "update_subscription", "params": {"sids": [1, 2]}}', 12),
        ('{"id": 1, "cmd": "update_subscription", "params": {"sid": 9}}', 7),
        ('{"id": 1, "cmd": "update_subscription", "params": {"sid": 1}}', 15),
        ('{"id": 1, "cmd": "update_subscription", "params": {"sid": 1, "action": "x"}}', 13),
        ('{"id":1,"cmd":"update_subscription","params":{"sid":1,"action":"add_markets"}}', 14),
        ('{"id": 1, "cmd": "subscribe", "params": {"channels": ["orderbook_delta"]}}', 14),
        ('{"id":1,"cmd":"subscribe","params":{"channels":["ticker"],"market_ticker":"NO"}}', 16),
    ],
)
def test_a_command_that_is_none_earns_its_code(stage: Stage, text: str, code: int) -> None:
    with listening(stage) as ear:
        ear.join("fill")
        ear.socket.send(text)
        assert said(ear.next("error")) == ("error", code)
        assert ear.answer("list_subscriptions")["msg"] == [{"channel": "fill", "sid": 1}]


def test_each_channel_has_a_sid_and_can_be_left(stage: Stage) -> None:
    with listening(stage) as ear:
        sids = ear.join("fill", "ticker", "market_positions")
        assert len(set(sids)) == 3
        left = ear.answer("unsubscribe", sids=[sids[0]])
        assert (left["type"], left["sid"]) == ("unsubscribed", sids[0])
        listed = ear.answer("list_subscriptions")["msg"]
        assert {one["sid"] for one in listed} == set(sids[1:])
        stage.tell("fill", book_side="bid", count=1)
        assert ear.until(lambda m: m["type"] in ("fill", "market_position"))["type"] != "fill"


def test_subscribing_again_adds_markets_under_the_same_sid(stage: Stage) -> None:
    first, second = open_tickers(stage, 2)
    with listening(stage) as ear:
        sid = ear.join("fill", market_ticker=first)[0]
        more = ear.answer("subscribe", channels=["fill"], market_tickers=[second])
        assert (more["type"], more["sid"]) == ("ok", sid)
        assert more["msg"]["market_tickers"] == sorted([first, second])
        assert ear.join("fill", market_tickers=[first]) == [sid]
        stage.tell("fill", ticker=second, book_side="bid", count=1)
        assert ear.next("fill")["msg"]["market_ticker"] == second


def test_markets_can_be_added_and_deleted(stage: Stage) -> None:
    first, second = open_tickers(stage, 2)
    with listening(stage) as ear:
        sid = ear.join("fill", market_tickers=[first])[0]
        change = {"market_tickers": [second]}
        added = ear.answer("update_subscription", sid=sid, action="add_markets", **change)
        assert added["msg"]["market_tickers"] == sorted([first, second])
        gone = {"market_tickers": [first]}
        left = ear.answer("update_subscription", sids=[sid], action="delete_markets", **gone)
        assert left["msg"]["market_tickers"] == [second]
        stage.tell("fill", ticker=first, book_side="bid", count=1)
        stage.tell("fill", ticker=second, book_side="bid", count=1)
        assert ear.next("fill")["msg"]["market_ticker"] == second


def test_a_pinned_mark_is_a_ticker_with_every_name(stage: Stage) -> None:
    ticker, other = open_tickers(stage, 2)
    with listening(stage) as ear:
        ear.join("ticker", market_ticker=ticker)
        stage.tell("marks", ticker=other, yes_bid=".20", yes_ask=".30", last=".25")
        stage.tell("marks", ticker=ticker, yes_bid=".40", yes_ask=".45", last=".42")
        told = ear.next("ticker")
    row = stage.kalshi(f"/markets/{ticker}").json()["market"]
    body = told["msg"]
    assert "seq" not in told
    assert (body["market_ticker"], body["price_dollars"]) == (ticker, "0.4200")
    for name in ("yes_bid_dollars", "yes_ask_dollars", "yes_bid_size_fp", "volume_fp"):
        assert body[name] == row[name]
    assert isinstance(body["dollar_volume"], int)
    assert isinstance(body["dollar_open_interest"], int)
    assert set(body) == {
        "market_ticker", "market_id", "price_dollars", "yes_bid_dollars", "yes_ask_dollars",
        "yes_bid_size_fp", "yes_ask_size_fp", "last_trade_size_fp", "volume_fp",
        "open_interest_fp", "dollar_volume", "dollar_open_interest", "ts", "ts_ms", "time",
    }  # fmt: skip


def test_a_first_ticker_comes_when_asked_for(stage: Stage) -> None:
    tickers = open_tickers(stage, 3)
    with listening(stage) as ear:
        ear.join("ticker", market_tickers=tickers, send_initial_snapshot=True)
        assert [ear.next("ticker")["msg"]["market_ticker"] for _ in tickers] == tickers


def folded(ear: Ear, book: dict[str, dict[str, float]], after: int, until: str) -> None:
    """Fold deltas into a book until a level of `until` is gone or there."""
    seq = after
    while True:
        delta = ear.next("orderbook_delta")
        seq += 1
        assert delta["seq"] == seq
        body = delta["msg"]
        side = book.setdefault(body["side"], {})
        size = round(side.get(body["price_dollars"], 0) + float(body["delta_fp"]), 2)
        side[body["price_dollars"]] = size
        if not size:
            del side[body["price_dollars"]]
        if until in side:
            return


def shown(body: dict[str, Any], form: str) -> dict[str, dict[str, float]]:
    return {
        side: {price: float(size) for price, size in body.get(f"{side}_{form}", [])}
        for side in ("yes", "no")
    }


def test_a_book_is_its_snapshot_and_every_delta_counted(stage: Stage) -> None:
    ticker = open_tickers(stage, 1)[0]
    stage.tell("marks", ticker=ticker, yes_bid="0", yes_ask=".60", last=".55")
    with listening(stage) as ear:
        ear.join("orderbook_delta", market_ticker=ticker)
        first = ear.next("orderbook_snapshot")
        assert first["seq"] == 1
        assert "yes_dollars_fp" not in first["msg"], "an empty side has no key"
        book = shown(first["msg"], "dollars_fp")
        stage.tell("marks", ticker=ticker, yes_bid=".50", yes_ask=".60", last=".55")
        folded(ear, book, 1, "0.5000")
    assert len(book["yes"]) == 5
    path = f"/markets/{ticker}/orderbook"
    assert book == shown(stage.kalshi(path).json()["orderbook_fp"], "dollars")


def test_no_prices_can_be_asked_for_as_yes_prices(stage: Stage) -> None:
    ticker = open_tickers(stage, 1)[0]
    stage.tell("marks", ticker=ticker, yes_bid=".50", yes_ask=".60", last=".55")
    with listening(stage) as plain, listening(stage) as flipped:
        plain.join("orderbook_delta", market_ticker=ticker)
        flipped.join("orderbook_delta", market_ticker=ticker, use_yes_price=True)
        one = plain.next("orderbook_snapshot")["msg"]
        two = flipped.next("orderbook_snapshot")["msg"]
        assert one["no_dollars_fp"][-1][0] == "0.4000"
        assert two["no_dollars_fp"][0] == ["0.6000", one["no_dollars_fp"][-1][1]]
        stage.tell("marks", ticker=ticker, yes_bid=".50", yes_ask=".61", last=".55")
        moved = [
            ear.until(lambda m: m["msg"].get("side") == "no")["msg"] for ear in (plain, flipped)
        ]
    assert round(sum(float(body["price_dollars"]) for body in moved), 4) == 1


def test_a_snapshot_can_be_asked_for(stage: Stage) -> None:
    ticker = open_tickers(stage, 1)[0]
    with listening(stage) as ear:
        sid = ear.join("orderbook_delta", market_ticker=ticker)[0]
        first = ear.next("orderbook_snapshot")["msg"]
        ear.ask("update_subscription", sid=sid, action="get_snapshot", market_tickers=[ticker])
        assert ear.next("orderbook_snapshot")["msg"] == first


def test_acknowledgements_can_be_short(stage: Stage) -> None:
    first, second = open_tickers(stage, 2)
    with listening(stage) as ear:
        ear.join("ticker", market_ticker=first, skip_ticker_ack=True)
        more = ear.answer("subscribe", channels=["ticker"], market_tickers=[second])
        assert (more["type"], more["msg"]) == ("ok", {})
