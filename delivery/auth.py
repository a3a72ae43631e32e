"""Who may come in: the origin of live connections and writes, and what every response forbids."""

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request

from delivery.errors import MACHINE, Forbidden

_ALLOWED = "allowed_origins"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def mount(server: Flask, allowed_origins: Collection[str] = ()) -> None:
    """Harden machine responses; let the pages of `allowed_origins` in beside our own."""
    server.extensions[_ALLOWED] = frozenset(map(_normal, allowed_origins))
    server.before_request(admit)
    server.after_request(harden)


def admit() -> None:
    """Refuse what may not be asked: the one gate before every machine path.

    Rate limits and sessions belong here, before a route does any work.
    """
    if request.path.startswith("/ws/"):
        check_origin()
    elif request.path.startswith("/api/") and request.method not in _SAFE:
        check_origin()
        check_site()


def check_origin() -> None:
    """Refuse what another site's page asks for."""
    origin = request.headers.get("Origin")
    if origin is None:
        return
    allowed: frozenset[str] = current_app.extensions[_ALLOWED]
    given = _normal(origin)
    if given not in allowed and not _own(given):
        raise Forbidden("This origin may not talk to this dashboard; add it to ALLOWED_ORIGINS.")


def check_site() -> None:
    """Refuse a write that another site's page sends, also by a name of its own for loopback."""
    allowed: frozenset[str] = current_app.extensions[_ALLOWED]
    if request.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"}:
        origin = request.headers.get("Origin")
        if origin is None or _normal(origin) not in allowed:
            raise Forbidden("Another site's page may not change anything here.")
    name = urlsplit(f"//{request.host}").hostname or ""
    if not _loopback(name) and name not in {urlsplit(origin).hostname for origin in allowed}:
        raise Forbidden(f"{name} is no name of this dashboard; add its origin to ALLOWED_ORIGINS.")


def editor() -> str:
    """Return who may change deals by this request: `local`, who has every role on loopback."""
    return "local"


def _loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def harden(response: Response) -> Response:
    """Add what no browser may do with a machine's response."""
    if request.path.startswith(MACHINE):
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def hardening() -> dict[str, str]:
    """Return the headers for what is answered without Flask."""
    return dict(_HEADERS)


def _own(origin: str) -> bool:
    # The scheme is not compared: a proxy in front may have ended TLS.
    scheme = urlsplit(origin).scheme
    return scheme in _DEFAULT_PORTS and origin == _normal(f"{scheme}://{request.host}")


def _normal(origin: str) -> str:
    try:
        parts = urlsplit(origin.strip().lower())
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return "null"
    return f"{parts.scheme}://{parts.hostname}:{port}"
