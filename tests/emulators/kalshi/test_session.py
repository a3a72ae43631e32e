"""The stream's faults: refused, silent, cut off, doubled, late, lossy, overflowing."""

import socket
import time
from typing import Any

import pytest
import websocket

from emulators.kalshi.session import MOST_WAITING, Session
from emulators.kalshi.watch import Watch
from emulators.peer import Peer
from tests.emulators.ear import PATH, listening, url
from tests.emulators.stage import Stage

PING, PONG, CLOSE = (
    websocket.ABNF.OPCODE_PING,
    websocket.ABNF.OPCODE_PONG,
    websocket.ABNF.OPCODE_CLOSE,
)


def strike(stage: Stage, **wish: Any) -> None:
    assert stage.tell("fault", stream=wish).json()["stream"] != {}


@pytest.mark.parametrize("status", [401, 404, 429, 503])
def test_every_handshake_can_be_refused(stage: Stage, status: int) -> None:
    strike(stage, refuse=status)
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        websocket.create_connection(url(stage), header=stage.signed(PATH), timeout=10)
    assert caught.value.status_code == status
    strike(stage, refuse=None)
    with listening(stage) as ear:
        assert ear.answer("list_subscriptions")["msg"] == []


def test_rest_goes_on_while_the_stream_is_refused(stage: Stage) -> None:
    strike(stage, refuse=503)
    assert stage.kalshi("/portfolio/balance").status_code == 200


@pytest.mark.parametrize("ending", ["close", "abort"])
def test_all_sockets_can_be_cut_off_at_once(stage: Stage, ending: str) -> None:
    with listening(stage) as one, listening(stage) as two:
        for ear in (one, two):
            ear.join("fill")
        strike(stage, disconnect=ending)
        for ear in (one, two):
            if ending == "close":
                assert ear.socket.recv_data_frame(control_frame=True)[0] == CLOSE
            else:
                with pytest.raises(websocket.WebSocketConnectionClosedException):
                    ear.socket.recv_data_frame(control_frame=True)
    with listening(stage) as again:
        assert again.join("fill") == [1]


def test_a_silent_stream_keeps_its_connection_and_says_nothing(stage: Stage) -> None:
    with listening(stage) as ear:
        ear.join("fill")
        strike(stage, silent=True)
        stage.tell("fill", book_side="bid", count=1)
        ear.socket.ping(b"there?")
        ear.ask("list_subscriptions")
        ear.socket.settimeout(0.3)
        with pytest.raises(websocket.WebSocketTimeoutException):
            ear.socket.recv_data_frame(control_frame=True)
        ear.socket.settimeout(10)
        strike(stage, silent=False)
        heard = stage.tell("fill", book_side="bid", count=1).json()
        assert ear.next("fill")["msg"]["trade_id"] == heard["trade_id"]


def test_pongs_can_be_withheld(stage: Stage) -> None:
    with listening(stage) as ear:
        ear.socket.ping(b"one")
        opcode, frame = ear.socket.recv_data_frame(control_frame=True)
        assert (opcode, frame.data) == (PONG, b"one")
        strike(stage, withhold_pongs=True)
        ear.socket.ping(b"two")
        assert ear.answer("list_subscriptions")["type"] == "ok"


def test_the_heartbeat_is_a_ping(stage: Stage) -> None:
    with listening(stage) as ear:
        ear.socket.settimeout(15)
        opcode, frame = ear.socket.recv_data_frame(control_frame=True)
        assert (opcode, frame.data) == (PING, b"heartbeat")


def test_each_message_can_come_twice(stage: Stage) -> None:
    with listening(stage) as ear:
        ear.join("fill")
        strike(stage, duplicate=True)
        stage.tell("fill", book_side="bid", count=1)
        assert ear.hear() == ear.hear()


def test_the_next_fills_can_be_lost_to_the_stream_only(stage: Stage) -> None:
    with listening(stage) as ear:
        ear.join("fill", "market_positions")
        strike(stage, drop_fills=2)
        told = [stage.tell("fill", book_side="bid", count=1).json() for _ in range(3)]
        assert ear.hear()["msg"]["trade_id"] == told[2]["trade_id"]
    shown = {row["fill_id"] for row in stage.all_of("/portfolio/fills", "fills")}
    assert {row["fill_id"] for row in told} <= shown


def test_messages_can_be_late(stage: Stage) -> None:
    with listening(stage) as ear:
        ear.join("fill")
        strike(stage, delay_ms=200)
        begun = time.monotonic()
        stage.tell("fill", book_side="bid", count=1)
        ear.next("fill")
        assert time.monotonic() - begun >= 0.2


def test_an_overflow_is_error_25_and_the_end_of_each_subscription(stage: Stage) -> None:
    with listening(stage) as ear:
        sids = ear.join("fill", "market_positions")
        strike(stage, overflow=True)
        errors = [ear.next("error") for _ in sids]
        assert [(one["sid"], one["msg"]["code"]) for one in errors] == [(s, 25) for s in sids]
        assert ear.answer("list_subscriptions")["msg"] == []


def test_a_peer_that_does_not_read_overflows(stage: Stage) -> None:
    near, far = socket.socketpair()
    with near, far, near.makefile("rb") as stream:
        peer = Peer(near, stream, stage.world.faults.stream)
        session = Session(stage.world, peer, Watch(stage.world))
        session.hear('{"id": 1, "cmd": "subscribe", "params": {"channels": ["fill"]}}')
        for _ in range(MOST_WAITING):
            peer.say("news")
        assert [one.channel for one in session.subscriptions] == ["fill"]
        session.take([])
        assert list(session.subscriptions) == []


def test_all_is_well_again_with_one_word(stage: Stage) -> None:
    strike(stage, refuse=404, silent=True, delay_ms=5, drop_fills=3)
    plan = stage.tell("fault", stream="ok").json()["stream"]
    assert not any(plan.values())


@pytest.mark.parametrize(
    "wish", [5, {"volcano": 1}, {"disconnect": "softly"}, {"refuse": "x"}, {"delay_ms": "soon"}]
)
def test_a_plan_that_is_none_is_refused(stage: Stage, wish: object) -> None:
    before = stage.session.get(f"{stage.urls['admin']}/fault", timeout=10).json()
    assert stage.tell("fault", stream=wish).status_code == 400
    assert stage.session.get(f"{stage.urls['admin']}/fault", timeout=10).json() == before


def test_what_happens_once_has_happened_after_a_restart(make: Any) -> None:
    first = make()
    strike(first, drop_fills=5, disconnect="abort", silent=True)
    second = make()
    plan = second.world.faults.stream.shown()
    assert (plan["drop_fills"], plan["disconnect"], plan["silent"]) == (0, "", True)
