"""The live document as Server-Sent Events."""

import socket
import struct
from collections.abc import Callable

import pytest
import requests

from tests.delivery.conftest import Database, Web, eventually
from tests.delivery.peers import Events, Follower, Socket, Stream


def test_the_head_of_the_stream_forbids_buffers(standing: Web) -> None:
    headers = Events(standing.base).response.headers
    assert headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert headers["Cache-Control"] == "no-cache"
    assert headers["X-Accel-Buffering"] == "no"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_events_carry_the_same_messages_as_sockets(web: Web, database: Database) -> None:
    events, peer, page = Events(web.base), Socket(web.port), Follower()
    first = events.event()
    assert set(first) == {"id", "data"}
    assert first["id"] == f"{database.epoch}:{database.last}"
    assert page.take(Events(web.base).message())
    assert page.document == peer.message()["data"] == database.documents[database.last]
    database.append(2)
    assert events.message() == peer.message()


def test_a_burst_ends_in_equal_state(web: Web, database: Database) -> None:
    events, page = Events(web.base), Follower()
    page.take(events.message())
    for net in range(200):
        last = database.append(net, trading={f"m{net % 9}": net})
    while page.seq < last:
        assert page.take(events.message())
    assert page.document == database.documents[last]


def test_a_stream_resumes_by_its_last_event_id(web: Web, database: Database) -> None:
    held, last = database.last, database.append(2)
    eventually(lambda: web.get("/api/pnl/current").json()["seq"] == last)
    message = Events(web.base, last=f"{database.epoch}:{held}").message()
    assert (message["type"], message["prev"], message["recovered"]) == ("delta", held, True)
    message = Events(web.base, f"?epoch={database.epoch}&after={last}").message()
    assert message["type"] == "beat"
    # A browser that reconnects repeats its first address; the newer position is the header's.
    message = Events(web.base, f"?epoch={database.epoch}&after={held}", f"{database.epoch}:{last}")
    assert message.message()["type"] == "beat"


def test_a_stream_that_cannot_be_resumed_begins_anew(standing: Web) -> None:
    message = Events(standing.base, last="nonsense").message()
    assert (message["type"], message["recovered"]) == ("snapshot", False)


def test_streams_hear_bye_before_the_process_ends(fresh: Web) -> None:
    streams = [Events(fresh.base) for _ in range(10)]
    for events in streams:
        events.message()
    assert fresh.stop() == 0
    for events in streams:
        bye = events.message()
        assert (bye["type"], bye["code"]) == ("bye", "shutdown")
        with pytest.raises(EOFError):
            events.event()


def test_a_stream_that_is_never_read_is_cut(start: Callable[..., Web], database: Database) -> None:
    database.append(0)
    web = start(pace={"stall": 0.5, "spacing": 0.02})
    deaf = Stream(web.port, receive_buffer=4096)
    deaf.sock.sendall(b"GET /api/pnl/stream HTTP/1.1\r\nHost: x\r\n\r\n")
    events, page = Events(web.base), Follower()
    page.take(events.message())
    net = 0
    while web.metric('northstar_clients_cut_total{reason="slow"}') == 0:
        net += 1
        seq = database.append(net, alerts=[{"id": str(net), "title": "t" * 30_000}])
        while page.seq < seq:
            assert page.take(events.message())
    eventually(lambda: web.metric('northstar_clients{transport="sse"}') == 1)


def test_a_peer_that_leaves_gives_its_place_back(
    start: Callable[..., Web], database: Database
) -> None:
    database.append(0)
    web = start(max_clients=1)
    for _ in range(3):
        peer = Stream(web.port)
        peer.sock.sendall(b"GET /api/pnl/stream HTTP/1.1\r\nHost: x\r\n\r\n")
        assert peer.until(b"\r\n").startswith(b"HTTP/1.1 200")
        peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        eventually(lambda: web.metric('northstar_clients{transport="sse"}') == 0)


def test_a_talkative_peer_is_ended(standing: Web) -> None:
    peer = Stream(standing.port)
    peer.sock.sendall(b"GET /api/pnl/stream HTTP/1.1\r\nHost: x\r\n\r\n")
    peer.until(b"\n\n")
    peer.sock.sendall(b"x" * (65 * 1024))
    assert peer.ended()


def test_asking_for_the_head_only_opens_no_stream(standing: Web) -> None:
    answer = requests.head(f"{standing.base}/api/pnl/stream", timeout=20)
    assert (answer.status_code, answer.headers["Content-Type"]) == (
        200,
        "text/event-stream; charset=utf-8",
    )
