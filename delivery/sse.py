"""The live document as Server-Sent Events: `/api/pnl/stream`."""

from collections.abc import Iterable
from operator import attrgetter
from typing import TYPE_CHECKING

from flask import Flask, Response, request

from delivery import auth, query
from delivery.client import Client, Wire
from delivery.errors import Full
from delivery.hub import Hub, Listener

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ROUTE = "/api/pnl/stream"
LARGEST = 64 * 1024

_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",
    "Connection": "close",
}


def _no_close(code: int | None, reason: str) -> bytes:
    del code, reason
    return b""


WIRE = Wire("sse", attrgetter("event"), _no_close)


class Streamed(Response):
    """A response whose bytes the hub has already written: gunicorn only closes the socket."""

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """End the request the way gunicorn's workers know."""
        del environ, start_response
        raise StopIteration


def mount(server: Flask, hub: Hub) -> None:
    """Serve the live document to streams that the hub admits."""

    def stream() -> Response:
        sock = request.environ.get("gunicorn.socket")
        if request.method == "HEAD":
            return Response(headers={**_HEADERS, **auth.hardening()})
        if sock is None:
            raise Full("This server cannot hold streams: run it by gunicorn, or poll.")
        position = query.event_id(request.headers.get("Last-Event-ID"))
        if position is None:
            position = query.resumed(request.args.get("epoch"), request.args.get("after"))
        hub.admit()
        try:
            hub.serve(sock, WIRE, position, _silent, _head())
        finally:
            hub.release()
        return Streamed()

    server.add_url_rule(ROUTE, "stream", stream)


def _head() -> bytes:
    headers = {**_HEADERS, **auth.hardening()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode()


def _silent(_: Client) -> Listener:
    taken = 0

    def listen(data: bytes) -> bool:
        nonlocal taken
        taken += len(data)
        return taken <= LARGEST

    return listen
