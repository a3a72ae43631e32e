"""One connected socket, written to without waiting, over a real socket pair."""

from collections.abc import Iterator
from operator import attrgetter
from time import monotonic
from typing import Any

import gevent
import pytest
from gevent import socket
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage

from delivery import frames, messages
from delivery.client import Client, Wire
from delivery.messages import Message
from delivery.pace import Pace
from storage import text
from storage.reader import Head

WS = Wire("ws", attrgetter("frame"), frames.close, frames.PING)
SSE = Wire("sse", attrgetter("event"), lambda _code, _reason: b"")
PACE = Pace()


def snapshot(seq: int, size: int = 50_000) -> Message:
    return messages.snapshot(Head("e", seq, 0, text.encode({"filler": "x" * size})), 0)


def delta(seq: int, prev: int) -> Message:
    return messages.delta(Head("e", seq, 0, b"{}"), prev, b'{"seq":%d}' % seq, 0)


class Line:
    """A client, the other end of its socket, and what that end understood."""

    def __init__(self, wire: Wire) -> None:
        """Connect both ends."""
        ours, self.theirs = socket.socketpair()
        self.repaired: list[int] = []
        self.client = Client(ours, wire, self._repair)
        self.ours = ours
        self._parser = Connection(ConnectionType.CLIENT)

    def _repair(self, seq: int) -> Message:
        self.repaired.append(seq)
        return snapshot(100, 10)

    def fill(self) -> int:
        """Push until the socket takes no more; return the seq that did not fit."""
        self.client.begin(b"", snapshot(1))
        seq = 1
        while not self.client.verdict(monotonic() + PACE.stall + 1, PACE):
            seq += 1
            self.client.push(snapshot(seq))
        return seq

    def read(self) -> bytes:
        """Return everything that arrives until nothing is left to write."""
        found = b""
        self.theirs.settimeout(0.1)
        while True:
            try:
                part = self.theirs.recv(1 << 20)
            except TimeoutError:
                return found
            if not part:
                return found
            found += part

    def events(self) -> list[Event]:
        """Return the whole messages that arrived; fails on any broken frame."""
        self._parser.receive_data(self.read())
        return [e for e in self._parser.events() if getattr(e, "message_finished", True)]

    def close(self) -> None:
        """Close both ends."""
        self.client.drop()
        self.ours.close()
        self.theirs.close()


@pytest.fixture
def line() -> Iterator[Line]:
    found = Line(WS)
    yield found
    found.close()


def kinds(events: list[Event]) -> list[type[Any]]:
    assert BytesMessage not in map(type, events)
    return [type(event) for event in events]


def test_a_socket_with_room_takes_each_message_at_once(line: Line) -> None:
    line.client.begin(b"", snapshot(1, 10))
    line.client.push(delta(2, 1))
    line.client.push(delta(3, 1))
    assert kinds(line.events()) == [TextMessage] * 3
    assert line.client.seq == 3


def test_what_a_client_already_has_is_not_sent_again(line: Line) -> None:
    line.client.begin(b"", snapshot(5, 10))
    line.client.push(delta(5, 1))
    line.client.push(delta(4, 1))
    assert kinds(line.events()) == [TextMessage]


def test_a_full_socket_gets_its_remainder_and_then_the_latest(line: Line) -> None:
    last = line.fill()
    for seq in range(last + 1, last + 20):
        line.client.push(delta(seq, last))
    events = line.events()
    assert kinds(events) == [TextMessage] * (last + 1)
    assert line.client.seq == last + 19
    assert line.repaired == []


def test_one_that_fell_behind_the_latest_is_repaired(line: Line) -> None:
    last = line.fill()
    line.client.push(delta(last + 50, last + 40))
    line.events()
    assert line.repaired == [last]
    assert line.client.seq == 100


def test_a_beat_never_waits_for_a_full_socket(line: Line) -> None:
    last = line.fill()
    line.client.tell(delta(last, 0))
    assert kinds(line.events()) == [TextMessage] * last


def test_of_the_control_frames_for_a_full_socket_the_last_is_sent(line: Line) -> None:
    last = line.fill()
    line.client.control(frames.pong(b"1"))
    line.client.control(frames.pong(b"2"))
    line.client.push(delta(last + 1, last))
    events = line.events()
    assert kinds(events) == [TextMessage] * last + [Pong, TextMessage]
    assert events[last] == Pong(payload=bytearray(b"2"))


def test_bye_and_close_follow_the_remainder(line: Line) -> None:
    last = line.fill()
    line.client.push(delta(last + 1, last))
    line.client.close(1001, "shutdown", messages.bye("shutdown", "", 1))
    line.client.push(delta(last + 2, last))
    line.client.control(frames.pong(b"late"))
    line.client.tell(delta(last, 0))
    line.client.close(1008)
    events = line.events()
    assert kinds(events) == [TextMessage] * (last + 1) + [CloseConnection]
    assert b"bye" in events[last].data.encode()
    assert events[-1].code == 1001


def test_a_stream_without_a_closing_frame_ends_after_its_last_bytes() -> None:
    line = Line(SSE)
    line.client.begin(b"head\r\n\r\n", snapshot(1, 10))
    line.client.close(1001, "shutdown", messages.bye("shutdown", "", 1))
    found = line.read()
    assert found.startswith(b"head\r\n\r\nid: e:1\ndata: {")
    assert found.endswith(b'"retry_ms":1}\n\n')
    assert line.client.gone
    line.close()


def test_a_full_socket_is_slow_after_a_while(line: Line) -> None:
    line.fill()
    assert line.client.verdict(monotonic(), PACE) == ""
    assert line.client.verdict(monotonic() + PACE.stall + 1, PACE) == "slow"
    line.events()
    assert line.client.verdict(monotonic() + PACE.stall + 1, PACE) == ""


def test_a_peer_is_pinged_and_dead_without_an_answer(line: Line) -> None:
    now = monotonic()
    assert line.client.verdict(now + PACE.ping + 1, PACE) == ""
    assert kinds(line.events()) == [Ping]
    assert line.client.verdict(now + PACE.ping + 2, PACE) == ""
    assert line.client.verdict(now + PACE.ping + PACE.pong + 2, PACE) == "dead"


def test_one_that_does_not_leave_after_the_close_is_cut(line: Line) -> None:
    line.client.close(1000)
    assert line.client.verdict(monotonic(), PACE) == ""
    assert line.client.verdict(monotonic() + PACE.linger + 1, PACE) == "left"


def test_a_cut_wakes_the_reader(line: Line) -> None:
    reader = gevent.spawn(line.client.read)
    gevent.sleep(0)
    line.client.cut()
    line.client.cut()
    assert reader.get(timeout=20) == b""


def test_a_peer_that_is_gone_ends_the_client_quietly(line: Line) -> None:
    line.theirs.close()
    line.client.begin(b"", snapshot(1, 10))
    line.client.push(delta(2, 1))
    assert line.client.gone
    assert line.client.read() == b""
