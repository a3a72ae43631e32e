"""The HTTP beneath: keep-alive, one thread's trouble is nobody else's."""

import socket
from collections.abc import Iterator

import pytest

from emulators.server import Reply, Request, Server


@pytest.fixture
def server() -> Iterator[Server]:
    def echo(request: Request) -> Reply:
        if request.path == "/boom":
            raise ConnectionResetError
        seen = [request.method, request.path, request.query, request.body.decode()]
        return Reply(200, seen, {"x-more": "1"})

    one = Server("127.0.0.1", 0, echo)
    one.begin(poll=0.02)
    yield one
    one.shutdown()
    one.server_close()


def read(connection: socket.socket) -> str:
    text = b""
    while b"\r\n\r\n" not in text:
        text += connection.recv(65_536)
    head, _, body = text.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65_536)
    return (head + b"\r\n\r\n" + body).decode()


def test_one_connection_carries_many_requests(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.server_port)) as connection:
        for _ in range(3):
            connection.sendall(b"GET /a%20b?x=1&x=2&y= HTTP/1.1\r\nHost: h\r\n\r\n")
            answer = read(connection)
            assert answer.startswith("HTTP/1.1 200 OK\r\n")
            assert "Date: " in answer
            assert "x-more: 1" in answer
            assert answer.endswith('["GET","/a b",{"x":["1","2"],"y":[""]},""]')
        connection.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi")
        assert read(connection).endswith('["POST","/",{},"hi"]')


def test_a_client_that_goes_away_harms_nobody(server: Server) -> None:
    for path in (b"/boom", b"/"):
        with socket.create_connection(("127.0.0.1", server.server_port)) as connection:
            connection.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: h\r\n\r\n")
            if path == b"/":
                assert "200 OK" in read(connection)
