"""The live document by polling: `/api/pnl/current`, also the repair of any gap."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Flask, Response, request
from werkzeug.http import parse_etags

from delivery import auth, query
from delivery.hub import Hub
from storage import text
from storage.errors import NotReady
from storage.reader import Head

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ROUTE = "/api/pnl/current"
JSON = "application/json"


def mount(server: Flask, hub: Hub) -> None:
    """Serve the newest document, or what a caller who holds an older one lacks."""

    def current() -> Response:
        position = query.position(request.args)
        if position is None:
            # Plain requests come here only while there is nothing to answer with.
            raise NotReady
        return _missed(hub, position)

    server.add_url_rule(ROUTE, "current", current)
    server.wsgi_app = Prebuilt(server.wsgi_app, hub)  # type: ignore[method-assign] # Flask's own way


class Prebuilt:
    """Answers for the newest document with its stored bytes, before Flask looks at the request.

    What needs more (a position, an error, the time before the first snapshot) goes on to Flask.
    """

    def __init__(self, inner: "WSGIApplication", hub: Hub) -> None:
        """Stand in front of `inner`."""
        self._inner, self._hub = inner, hub

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer, or pass the request on."""
        head = self._head() if _is_plain(environ) else None
        if head is None:
            return self._inner(environ, start_response)
        tag = f"{head.epoch}:{head.seq}"
        headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache", **auth.hardening()}
        if parse_etags(environ.get("HTTP_IF_NONE_MATCH")).contains_weak(tag):
            start_response(_line(HTTPStatus.NOT_MODIFIED), list(headers.items()))
            return []
        headers |= {"Content-Type": JSON, "Content-Length": str(len(head.text))}
        start_response(_line(HTTPStatus.OK), list(headers.items()))
        return [head.text] if environ["REQUEST_METHOD"] == "GET" else []

    def _head(self) -> Head | None:
        try:
            return self._hub.history.head
        except NotReady:
            return None


def _is_plain(environ: "WSGIEnvironment") -> bool:
    if environ["PATH_INFO"] != ROUTE or environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
        return False
    asked = environ["QUERY_STRING"]
    return "epoch" not in asked and "after" not in asked


def _line(status: HTTPStatus) -> str:
    return f"{status.value} {status.phrase}"


def _missed(hub: Hub, position: query.Position) -> Response:
    message, head = hub.answer(position), hub.history.head
    tail = text.encode({"epoch": head.epoch, "seq": head.seq})[1:]
    body = b'{"messages":[%b],%b' % (message.body, tail)
    return Response(body, content_type=JSON, headers={"Cache-Control": "no-store"})
