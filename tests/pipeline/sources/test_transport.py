"""Connections of which no read outlives its deadline."""

import socket
import threading
from typing import Any

import pytest
import requests
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from pipeline.sources.source import Deadline
from pipeline.sources.transport import BoundAdapter, connected, within
from tests.pipeline.sources.conftest import Hands
from tests.pipeline.sources.upstream import Reply, Request, Upstream


def test_each_read_has_only_the_time_that_is_left(upstream: Upstream, hands: Hands) -> None:
    """Of three seconds the upstream takes two before it answers; one is left to read in."""

    def late(_: Request) -> Reply:
        hands.seconds = 2.0
        return Reply("x" * 1_000_000)

    upstream.on("/", late)
    with requests.Session() as session, within(hands.deadline(3.0)):
        session.mount("http://", BoundAdapter())
        with session.get(upstream.url + "/", stream=True, timeout=60) as response:
            response.raw.read(500_000)
            assert response.raw.connection.sock.gettimeout() == 1.0


def reached(deadline: Deadline, look_up: Any, port: int = 9) -> socket.socket:
    """Return the socket to a host that `look_up` resolves."""
    return connected(HTTPConnection("kalshi.example", port), "kalshi.example", deadline, look_up)


def found(*addresses: tuple[str, int]) -> Any:
    """Return what a resolver says."""
    return lambda *_, **__: [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", each) for each in addresses
    ]


def test_a_resolver_that_hangs_does_not_extend_the_deadline() -> None:
    """It is left behind: the system gives no way to end it."""
    for_ever = threading.Event()
    with pytest.raises(ConnectTimeoutError, match=r"kalshi\.example was not resolved"):
        reached(Deadline.after(0.05), lambda *_, **__: for_ever.wait(60))
    for_ever.set()


@pytest.mark.parametrize("error", [socket.gaierror(-2, "unknown"), UnicodeError("label too long")])
def test_a_name_nobody_knows_is_no_broken_connection(error: Exception) -> None:
    def look_up(*_: object, **__: object) -> list[Any]:
        raise error

    with pytest.raises(NewConnectionError, match="no connection to"):
        reached(Deadline.after(5.0), look_up)


def test_each_address_is_tried_in_its_turn() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        looked_up = found(taken.getsockname(), server.getsockname())
        with reached(Deadline.after(5.0), looked_up) as connection:
            assert connection.getpeername() == server.getsockname()


def test_a_name_without_an_address_is_unreachable() -> None:
    with pytest.raises(NewConnectionError, match="it has no address"):
        reached(Deadline.after(5.0), found())
