"""Errors: what delivery refuses, and the one place that maps it to HTTP (RFC 9457).

Refusal
├── Invalid       a parameter is wrong: 400, names the field and the remedy
├── BadHandshake  the request is no WebSocket handshake: 400
├── Forbidden     the page's origin may neither write nor open live connections: 403
├── Absent        there is no such thing: 404
├── TooLarge      the body is larger than allowed: 413
├── Unsupported   the body is of another type: 415
├── KeyReused     the Idempotency-Key was given to another command: 422
├── Full          every place of this web process is taken: 503 + Retry-After
├── Closing       this web process is about to end: 503 + Retry-After
├── Busy          the database takes no command at the moment: 503 + Retry-After
└── Unfit         the database cannot be read or its figures are old: 503 + Retry-After
"""

import logging
from http import HTTPStatus
from typing import Any, ClassVar

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from storage import text
from storage.errors import NotReady

PROBLEM = "application/problem+json"
MACHINE = ("/api/", "/ws/", "/healthz", "/readyz", "/metrics")
"""Paths that answer machines: their errors are problem+json, their responses hardened."""

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_log = logging.getLogger(__name__)


class Refusal(Exception):
    """The request is refused; the text says why and what to do."""

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST
    headers: ClassVar[dict[str, str]] = {}

    @property
    def members(self) -> dict[str, Any]:
        """Further members of the problem document."""
        return {}


class Invalid(Refusal):
    """A parameter is wrong."""

    def __init__(self, field: str, remedy: str) -> None:
        """Name the parameter and what it must be."""
        super().__init__(f"{field} {remedy}")
        self.field = field

    @property
    def members(self) -> dict[str, Any]:
        """The parameter's name."""
        return {"field": self.field}


class BadHandshake(Refusal):
    """The request is no WebSocket handshake of version 13."""

    headers: ClassVar[dict[str, str]] = {"Sec-WebSocket-Version": "13"}


class Forbidden(Refusal):
    """The page's origin may neither write nor open live connections."""

    status = HTTPStatus.FORBIDDEN


class Absent(Refusal):
    """There is no such thing."""

    status = HTTPStatus.NOT_FOUND


class TooLarge(Refusal):
    """The body is larger than allowed."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class Unsupported(Refusal):
    """The body is of another type than the route takes."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class KeyReused(Refusal):
    """The Idempotency-Key was given to another command before."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    @property
    def members(self) -> dict[str, Any]:
        """The header's name."""
        return {"field": "Idempotency-Key"}


class Full(Refusal):
    """Every place of this web process is taken."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    headers: ClassVar[dict[str, str]] = {"Retry-After": "5"}


class Closing(Refusal):
    """This web process is about to end."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    headers: ClassVar[dict[str, str]] = {"Retry-After": "1"}


class Busy(Refusal):
    """The database takes no command at the moment."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    headers: ClassVar[dict[str, str]] = {"Retry-After": "2"}


class Unfit(Refusal):
    """The database cannot be read, or its figures are old."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    headers: ClassVar[dict[str, str]] = {"Retry-After": "5"}


def mount(server: Flask) -> None:
    """Answer every error of a machine's path with problem+json, unknown paths too."""
    server.register_error_handler(Refusal, _refused)
    server.register_error_handler(NotReady, _not_ready)
    server.register_error_handler(HTTPException, _http)
    server.register_error_handler(Exception, _fault)
    for root in ("/api/", "/ws/"):
        # A page router may own every other path; here, what is unknown stays unknown.
        server.add_url_rule(
            f"{root}<path:rest>", _absent.__name__ + root, _absent, methods=_METHODS
        )


def problem(
    status: HTTPStatus,
    detail: str,
    headers: dict[str, str] | None = None,
    **members: Any,  # noqa: ANN401 -- members of a JSON document
) -> Response:
    """Return one RFC 9457 document."""
    body = {"type": "about:blank", "title": status.phrase, "status": status.value}
    body |= {"detail": detail, "instance": request.path, **members}
    return Response(text.encode(body), status.value, headers, content_type=PROBLEM)


def _refused(error: Refusal) -> Response:
    return problem(error.status, str(error), error.headers, **error.members)


def _not_ready(_: NotReady) -> Response:
    detail = "There is no snapshot yet; the first one follows the start of the worker."
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": "2"})


def _http(error: HTTPException) -> Any:  # noqa: ANN401 -- the page's own answer passes through
    if not request.path.startswith(MACHINE) or error.code is None:
        return error
    kept = {k: v for k, v in error.get_headers() if k in {"Allow", "Retry-After", "Location"}}
    return problem(HTTPStatus(error.code), error.description or "", kept)


def _fault(error: Exception) -> Response:
    _log.error("request failed: %s", request.path, exc_info=error)
    detail = "The server failed to answer; its log has the reason."
    if request.path.startswith(MACHINE):
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail)
    return Response(detail, HTTPStatus.INTERNAL_SERVER_ERROR.value, mimetype="text/plain")


def _absent(rest: str) -> Response:
    del rest
    allowed = [method for method in _METHODS if _serves(method)]
    if allowed:
        raise MethodNotAllowed(allowed)
    raise NotFound


def _serves(method: str) -> bool:
    adapter = current_app.url_map.bind("")
    try:
        rule, _ = adapter.match(request.path, method=method, return_rule=True)
    except HTTPException:
        return False
    return not rule.endpoint.startswith(_absent.__name__)
