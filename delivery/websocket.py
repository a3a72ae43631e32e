"""The live document over WebSocket: `/ws/pnl`."""

import binascii
from base64 import b64decode
from operator import attrgetter
from time import monotonic
from typing import Any, NoReturn

from flask import Blueprint, Flask, g, request
from flask_sock import Sock
from wsproto import WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage

from delivery import frames, query
from delivery.client import Client, Wire
from delivery.errors import BadHandshake
from delivery.hub import Hub
from delivery.messages import bye

ROUTE = "/ws/pnl"
WIRE = Wire("ws", attrgetter("frame"), frames.close, frames.PING)
LARGEST = 64 * 1024
MOST_A_MINUTE = 100

_TOO_BIG, _POLICY = 1009, 1008
_NO_STATUS = 1005
_KEY_BYTES = 16
_MINUTE = 60.0


class Unstarted:
    """Stands in for simple-websocket's reading thread: the hub's listener reads instead."""

    name = ""

    def __init__(self, target: object) -> None:
        """Take what a thread takes."""

    def start(self) -> None:
        """Do nothing."""


class Inbound:
    """What one peer sends: nothing is asked of it, so it may say little and only by the rules."""

    def __init__(self, client: Client, parser: WSConnection) -> None:
        """Listen for `client` through the connection that made the handshake."""
        self._client, self._parser = client, parser
        self._deaf = False
        self._length = 0
        self._count, self._minute = 0, monotonic()

    def __call__(self, data: bytes) -> bool:
        """Take bytes; False once the peer has said goodbye."""
        if self._deaf:
            return True
        self._parser.receive_data(data)
        return all(self._heard(event) for event in self._parser.events())

    def _heard(self, event: Event) -> bool:
        if isinstance(event, CloseConnection):
            return self._goodbye(event)
        if not self._client.closing and isinstance(event, Ping | TextMessage | BytesMessage):
            self._weigh(event)
        return True

    def _goodbye(self, event: CloseConnection) -> bool:
        if self._parser.state is ConnectionState.OPEN:
            # The parser found a fault; where the next frame begins is unknown from here.
            self._deaf = True
            self._client.close(event.code, event.reason or "protocol error")
            return True
        code = None if event.code == _NO_STATUS else int(event.code)
        self._client.close(code)
        return False

    def _weigh(self, event: Ping | TextMessage | BytesMessage) -> None:
        if isinstance(event, Ping):
            self._tally()
            self._client.control(frames.pong(bytes(event.payload)))
            return
        data = event.data
        self._length += len(data.encode()) if isinstance(data, str) else len(data)
        if self._length > LARGEST:
            self._client.close(_TOO_BIG, "a message may have 64 KiB")
        if event.frame_finished:
            self._tally()
        if event.message_finished:
            self._length = 0

    def _tally(self) -> None:
        now = monotonic()
        if now - self._minute > _MINUTE:
            self._count, self._minute = 0, now
        self._count += 1
        if self._count > MOST_A_MINUTE:
            farewell = bye("too_many", "100 messages a minute are the most", 60_000)
            self._client.close(_POLICY, "too many messages", farewell)


def mount(server: Flask, hub: Hub) -> None:
    """Serve the live document to sockets that the hub admits."""
    blueprint, sock = Blueprint("websocket", __name__), Sock()
    server.config["SOCK_SERVER_OPTIONS"] = {"thread_class": Unstarted}

    @blueprint.before_request
    def enter() -> None:
        _check_handshake(request.environ)
        hub.admit()
        g.admitted = True

    @blueprint.teardown_request
    def leave(_: BaseException | None) -> None:
        if g.pop("admitted", False):
            hub.release()

    @sock.route(ROUTE, bp=blueprint)  # type: ignore[untyped-decorator] # flask-sock has no types
    def pnl(ws: Any) -> None:  # noqa: ANN401 -- simple-websocket's server
        position = query.resumed(request.args.get("epoch"), request.args.get("after"))
        # What simple-websocket says once this returns finds the socket shut down by the hub.
        hub.serve(ws.sock, WIRE, position, lambda client: Inbound(client, ws.ws))

    server.register_blueprint(blueprint)
    server.add_url_rule(ROUTE, "no_websocket", _no_handshake)


def _check_handshake(environ: dict[str, Any]) -> None:
    # Nobody may deflate: the same frame goes to every client.
    environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
    if environ.get("HTTP_SEC_WEBSOCKET_VERSION") != "13":
        raise BadHandshake("Sec-WebSocket-Version must be 13.")
    try:
        key = b64decode(environ.get("HTTP_SEC_WEBSOCKET_KEY", ""), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise BadHandshake("Sec-WebSocket-Key must be 16 bytes in base64.")


def _no_handshake() -> NoReturn:
    raise BadHandshake("This is a WebSocket: send Connection: Upgrade and Upgrade: websocket.")
