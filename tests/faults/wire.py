"""A server of raw sockets: it answers as told, to the byte, and notes what it was asked."""

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that lets close() send a reset."""

PHRASES = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True)
class Request:
    """One request as it came: method, path, query members in order, headers by lower-case name."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]

    def arg(self, name: str) -> str:
        """Return a query member, "" when absent."""
        return dict(self.query).get(name, "")

    def args(self, name: str) -> list[str]:
        """Return every query member of a name."""
        return [value for key, value in self.query if key == name]


@dataclass(frozen=True)
class Reply:
    """One answer: a body that is no bytes is written as JSON; `after` is what follows it."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        """Return the body's bytes."""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body).encode()

    def head(self, length: int, now: int) -> bytes:
        """Return status line and headers of a body of `length` bytes, at `now` µs."""
        named = {
            "Date": formatdate(now // 1_000_000, usegmt=True),
            "Content-Type": "application/json",
            "Content-Length": str(length),
            **self.headers,
        }
        reason = PHRASES.get(self.status, "Overloaded")
        lines = [f"HTTP/1.1 {self.status} {reason}", *(f"{k}: {v}" for k, v in named.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


@dataclass(frozen=True)
class Act:
    """What happens on the socket: these bytes, a pause before each, then how it goes on."""

    chunks: Iterable[bytes]
    pause: float = 0.0
    close: bool = False
    reset: bool = False


def told(reply: Reply, now: int) -> Act:
    """Return the plain delivery of an answer."""
    content = reply.content()
    return Act([reply.head(len(content), now) + content])


class Site(Protocol):
    """What a server stands for."""

    def act(self, request: Request) -> Act:
        """Return what a request comes to."""
        ...


class Server:
    """One port that serves a site; every connection has a thread of its own."""

    def __init__(self, site: Site, tls: ssl.SSLContext | None = None) -> None:
        """Listen at once."""
        self.seen: list[Request] = []
        self.connections = 0
        self._site = site
        self._tls = tls
        self._closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._listen(self._listener)

    def url(self, host: str = "127.0.0.1") -> str:
        """Return the server's root."""
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    def leave(self) -> None:
        """Refuse every connection, and drop those there are."""
        _shut(self._listener)
        for connection in list(self._open):
            _shut(connection)

    def come_back(self) -> None:
        """Listen on the same port again."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._listen(self._listener)

    def close(self) -> None:
        """End for good."""
        self._closing.set()
        self.leave()

    def _listen(self, listener: socket.socket) -> None:
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        connection = plain
        self._open.add(plain)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                connection = self._tls.wrap_socket(plain, server_side=True)
            with connection.makefile("rb") as stream:
                while self._exchange(connection, stream):
                    pass
        except OSError:
            pass
        finally:
            self._open.discard(plain)
            _shut(connection)

    def _exchange(self, connection: socket.socket, stream: Any) -> bool:
        request = _read(stream)
        if request is None:
            return False
        self.seen.append(request)
        act = self._site.act(request)
        for chunk in act.chunks:
            if self._closing.wait(act.pause) if act.pause else self._closing.is_set():
                return False
            connection.sendall(chunk)
        if act.reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            connection.close()
        return not (act.close or act.reset)


def _read(stream: Any) -> Request | None:
    first = stream.readline().decode("latin-1").split()
    if len(first) != 3:
        return None
    headers: dict[str, str] = {}
    while line := stream.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    stream.read(int(headers.get("content-length", "0")))
    url = urlsplit(first[1])
    return Request(first[0], url.path, tuple(parse_qsl(url.query, keep_blank_values=True)), headers)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        connection.close()


Misdeed = Callable[[Request, Reply], Act]
"""What becomes of an answer on its way."""
