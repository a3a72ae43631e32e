"""The stream over a real socket: what it brings, what it asks for, how it comes back."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from ledger import moment
from ledger.facts import Fill, Mark, Side
from ledger.money import NANO, contracts, dollars
from pipeline.sources import kalshi_rows
from pipeline.sources.fields import Fields
from pipeline.sources.kalshi_quotes import Quotes
from pipeline.sources.kalshi_stream import Stream
from pipeline.sources.kalshi_stream_retry import REFUSED_WAIT
from pipeline.sources.signature import EXPIRED, Signer
from pipeline.sources.source import Timepiece
from storage.facts import Page
from tests.pipeline.sources.kalshi_socket import (
    PATH,
    TEXT,
    Exchange,
    Refusal,
    acknowledge,
    error,
    framed,
)
from tests.pipeline.sources.kalshi_upstream import fill_row
from tests.pipeline.sources.test_client import self_signed
from tests.product import until

TICKER = "KXCPI-26NOV-T0.3"
AT = 1_790_000_000_123
"""Milliseconds."""

Opened = Callable[..., Stream]


def message(**changes: object) -> dict[str, object]:
    """Return a fill as the stream says it: the same execution as REST's fill-1."""
    row: dict[str, object] = {
        "trade_id": "fill-1",
        "order_id": "order-1",
        "market_ticker": TICKER,
        "exchange_index": 0,
        "is_taker": True,
        "outcome_side": "yes",
        "book_side": "bid",
        "side": "no",
        "action": "sell",
        "purchased_side": "no",
        "yes_price_dollars": "0.5200",
        "count_fp": "7.77",
        "fee_cost": "0.017500",
        "post_position_fp": "7.77",
        "ts": AT // 1_000,
        "ts_ms": AT,
    }
    return row | changes


def ticker(**changes: object) -> dict[str, object]:
    return {
        "market_ticker": TICKER,
        "price_dollars": "0.5200",
        "yes_bid_dollars": "0.5100",
        "yes_ask_dollars": "0.5300",
        "ts_ms": AT,
    } | changes


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with Exchange().running() as server:
        yield server


@pytest.fixture
def opened(exchange: Exchange, pem: str) -> Iterator[Opened]:
    made: list[Stream] = []

    def start(url: str = "", quotes: Quotes | None = None, pace: float = 1.0) -> Stream:
        timepiece = Timepiece(monotonic=lambda: time.monotonic() * pace)
        signer = Signer("key", pem, timepiece.now)
        made.append(Stream(url or exchange.url, signer, quotes or Quotes(), timepiece))
        made[-1].open(lambda: None)
        return made[-1]

    yield start
    for stream in made:
        stream.close()


@pytest.fixture
def stream(opened: Opened) -> Stream:
    """Return a stream that has caught up."""
    made = opened()
    until(made.behind, "it is subscribed")
    return made


def taken(stream: Stream) -> Page:
    return until(stream.take, "something came")


def marks(stream: Stream) -> list[Mark]:
    return [fact for fact in taken(stream).facts if isinstance(fact, Mark)]


def test_the_handshake_signs_the_path_of_the_url(
    stream: Stream, exchange: Exchange, pem: str
) -> None:
    asked = exchange.handshakes[0]
    assert asked.line == f"GET {PATH} HTTP/1.1"
    at = int(asked.headers["kalshi-access-timestamp"])
    # Ed25519 signs the same bytes to the same signature.
    expected = Signer("key", pem, lambda: at * 1_000).headers("GET", PATH)
    assert {name.lower(): text for name, text in expected.items()}.items() <= asked.headers.items()
    assert stream.detail == ""
    assert stream.down_seconds == 0


def test_a_fill_is_the_fact_that_rest_delivers_but_for_its_microseconds(
    stream: Stream, exchange: Exchange
) -> None:
    exchange.peer.say("fill", message())
    (fill,) = taken(stream).facts
    rest = kalshi_rows.fill(Fields(fill_row(1)))
    assert fill == Fill(
        "fill-1",
        AT * 1_000,
        TICKER,
        Side.YES,
        contracts("7.77"),
        dollars("0.52"),
        dollars("0.0175"),
        is_taker=True,
        order_id="order-1",
    )
    assert (fill.identity, fill.side, fill.fee) == (rest.identity, rest.side, rest.fee)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"trade_id": None}, "trade_id"),
        ({"ts_ms": None}, "ts_ms"),
        ({"ts_ms": 10**15}, "ts_ms"),
        ({"ts_ms": 4_000_000_000_000}, "ts_ms"),
        ({"count_fp": "0.00"}, "count_fp"),
        ({"yes_price_dollars": "1.0100"}, "yes_price_dollars"),
        ({"book_side": "ask"}, "outcome_side"),
        ({"market_ticker": 7}, "market_ticker"),
        ({"subaccount": "x"}, "subaccount"),
    ],
)
def test_a_row_that_cannot_be_read_is_put_aside_by_the_name_it_came_with(
    stream: Stream, exchange: Exchange, changes: dict[str, object], field: str
) -> None:
    exchange.peer.say("fill", message(**changes))
    exchange.peer.say("fill", message(trade_id="fill-2"))
    until(lambda: stream.traded is not None, "the other one came")
    page = taken(stream)
    assert [reject.field for reject in page.rejects] == [field]
    assert [fact.fill_id for fact in page.facts if isinstance(fact, Fill)] == ["fill-2"]


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"fill","msg":{"trade_id":"a","count_fp":NaN}}',
        '{"type":"fill","type":"fill"}',
        "<html>login</html>",
        '{"type":"fill","msg":[1]}',
    ],
)
def test_what_is_no_strict_message_is_put_aside_and_the_stream_goes_on(
    stream: Stream, exchange: Exchange, text: str
) -> None:
    exchange.peer.text(text)
    exchange.peer.say("fill", message())
    until(lambda: stream.traded is not None, "the fill came")
    page = taken(stream)
    assert len(page.rejects) == len(page.facts) == 1
    assert len(exchange.handshakes) == 1


def test_messages_of_types_it_does_not_know_are_ignored(stream: Stream, exchange: Exchange) -> None:
    for text in ('{"type":"event_fee_update","msg":{}}', "[1]", "7", '{"type":["fill"]}'):
        exchange.peer.text(text)
    exchange.peer.say("fill", message())
    assert taken(stream) == Page("kalshi", (kalshi_fill(),))


def kalshi_fill() -> Fill:
    row = fill_row(1, created_time=moment.text(AT * 1_000))
    return kalshi_rows.fill(Fields(row))


def test_a_message_in_several_frames_is_one(stream: Stream, exchange: Exchange) -> None:
    content = json.dumps({"type": "fill", "msg": message()}).encode()
    exchange.peer.raw(framed(TEXT, content[:9], final=False))
    exchange.peer.ping()
    exchange.peer.raw(framed(0, content[9:]))
    assert taken(stream).facts == (kalshi_fill(),)
    until(lambda: exchange.ponged == 1, "its ping was answered")


def test_the_catch_up_waits_for_every_channel(exchange: Exchange, opened: Opened) -> None:
    held_back: list[dict[str, Any]] = []

    def but_for_positions(peer: Any, command: dict[str, Any]) -> None:
        if command["params"]["channels"] == ["market_positions"]:
            held_back.append(command)
        else:
            acknowledge(peer, command)

    exchange.answer = but_for_positions
    stream = opened()
    until(lambda: held_back, "it was asked")
    exchange.peer.say("fill", message())
    taken(stream)
    assert not stream.behind()
    assert stream.down_seconds > 0
    acknowledge(exchange.peer, held_back[0])
    until(stream.behind, "now it is subscribed")
    assert not stream.behind()


def test_it_asks_for_the_quotes_of_what_is_held_as_that_changes(
    stream: Stream, exchange: Exchange
) -> None:
    stream.watch(frozenset({"A", "B"}))
    (first,) = until(lambda: exchange.commands("subscribe")[3:], "it subscribed")
    assert first["channels"] == ["ticker"]
    assert first["market_tickers"] == ["A", "B"]
    stream.watch(frozenset({"B", "C"}))
    added, gone = until(
        lambda: (
            exchange.commands("update_subscription")[1:]
            and exchange.commands("update_subscription")
        ),
        "it changed",
    )
    assert added == {"sids": [9], "action": "add_markets", "market_tickers": ["C"]}
    assert gone == {"sids": [9], "action": "delete_markets", "market_tickers": ["A"]}
    stream.watch(frozenset())
    (end,) = until(lambda: exchange.commands("unsubscribe"), "it unsubscribed")
    assert end == {"sids": [9]}


def test_a_quote_is_a_mark_when_it_moved(stream: Stream, exchange: Exchange) -> None:
    stream.watch(frozenset({TICKER}))
    exchange.peer.say("ticker", ticker())
    (first,) = marks(stream)
    assert first.quote == (dollars("0.51"), dollars("0.53"), dollars("0.52"), None)
    exchange.peer.say("ticker", ticker(volume_fp="8.00"))
    exchange.peer.say("ticker", ticker(market_ticker="KXOTHER"))
    exchange.peer.say("ticker", ticker(yes_bid_dollars="0.0000", yes_ask_dollars="1.0000"))
    (second,) = marks(stream)
    assert second.quote == (None, None, dollars("0.52"), None)
    assert second.time > first.time


def test_of_several_quotes_in_a_row_the_last_counts(stream: Stream, exchange: Exchange) -> None:
    stream.watch(frozenset({TICKER}))
    for bid in ("0.5000", "0.4900", "0.4800"):
        exchange.peer.say("ticker", ticker(yes_bid_dollars=bid))
    exchange.peer.say("fill", message())
    until(lambda: stream.traded is not None, "the fill came after them")
    (mark,) = marks(stream)
    assert mark.bid == dollars("0.48")


def test_a_quote_whose_fields_were_renamed_is_put_aside(stream: Stream, exchange: Exchange) -> None:
    stream.watch(frozenset({TICKER}))
    exchange.peer.say("ticker", {"market_ticker": TICKER, "yes_bid": "0.51"})
    (reject,) = taken(stream).rejects
    assert (reject.field, reject.reason) == ("yes_bid_dollars", "is missing")


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ({"result": "yes"}, NANO),
        ({"result": "no"}, 0),
        ({"result": "scalar", "settlement_value": "0.3700"}, dollars("0.37")),
    ],
)
def test_what_a_market_was_determined_to_pay_is_its_mark_from_then_on(
    exchange: Exchange, opened: Opened, said: dict[str, object], value: int
) -> None:
    quotes = Quotes()
    quotes.saw([Mark(TICKER, 1, dollars("0.5"), None, None)])
    stream = opened(quotes=quotes)
    until(stream.behind, "it is subscribed")
    stream.watch(frozenset({TICKER}))
    lived = {"event_type": "determined", "market_ticker": TICKER, **said}
    exchange.peer.say("market_lifecycle_v2", lived)
    (mark,) = marks(stream)
    assert mark.quote == (dollars("0.5"), None, None, value)
    exchange.peer.say("ticker", ticker())
    (after,) = marks(stream)
    assert (after.bid, after.value) == (dollars("0.51"), value)


def test_a_settlement_of_what_is_held_asks_for_a_poll(stream: Stream, exchange: Exchange) -> None:
    stream.watch(frozenset({TICKER}))
    for name in ("KXOTHER", TICKER):
        lived = {"event_type": "settled", "market_ticker": name}
        exchange.peer.say("market_lifecycle_v2", lived)
        exchange.peer.say("fill", message(trade_id=name))
        taken(stream)
        assert stream.behind() is (name == TICKER)


def test_a_scalar_end_without_its_value_asks_for_a_poll(stream: Stream, exchange: Exchange) -> None:
    stream.watch(frozenset({TICKER}))
    lived = {"event_type": "determined", "market_ticker": TICKER, "result": "scalar"}
    exchange.peer.say("market_lifecycle_v2", lived)
    until(stream.behind, "it wants a poll")


def test_positions_of_subaccount_0_are_told_once(stream: Stream, exchange: Exchange) -> None:
    row = {
        "market_ticker": TICKER,
        "position_fp": "-3.50",
        "position_cost_dollars": "1.000000",
        "realized_pnl_dollars": "-0.080000",
        "fees_paid_dollars": "0.017500",
    }
    exchange.peer.say("market_position", row | {"position_fp": "9.00"})
    exchange.peer.say("market_position", row)
    exchange.peer.say("market_position", row | {"subaccount": 2, "position_fp": "1.00"})
    exchange.peer.say("fill", message())
    taken(stream)
    (report,) = stream.pushed().values()
    assert (report.ticker, report.position, report.fees) == (TICKER, -350, dollars("0.0175"))
    assert stream.pushed() == {}


@pytest.mark.parametrize("end", ["close", "drop", "garbage", "too much", "overflow"])
def test_a_stream_that_ends_is_opened_again_and_rest_catches_up(
    stream: Stream, exchange: Exchange, end: str
) -> None:
    ends = {
        "close": exchange.peer.close,
        "drop": exchange.peer.drop,
        "garbage": lambda: exchange.peer.raw(b"\xf1\x00"),
        "too much": lambda: exchange.peer.text("x" * 2_000_000),
        "overflow": lambda: exchange.peer.text(error(None, 25, "buffer overflow")),
    }
    ends[end]()
    until(stream.behind, "it caught up")
    assert len(exchange.handshakes) == 2
    assert len(exchange.commands("subscribe")) == 3
    exchange.peer.say("fill", message())
    assert taken(stream).facts == (kalshi_fill(),)


def test_a_message_cut_in_the_middle_is_forgotten(stream: Stream, exchange: Exchange) -> None:
    content = framed(TEXT, json.dumps({"type": "fill", "msg": message()}).encode())
    exchange.peer.raw(content[:-9])
    exchange.peer.drop()
    until(stream.behind, "it caught up")
    assert stream.take() is None


def test_a_silent_stream_is_noticed(exchange: Exchange, opened: Opened) -> None:
    """Twenty seconds pass in one."""
    exchange.pongs = False
    stream = opened(pace=20.0)
    until(stream.behind, "it is subscribed")
    until(lambda: "silent for 15 s" in stream.trouble, "it noticed")
    assert exchange.pinged >= 2


def test_a_quiet_stream_whose_pongs_come_stays(exchange: Exchange, opened: Opened) -> None:
    stream = opened(pace=20.0)
    until(stream.behind, "it is subscribed")
    until(lambda: exchange.pinged >= 8, "forty seconds have passed")
    assert stream.detail == ""
    assert len(exchange.handshakes) == 1


def test_subscriptions_that_nobody_acknowledges_are_given_up(
    exchange: Exchange, opened: Opened
) -> None:
    exchange.answer = lambda *_: None
    stream = opened(pace=50.0)
    until(lambda: len(exchange.handshakes) >= 2, "it tried again")
    assert "acknowledge" in stream.detail


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_is_said_and_asked_again_seldom(
    exchange: Exchange, opened: Opened, status: int
) -> None:
    exchange.refusals = [Refusal(status, '{"error":{"code":"not_found"}}')]
    stream = opened()
    assert until(lambda: stream.detail, "it was refused") == f"stream refused {status}: polling"
    assert REFUSED_WAIT * 0.9 <= stream.rest <= REFUSED_WAIT
    assert len(exchange.handshakes) == 1
    assert stream.down_seconds > 0


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_that_ended_is_noticed_and_said_no_more(
    exchange: Exchange, opened: Opened, status: int
) -> None:
    exchange.refusals = [Refusal(status), Refusal(status)]
    stream = opened(pace=60.0)
    until(stream.behind, "it came up")
    assert exchange.refusals == []
    assert (stream.detail, stream.down_seconds) == ("", 0)


def test_another_key_is_tried_soon(exchange: Exchange, pem: str) -> None:
    """Whoever polls has read it again; the stream was told 401 before that."""
    keys = [("old", pem)]
    signer = Signer("old", pem, reload=lambda: keys[-1])
    exchange.refusals = [Refusal(401, "NOT_FOUND")]
    stream = Stream(exchange.url, signer, Quotes())
    stream.open(lambda: None)
    try:
        until(lambda: stream.detail, "it was refused")
        keys.append(("new", pem))
        assert signer.renewed("NOT_FOUND")
        until(stream.behind, "it came up")
        assert [each.headers["kalshi-access-key"] for each in exchange.handshakes] == ["old", "new"]
        assert stream.rest >= REFUSED_WAIT * 0.9
    finally:
        stream.close()


def test_a_clock_set_by_rest_is_tried_soon(exchange: Exchange, pem: str) -> None:
    signer = Signer("key", pem)
    exchange.refusals = [Refusal(401, "who are you")]
    stream = Stream(exchange.url, signer, Quotes())
    stream.open(lambda: None)
    try:
        until(lambda: stream.detail, "it was refused")
        signer.observe(moment.system() + 600 * moment.MICROS, moment.system())
        assert signer.renewed(EXPIRED)
        until(stream.behind, "it came up")
    finally:
        stream.close()


def test_a_stream_that_answers_pings_and_tells_nothing_is_opened_again(
    exchange: Exchange, opened: Opened
) -> None:
    stream = opened(pace=20.0)
    until(stream.behind, "it is subscribed")
    stream.found([replace(kalshi_fill(), fill_id="untold", time=moment.system())], [])
    until(lambda: len(exchange.handshakes) == 2, "it was given up")
    until(stream.behind, "it caught up")
    assert stream.detail == ""


def test_a_quote_that_only_rest_saw_is_silence_where_the_stream_should_tell_it(
    exchange: Exchange, opened: Opened
) -> None:
    stream = opened(pace=20.0)
    until(stream.behind, "it is subscribed")
    stream.watch(frozenset([TICKER]))
    until(lambda: len(exchange.commands("subscribe")) == 4, "it asked for the quotes")
    mark = Mark(TICKER, moment.system(), NANO // 2, None, None)

    def given_up() -> bool:
        stream.found([], [mark])
        return len(exchange.handshakes) == 2

    until(given_up, "it was given up")


def test_a_quote_of_a_market_that_it_does_not_bring_is_no_silence(
    exchange: Exchange, opened: Opened
) -> None:
    stream = opened(pace=20.0)
    until(stream.behind, "it is subscribed")
    mark = Mark("KXELSE", moment.system(), NANO // 2, None, None)

    def passed() -> bool:
        stream.found([], [mark])
        return exchange.pinged >= 10

    until(passed, "fifty seconds have passed")
    assert len(exchange.handshakes) == 1


@pytest.mark.parametrize("status", [200, 429, 500, 503])
def test_an_upstream_in_trouble_is_asked_again_soon(
    exchange: Exchange, opened: Opened, status: int
) -> None:
    exchange.refusals = [Refusal(status, "<html>")]
    stream = opened()
    until(stream.behind, "it came up")
    assert len(exchange.handshakes) == 2


def test_a_channel_that_is_not_for_this_key_is_asked_for_seldom(
    exchange: Exchange, opened: Opened
) -> None:
    exchange.answer = lambda peer, command: peer.text(error(command["id"], 9, "not for you"))
    stream = opened()
    until(lambda: "subscription error 9: not for you" in stream.detail, "it was said")
    assert stream.rest >= REFUSED_WAIT * 0.9


def test_a_clock_that_is_off_is_set_by_the_answer_and_tried_once_more(
    exchange: Exchange, opened: Opened
) -> None:
    ahead = moment.aware(moment.system() + 600 * moment.MICROS)
    date = {"Date": format_datetime(ahead, usegmt=True)}
    exchange.refusals = [Refusal(401, json.dumps({"error": {"code": EXPIRED}}), date)]
    stream = opened()
    until(stream.behind, "it came up")
    before, after = (int(h.headers["kalshi-access-timestamp"]) for h in exchange.handshakes)
    assert 590_000 < after - before < 620_000
    assert stream.trouble == ""


def test_a_redirect_is_never_followed_with_our_signature(
    exchange: Exchange, opened: Opened
) -> None:
    with Exchange().running() as elsewhere:
        exchange.refusals = [Refusal(302, "", {"Location": elsewhere.url})]
        stream = opened()
        until(lambda: stream.detail, "it was redirected")
        assert elsewhere.handshakes == []
        assert stream.rest >= REFUSED_WAIT * 0.9


def test_an_endless_answer_to_the_handshake_is_bounded(exchange: Exchange, opened: Opened) -> None:
    head = b"HTTP/1.1 404 Not Found\r\nContent-Length: 4000000\r\n\r\n"
    exchange.refusals = [Refusal(0, wire=head + b"x" * 4_000_000)]
    stream = opened()
    until(lambda: "more than 1048576 bytes" in stream.trouble, "it gave up")


def test_a_certificate_nobody_vouches_for_is_refused_and_labelled(
    opened: Opened, tmp_path: Path
) -> None:
    with Exchange(tls=self_signed(tmp_path)).running() as impostor:
        stream = opened(impostor.url)
        until(lambda: "certificate verify failed" in stream.detail, "it was labelled")
        assert impostor.handshakes == []


def test_nobody_listens_and_it_is_said(opened: Opened) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
    stream = opened(f"ws://127.0.0.1:{port}{PATH}")
    until(lambda: "found no connection" in stream.detail, "it was said")


def test_an_end_does_not_wait_for_a_handshake_that_hangs(opened: Opened) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        stream = opened(f"ws://127.0.0.1:{hanging.getsockname()[1]}{PATH}")
        ending = threading.Thread(target=stream.close)
        ending.start()
        until(lambda: not ending.is_alive(), "it ended", 5)


def test_what_is_no_upstreams_fault_is_raised_where_it_is_heard(
    exchange: Exchange, pem: str
) -> None:
    class Broken(Signer):
        def headers(self, *_: str) -> dict[str, str]:
            raise ZeroDivisionError

    stream = Stream(exchange.url, Broken("key", pem), Quotes())
    woken: list[bool] = []
    stream.open(lambda: woken.append(True))
    until(lambda: woken, "it was told")
    with pytest.raises(ZeroDivisionError):
        stream.take()
