"""Frames, read back by another implementation."""

import pytest
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import CloseConnection, Event, Ping, Pong, TextMessage

from delivery import frames


def heard(data: bytes) -> list[Event]:
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(data)
    return list(client.events())


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70000])
def test_a_text_of_any_size_is_one_final_frame(size: int) -> None:
    (event,) = heard(frames.text(b"x" * size))
    assert isinstance(event, TextMessage)
    assert (event.data, event.message_finished) == ("x" * size, True)


def test_ping_and_pong_carry_their_payload() -> None:
    assert heard(frames.PING) == [Ping(payload=bytearray())]
    assert heard(frames.pong(b"abc")) == [Pong(payload=bytearray(b"abc"))]


def test_a_close_carries_code_and_reason() -> None:
    assert heard(frames.close(1001, "shutdown")) == [CloseConnection(1001, "shutdown")]


def test_a_close_without_a_code_is_empty() -> None:
    assert heard(frames.close(None)) == [CloseConnection(1005, "")]


def test_a_long_reason_still_fits_a_control_frame() -> None:
    (event,) = heard(frames.close(1002, "r" * 400))
    assert isinstance(event, CloseConnection)
    assert event.reason == "r" * 123
