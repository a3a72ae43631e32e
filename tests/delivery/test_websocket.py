"""The live document over WebSocket, byte by byte."""

import json
import random
import socket
import struct
from collections.abc import Callable
from decimal import Decimal

import pytest
import websocket

from storage import text
from tests.delivery.conftest import Database, Web, eventually
from tests.delivery.peers import CLOSE, PING, PONG, TEXT, Follower, Socket

BIG = {"alerts": [{"id": "a", "title": "t" * 30_000}]}


def test_the_first_message_is_the_head(web: Web, database: Database) -> None:
    seq = database.append(Decimal("-1234.560001"))
    eventually(lambda: web.get("/api/pnl/current").json()["seq"] == seq)
    first = Socket(web.port).message()
    assert first["type"] == "snapshot"
    assert first["epoch"] == database.epoch
    assert first["data"] == database.documents[seq]
    assert "recovered" not in first


def test_a_public_client_library_agrees(web: Web, database: Database) -> None:
    client = websocket.create_connection(f"ws://127.0.0.1:{web.port}/ws/pnl", timeout=20)
    assert text.decode(client.recv())["data"] == database.documents[database.last]
    database.append(2)
    assert json.loads(client.recv())["type"] == "delta"
    client.close()


def test_a_new_snapshot_arrives_as_a_delta_that_gives_its_document(
    web: Web, database: Database
) -> None:
    peer, page = Socket(web.port), Follower()
    page.take(peer.message())
    for net in (Decimal("0.1"), Decimal("-7.000001")):
        seq = database.append(net, trading={"total": net})
        message = peer.message()
        assert (message["type"], message["seq"]) == ("delta", seq)
        assert message["prev"] < seq
        assert page.take(message)
        assert page.document == database.documents[seq]


def test_a_member_that_disappears_is_deleted(web: Web, database: Database) -> None:
    database.append(1, sources={"kalshi": {"status": "ok"}, "revenue": {"status": "off"}})
    peer, page = Socket(web.port), Follower()
    page.take(peer.message())
    seq = database.append(1, sources={"kalshi": {"status": "ok"}})
    while page.seq < seq:
        assert page.take(peer.message())
    assert page.document == database.documents[seq]


@pytest.mark.parametrize("seed", range(3))
def test_a_burst_with_lost_messages_ends_in_equal_state(
    start: Callable[..., Web], database: Database, seed: int
) -> None:
    database.append(0)
    web = start(pace={"silence": 0.3})
    dice = random.Random(seed)  # noqa: S311 -- a schedule, no secret
    peer, page = Socket(web.port), Follower()
    page.take(peer.message())
    for net in range(200):
        last = database.append(net, trading={dice.choice("abc"): net}, fills=net // 7)
    while page.seq < last:
        message = peer.message()
        lost = message["type"] == "delta" and dice.random() < 0.5
        if not (lost or page.take(message)):
            page.repair(web.base)
    assert page.document == database.documents[last]


def test_without_loss_a_burst_leaves_no_gap(web: Web, database: Database) -> None:
    peer, page = Socket(web.port), Follower()
    page.take(peer.message())
    for net in range(200):
        last = database.append(net, trading={f"m{net % 9}": net})
    while page.seq < last:
        assert page.take(peer.message())
    assert page.document == database.documents[last]


def test_a_client_that_holds_the_head_resumes_with_a_beat(web: Web, database: Database) -> None:
    message = Socket(web.port, f"?epoch={database.epoch}&after={database.last}").message()
    assert (message["type"], message["seq"]) == ("beat", database.last)
    assert message["age_ms"] >= 0


def test_a_client_within_the_window_resumes_with_one_delta(
    start: Callable[..., Web], database: Database
) -> None:
    for net in range(40):
        last = database.append(net, trading={f"m{net}": net})
    web = start()
    page = Follower()
    page.epoch, page.seq, page.document = database.epoch, 2, database.documents[2]
    message = Socket(web.port, f"?epoch={database.epoch}&after=2").message()
    assert (message["type"], message["prev"], message["recovered"]) == ("delta", 2, True)
    assert page.take(message)
    assert page.document == database.documents[last]


@pytest.mark.parametrize("query", ["?epoch=other&after=2", "?epoch={epoch}&after=x", "?after=1"])
def test_what_cannot_be_resumed_gets_the_whole_document(
    web: Web, database: Database, query: str
) -> None:
    message = Socket(web.port, query.format(epoch=database.epoch)).message()
    assert (message["type"], message["recovered"]) == ("snapshot", False)
    assert message["data"] == database.documents[database.last]


def test_a_client_older_than_the_window_gets_the_whole_document(
    start: Callable[..., Web], database: Database
) -> None:
    for net in range(30):
        last = database.append(net)
    database.prune(keep=10, seconds=0)
    web = start()
    message = Socket(web.port, f"?epoch={database.epoch}&after=5").message()
    assert (message["type"], message["recovered"]) == ("snapshot", False)
    assert message["data"] == database.documents[last]


def test_a_delta_larger_than_the_document_is_a_snapshot(web: Web, database: Database) -> None:
    database.append(1, filler="", **{f"gone{n}": n for n in range(200)})
    peer, page = Socket(web.port), Follower()
    page.take(peer.message())
    seq = database.append(1, filler="")
    while page.seq < seq:
        message = peer.message()
        page.take(message)
    assert message["type"] == "snapshot"
    assert page.document == database.documents[seq]


def test_a_restored_database_reaches_everyone_as_a_snapshot(fresh: Web, database: Database) -> None:
    for net in range(5):
        last = database.append(net)
    peer, page = Socket(fresh.port), Follower()
    while page.seq < last:
        page.take(peer.message())
    other = Database(database.path.with_name("other.db"))
    seq = other.append(77)
    with other.engine.connect() as source, database.engine.connect() as target:
        source.connection.driver_connection.backup(target.connection.driver_connection)
    while page.epoch != other.epoch:
        message = peer.message()
        assert message["type"] != "beat"
        page.take(message)
    assert (message["type"], page.seq) == ("snapshot", seq)
    assert page.document == other.documents[seq]
    seq = other.append(78)
    with other.engine.connect() as source, database.engine.connect() as target:
        source.connection.driver_connection.backup(target.connection.driver_connection)
    assert page.take(peer.message())
    assert page.document == other.documents[seq]
    other.close()


def test_a_client_that_never_reads_is_cut_and_delays_nobody(
    start: Callable[..., Web], database: Database
) -> None:
    database.append(0, **BIG)
    web = start(pace={"stall": 0.5, "spacing": 0.02})
    deaf = Socket(web.port, receive_buffer=4096)
    peer, page = Socket(web.port), Follower()
    page.take(peer.message())
    net = 0
    while web.metric('northstar_clients_cut_total{reason="slow"}') == 0:
        net += 1
        seq = database.append(net, alerts=[{"id": str(net), "title": "t" * 30_000}])
        while page.seq < seq:
            assert page.take(peer.message())
        assert page.document == database.documents[seq]
    eventually(lambda: web.metric('northstar_clients{transport="ws"}') == 1)
    deaf.close()


def test_a_slow_reader_misses_messages_but_no_byte_of_a_frame(
    start: Callable[..., Web], database: Database
) -> None:
    database.append(0)
    web = start(pace={"stall": 60, "spacing": 0.01})
    slow, page = Socket(web.port, receive_buffer=4096), Follower()
    page.take(slow.message())
    quick, other = Socket(web.port), Follower()
    other.take(quick.message())
    taken = 0
    for part in range(4):
        for net in range(25):
            seq = database.append(net, alerts=[{"id": f"{part}.{net}", "title": "t" * 20_000}])
            while other.seq < seq:
                assert other.take(quick.message())
        while page.seq < seq:
            assert page.take(slow.message())
            taken += 1
        assert page.document == database.documents[seq]
    assert taken < 100


def test_silence_is_filled_with_beats(start: Callable[..., Web], database: Database) -> None:
    database.append(0)
    web = start(pace={"silence": 0.05})
    peer = Socket(web.port)
    peer.message()
    beat = peer.message()
    assert set(beat) == {"type", "epoch", "seq", "sent_at", "age_ms"}


def test_a_peer_that_answers_no_ping_is_cut(start: Callable[..., Web], database: Database) -> None:
    database.append(0)
    web = start(pace={"ping": 0.1, "pong": 0.3, "sweep": 0.05})
    dead, live = Socket(web.port), Socket(web.port)
    live.message()
    while web.metric('northstar_clients_cut_total{reason="dead"}') == 0:
        opcode, payload = live.frame()
        assert opcode == PING
        live.send(PONG, payload)
    dead.message()
    while not dead.ended():
        continue
    live.send(PING, b"still here")
    while live.frame() != (PONG, b"still here"):
        live.send(PONG)


def test_everyone_hears_bye_and_1001_before_the_process_ends(fresh: Web) -> None:
    peers = [Socket(fresh.port) for _ in range(30)]
    for peer in peers:
        peer.message()
    assert fresh.stop() == 0
    byes = [peer.message() for peer in peers]
    assert {bye["type"] for bye in byes} == {"bye"}
    assert {bye["code"] for bye in byes} == {"shutdown"}
    assert len({bye["retry_ms"] for bye in byes}) > 10
    assert {peer.closed() for peer in peers} == {1001}


def test_a_close_is_answered_with_its_own_code(standing: Web) -> None:
    peer = Socket(standing.port)
    peer.send(CLOSE, struct.pack("!H", 1000) + b"done")
    assert peer.closed() == 1000
    assert peer.ended()


def test_a_close_without_a_code_is_answered_without_one(standing: Web) -> None:
    peer = Socket(standing.port)
    peer.message()
    peer.send(CLOSE)
    assert peer.frame() == (CLOSE, b"")


def test_a_ping_is_answered(standing: Web) -> None:
    peer = Socket(standing.port)
    peer.message()
    peer.send(PING, b"are you there")
    assert peer.frame() == (PONG, b"are you there")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        pytest.param(b"\x81\x02hi", 1002, id="unmasked"),
        pytest.param(b"\xc1\x80abcd", 1002, id="reserved bit"),
        pytest.param(b"\x83\x80abcd", 1002, id="reserved opcode"),
        pytest.param(b"\x89\xfe\x00\x7eabcd", 1002, id="oversized control"),
        pytest.param(b"\x09\x80abcd", 1002, id="fragmented control"),
        pytest.param(b"\x81\x81\x00\x00\x00\x00\xff", 1007, id="bad UTF-8"),
        pytest.param(b"\x81\xff" + b"\xff" * 8 + b"abcd", 1002, id="2^64 length"),
    ],
)
def test_a_broken_frame_ends_with_its_code(standing: Web, sent: bytes, code: int) -> None:
    peer = Socket(standing.port)
    peer.message()
    peer.sock.sendall(sent)
    assert peer.closed() == code
    assert peer.ended()


def test_a_message_over_64_kib_is_too_big(standing: Web) -> None:
    peer = Socket(standing.port)
    peer.message()
    peer.send(TEXT, b"x" * (64 * 1024))
    peer.send(PING)
    assert peer.frame()[0] == PONG
    peer.send(TEXT, b"x" * (64 * 1024 + 1))
    assert peer.closed() == 1009


def test_more_than_100_messages_a_minute_are_too_many(standing: Web) -> None:
    peer = Socket(standing.port)
    peer.message()
    for _ in range(101):
        peer.send(TEXT, b"hello")
    bye = peer.message()
    assert (bye["type"], bye["code"]) == ("bye", "too_many")
    assert peer.closed() == 1008


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-WebSocket-Version": ""},
        {"Sec-WebSocket-Version": "8"},
        {"Sec-WebSocket-Key": ""},
        {"Sec-WebSocket-Key": "c2hvcnQ="},
        {"Upgrade": ""},
        {"Connection": "close"},
    ],
)
def test_a_bad_handshake_is_refused_with_400(standing: Web, headers: dict[str, str]) -> None:
    peer = Socket(standing.port, headers=headers)
    assert (peer.status, peer.headers["content-type"]) == (400, "application/problem+json")
    assert peer.problem()["status"] == 400


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_a_foreign_origin_is_refused_before_the_upgrade(standing: Web, origin: str) -> None:
    peer = Socket(standing.port, headers={"Origin": origin})
    assert peer.status == 403
    assert "ALLOWED_ORIGINS" in peer.problem()["detail"]


@pytest.mark.parametrize("origin", ["http://127.0.0.1:{port}", "https://PNL.example.com:443", ""])
def test_our_own_and_allowed_origins_come_in(standing: Web, origin: str) -> None:
    assert (
        Socket(standing.port, headers={"Origin": origin.format(port=standing.port)}).status == 101
    )


def test_nobody_may_deflate(standing: Web) -> None:
    peer = Socket(standing.port, headers={"Sec-WebSocket-Extensions": "permessage-deflate"})
    assert peer.status == 101
    assert "sec-websocket-extensions" not in peer.headers
    assert peer.message()["type"] == "snapshot"


def test_who_finds_no_place_is_told_when_to_come_back(
    start: Callable[..., Web], database: Database
) -> None:
    database.append(0)
    web = start(max_clients=2)
    first, second = Socket(web.port), Socket(web.port)
    refused = Socket(web.port)
    assert (refused.status, refused.headers["retry-after"]) == (503, "5")
    assert refused.problem()["status"] == 503
    assert web.get("/api/pnl/stream").status_code == 503
    assert web.get("/api/pnl/current").ok
    first.close()
    eventually(lambda: Socket(web.port).status == 101)
    second.close()


def test_before_the_first_snapshot_a_socket_is_asked_to_come_back(
    start: Callable[..., Web], database: Database
) -> None:
    web = start()
    refused = Socket(web.port)
    assert refused.status == 503
    assert "retry-after" in refused.headers
    seq = database.append(1)
    eventually(lambda: web.get("/api/pnl/current").ok)
    assert Socket(web.port).message()["seq"] == seq


def test_a_reset_in_the_middle_disturbs_nobody(fresh: Web, database: Database) -> None:
    rude, peer, page = Socket(fresh.port), Socket(fresh.port), Follower()
    page.take(peer.message())
    rude.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    rude.close()
    for net in range(5):
        last = database.append(net)
    while page.seq < last:
        assert page.take(peer.message())
    eventually(lambda: fresh.metric('northstar_clients{transport="ws"}') == 1)
