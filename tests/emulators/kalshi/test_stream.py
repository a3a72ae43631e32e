"""The stream over a real socket: who may come in, and what is told at once."""

import json
from typing import Any

import pytest
import requests
import websocket

from tests.emulators.ear import PATH, Ear, listening, url
from tests.emulators.stage import START, Stage


def test_an_unsigned_handshake_is_refused_like_any_request(stage: Stage) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        websocket.create_connection(url(stage), timeout=10)
    assert caught.value.status_code == 401
    code = "signature_is_missing_from_headers"
    assert json.loads(caught.value.resp_body)["error"]["code"] == code


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"KALSHI-ACCESS-KEY": "nobody"}, "NOT_FOUND"),
        ({"KALSHI-ACCESS-SIGNATURE": "AAAA"}, "INCORRECT_API_KEY_SIGNATURE"),
    ],
)
def test_a_wrong_signature_is_refused_with_the_bodies_of_rest(
    stage: Stage, change: dict[str, str], said: str
) -> None:
    header = stage.signed(PATH) | change
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        websocket.create_connection(url(stage), header=header, timeout=10)
    assert caught.value.status_code == 401
    assert json.loads(caught.value.resp_body)["error"]["details"] == said


def test_an_old_timestamp_is_refused(stage: Stage) -> None:
    header = stage.signed(PATH, skew_ms=-30_000)
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        websocket.create_connection(url(stage), header=header, timeout=10)
    assert json.loads(caught.value.resp_body)["error"]["code"] == "header_timestamp_expired"


def test_a_signature_of_another_path_is_refused(stage: Stage) -> None:
    header = stage.signed("/trade-api/v2/portfolio/fills")
    with pytest.raises(websocket.WebSocketBadStatusException):
        websocket.create_connection(url(stage), header=header, timeout=10)


def test_an_ed25519_key_opens_it_too(stage: Stage) -> None:
    header = stage.signed(PATH, ed25519=True)
    socket = websocket.create_connection(url(stage), header=header, timeout=10)
    assert Ear(socket).answer("list_subscriptions")["msg"] == []
    socket.close()


def test_a_plain_get_is_told_to_upgrade(stage: Stage) -> None:
    answer = requests.get(stage.urls["kalshi"] + PATH, headers=stage.signed(PATH), timeout=10)
    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_request"


def test_a_fill_is_told_to_every_socket_in_the_names_of_the_stream(stage: Stage) -> None:
    ticker = stage.untouched()
    with listening(stage) as one, listening(stage) as two:
        sid = one.join("fill")[0]
        two.join("market_positions", "fill")
        row = stage.tell(
            "fill", ticker=ticker, book_side="ask", count="7.77", yes_price=".61", subaccount=2
        ).json()
        told = one.next("fill")
        assert told == {
            "type": "fill",
            "sid": sid,
            "msg": {
                "trade_id": row["trade_id"], "order_id": row["order_id"], "exchange_index": 0,
                "is_taker": True, "outcome_side": "no", "book_side": "ask", "side": "no",
                "action": "sell", "yes_price_dollars": "0.6100", "count_fp": "7.77",
                "fee_cost": row["fee_cost"], "market_ticker": ticker, "purchased_side": "no",
                "post_position_fp": "-7.77", "ts": START // 1_000_000, "ts_ms": START // 1_000,
                "subaccount": 2,
            },
        }  # fmt: skip
        assert two.next("fill")["msg"] == told["msg"]
        position = two.next("market_position")["msg"]
        del position["user_id"]
        assert position == {
            "market_ticker": ticker, "position_fp": "-7.77", "position_cost_dollars": "3.030300",
            "realized_pnl_dollars": "0.000000", "fees_paid_dollars": row["fee_cost"],
            "position_fee_cost_dollars": row["fee_cost"], "volume_fp": "7.77", "subaccount": 2,
        }  # fmt: skip


def test_several_fills_at_once_tell_each_position_after_it(stage: Stage) -> None:
    ticker = stage.untouched()
    with listening(stage) as ear:
        ear.join("fill")
        with stage.world.lock:
            for count in (1, 2, 3):
                stage.tell_here("fill", ticker=ticker, book_side="bid", count=count)
        told = [ear.next("fill")["msg"]["post_position_fp"] for _ in range(3)]
    assert sorted(told) == ["1.00", "3.00", "6.00"]


def test_the_traders_own_fills_are_told(stage: Stage) -> None:
    with listening(stage) as ear:
        ear.join("fill", "user_orders", "trade")
        stage.now[0] += 40_000_000
        fill = ear.next("fill")["msg"]
        order = ear.next("user_order")["msg"]
        trade = ear.until(lambda message: message["msg"].get("trade_id") == fill["trade_id"])
    row = stage.all_of("/portfolio/fills", "fills", ticker=fill["market_ticker"])
    assert fill["trade_id"] in {one["fill_id"] for one in row}
    assert (order["order_id"], order["status"]) == (fill["order_id"], "executed")
    assert trade["type"] == "trade"
    assert (trade["msg"]["taker_book_side"] == fill["book_side"]) == fill["is_taker"]


def test_what_was_before_is_not_told_again(stage: Stage) -> None:
    before = stage.tell("fill", book_side="bid", count=1).json()
    with listening(stage) as ear:
        ear.join("fill")
        after = stage.tell("fill", book_side="bid", count=1).json()
        assert ear.next("fill")["msg"]["trade_id"] == after["trade_id"] != before["trade_id"]


def test_a_stream_ahead_of_a_lagging_rest(stage: Stage) -> None:
    stage.tell("fault", read_lag=60)
    with listening(stage) as ear:
        ear.join("fill")
        stage.now[0] += 1_000_000
        row = stage.tell("fill", book_side="bid", count=1).json()
        ear.until(lambda message: message["msg"].get("trade_id") == row["trade_id"])
    shown = stage.all_of("/portfolio/fills", "fills", limit=1000)
    assert row["fill_id"] not in {fill["fill_id"] for fill in shown}
    stage.now[0] += 61_000_000
    shown = stage.all_of("/portfolio/fills", "fills", limit=1000)
    assert row["fill_id"] in {fill["fill_id"] for fill in shown}


def test_the_deprecated_names_can_vanish(stage: Stage) -> None:
    stage.tell("fault", kalshi={"deprecated": False})
    with listening(stage) as ear:
        ear.join("fill", "trade")
        told = stage.tell("fill", book_side="bid", count=1).json()
        fill = ear.next("fill")["msg"]
        trade = ear.next("trade")["msg"]
    gone = {"action", "side", "purchased_side", "taker_side"}
    assert not gone & {*told, *fill, *trade}
    assert {"book_side", "outcome_side", "yes_price_dollars"} <= set(fill)


def test_a_market_that_ends_is_told_and_its_position_goes(stage: Stage) -> None:
    ticker = stage.untouched()
    stage.tell("fill", ticker=ticker, book_side="bid", count=5)
    with listening(stage) as ear:
        ear.join("market_lifecycle_v2", "market_positions")
        stage.now[0] += 1_000_000
        stage.tell("settlement", ticker=ticker, result="scalar", value=37)
        determined = ear.until(lambda message: message["msg"].get("event_type") == "determined")
        settled = ear.until(lambda message: message["msg"].get("event_type") == "settled")
        position = ear.next("market_position")
    at = stage.now[0] // 1_000_000
    assert determined["type"] == "market_lifecycle_v2"
    assert determined["msg"] == {
        "event_type": "determined", "market_ticker": ticker, "result": "scalar",
        "settlement_value": "0.3700", "determination_ts": at,
    }  # fmt: skip
    assert settled["msg"] == {"event_type": "settled", "market_ticker": ticker, "settled_ts": at}
    assert position["msg"]["position_fp"] == "0.00"


def test_markets_are_created_and_activated_in_their_time(stage: Stage) -> None:
    told: dict[str, dict[str, Any]] = {}
    with listening(stage) as ear:
        ear.join("market_lifecycle_v2")
        stage.now[0] += 24 * 3_600 * 1_000_000
        while not {"created", "activated", "settled", "event_lifecycle"} <= set(told):
            message = ear.hear()
            told[message["msg"].get("event_type", message["type"])] = message["msg"]
    created, event = told["created"], told["event_lifecycle"]
    assert created["additional_metadata"]["event_ticker"] in created["market_ticker"]
    assert created["open_ts"] < created["close_ts"]
    assert event["series_ticker"].startswith("KX")
