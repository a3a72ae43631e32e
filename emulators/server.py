"""A small HTTP/1.1 server: one function from request to reply behind each port."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from socket import socket
from sys import exc_info
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from emulators.world.faults import Faults


@dataclass(frozen=True, slots=True)
class Request:
    """What came in: `path` without the query, `query` as lists of texts."""

    method: str
    path: str
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    body: bytes = b""
    peer: str = ""

    def one(self, name: str, default: str = "") -> str:
        """Return the last value of a query name."""
        return self.query.get(name, [default])[-1]

    def header(self, name: str) -> str:
        """Return a header by its lower-case name, "" when it is missing."""
        return self.headers.get(name, "")


Upgraded = Callable[[socket, BufferedIOBase], None]
"""Speaks another protocol over a connection until it ends; the stream reads what comes in."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes out: a status and a body that becomes JSON; `upgraded` takes over after a 101."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    upgraded: Upgraded | None = None


Service = Callable[[Request], Reply]


class Server(ThreadingHTTPServer):
    """One port in a thread of its own; a thread per connection."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, host: str, port: int, service: Service) -> None:
        """Bind now, so that the port is known; OSError when it is taken."""
        self.service = service
        super().__init__((host, port), _Handler)

    @property
    def authority(self) -> str:
        """Host and port as a URL names them."""
        return f"{self.server_address[0]!s}:{self.server_port}"

    def begin(self, poll: float = 0.5) -> None:
        """Serve until the process ends or `shutdown`, which takes `poll` seconds at most."""
        Thread(target=self.serve_forever, args=(poll,), daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the base's words
        """Say nothing about a client that went away."""
        if not isinstance(exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def troubled(source: str, faults: Faults, service: Service) -> Service:
    """Return the service with the faults of its source in front."""

    def answer(request: Request) -> Reply:
        if faults.latency[source]:
            time.sleep(faults.latency[source] / 1_000)
        status = faults.down[source]
        if status:
            return Reply(
                status, {"error": {"code": "service_unavailable", "message": "on purpose"}}
            )
        return service(request)

    return answer


class _Handler(BaseHTTPRequestHandler):
    """Speaks HTTP for a service: keep-alive, no Nagle, head and body in one write."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "emulator"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = 1 << 20
    timeout = 120

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        url = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=unquote(url.path),
            query=parse_qs(url.query, keep_blank_values=True),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
            peer=str(self.client_address[0]),
        )
        reply = self.server.service(request)
        if reply.upgraded:
            self._upgrade(reply, reply.upgraded)
        else:
            self._send(reply)

    do_GET = do_POST = _answer  # noqa: N815 - http.server looks for these names

    def _upgrade(self, reply: Reply, upgraded: Upgraded) -> None:
        self.close_connection = True
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.flush()
        upgraded(self.connection, self.rfile)

    def _send(self, reply: Reply) -> None:
        body = b"" if reply.body is None else json.dumps(reply.body, separators=(",", ":")).encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - the base's words
        """Write no log: the tests read what is printed."""
