"""A small HTTP server on a free port that answers what a test tells it to."""

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """One request as it came over the wire."""

    path: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    connection: int
    body: bytes = b""

    def arg(self, name: str) -> str:
        """Return a query member, "" when absent."""
        return dict(self.query).get(name, "")


@dataclass(frozen=True)
class Reply:
    """One answer; `wire` replaces everything, `pause` is seconds before each of its bytes."""

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    wire: bytes = b""
    pause: float = 0.0
    reset: bool = False

    def content(self) -> bytes:
        """Return the body's bytes; what is no text is written as JSON."""
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


Answer = Callable[[Request], Reply]
MISSING = Reply({"error": {"code": "not_found", "message": "not found"}}, 404)


class Upstream:
    """Answers by path; 404 for a path nobody described. `seen` is what was asked."""

    def __init__(self, prefix: str = "", tls: ssl.SSLContext | None = None) -> None:
        """Listen; `prefix` is part of `url` and of every path."""
        self.seen: list[Request] = []
        self.closing = threading.Event()
        self._answers: dict[str, Answer] = {}
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._prefix = prefix
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = (
            f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_address[1]}{prefix}"
        )

    def on(self, path: str, *answers: Answer | Reply) -> None:
        """Answer a path; several answers come in turn, the last one stays."""
        queue = list(answers)

        def answer(request: Request) -> Reply:
            following = queue.pop(0) if len(queue) > 1 else queue[0]
            return following if isinstance(following, Reply) else following(request)

        self._answers[self._prefix + path] = answer

    def answer(self, path: str) -> Answer:
        """Return how a path is answered, 404 unless somebody described it."""
        return self._answers.get(self._prefix + path, lambda _: MISSING)

    def asked(self, path: str) -> list[Request]:
        """Return the requests of one path."""
        return [request for request in list(self.seen) if request.path == self._prefix + path]

    @contextmanager
    def running(self) -> Iterator["Upstream"]:
        """Serve until the block ends."""
        self._thread.start()
        try:
            yield self
        finally:
            self.closing.set()
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    def reply(self, request: Request) -> Reply:
        """Note the request and return its answer."""
        self.seen.append(request)
        answer = self._answers.get(request.path)
        return answer(request) if answer else MISSING


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that hangs up is part of many a test."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qsl(url.query, keep_blank_values=True)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(url.path, query, dict(self.headers), self.client_address[1], body)
        reply = self.server.upstream.reply(request)
        if reply.reset:
            self._reset()
        elif reply.wire:
            self._drip(reply)
        else:
            self._answer(reply)

    do_POST = do_GET  # noqa: N815 (http.server looks for this name)

    def _reset(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()

    def _drip(self, reply: Reply) -> None:
        self.close_connection = True
        step = 1 if reply.pause else len(reply.wire)
        for start in range(0, len(reply.wire), step):
            if self.server.upstream.closing.wait(reply.pause):
                return
            self.wfile.write(reply.wire[start : start + step])

    def _answer(self, reply: Reply) -> None:
        content = reply.content()
        self.send_response_only(reply.status)
        for name, value in {"Date": self.date_time_string(), **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def paged(rows: str, cursor: str, every: Sequence[object], size: int) -> Answer:
    """Answer a list in pages of `size`, its cursor the offset of the next."""

    def answer(request: Request) -> Reply:
        start = int(request.arg("cursor") or request.arg("page") or 0)
        end = start + size
        return Reply({rows: every[start:end], cursor: str(end) if end < len(every) else ""})

    return answer
