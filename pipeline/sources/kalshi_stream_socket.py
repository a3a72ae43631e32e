"""One WebSocket connection: opened in a bounded time, read in bounded messages, kept awake."""

import json
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import websocket
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from pipeline.sources.backoff import date
from pipeline.sources.source import Deadline

OPEN_SECONDS = 10.0
LARGEST = 1024 * 1024
"""Bytes of one message, or of the answer to the handshake."""

PING_SECONDS = 5.0
SILENT_SECONDS = 15.0
"""Without any frame for so long, answers to our pings among them, the connection is dead."""

_PORTS = {"ws": 80, "wss": 443}


class Ended(RuntimeError):
    """The connection could not be opened or is no more; says why."""


class Rejected(Ended):
    """The handshake was answered by something else than an upgrade.

    `status` is HTTP's, `body` the beginning of what was said, `date` the upstream's clock, µs.
    """

    def __init__(self, status: int, body: str, at: int | None) -> None:
        """Name the status."""
        super().__init__(f"stream refused {status}")
        self.status = status
        self.body = body
        self.date = at


class Socket:
    """A connection; `receive` is called by one thread, `abort` by any."""

    def __init__(
        self, url: str, headers: Mapping[str, str], monotonic: Callable[[], float]
    ) -> None:
        """Connect and shake hands; Ended when that fails, Rejected when it is refused."""
        self._monotonic = monotonic
        deadline = Deadline.after(OPEN_SECONDS, monotonic)
        self._wire = _Wire(url, deadline)
        self._socket = websocket.WebSocket(skip_utf8_validation=True)
        with _told(self._wire):
            self._shake(url, headers)
        self._wire.upgraded()
        self._seen = self._pinged = monotonic()

    def _shake(self, url: str, headers: Mapping[str, str]) -> None:
        try:
            # On a socket of our own, no proxy of the machine and no other host gets the headers.
            self._socket.connect(  # type: ignore[no-untyped-call]  # typed in part
                url,
                socket=self._wire,
                header=dict(headers),
                suppress_origin=True,
                redirect_limit=0,
            )
        except websocket.WebSocketException:
            answer = self._socket.handshake_response
            if answer is not None:
                raise Rejected(answer.status, "", None) from None
            raise

    def receive(self, seconds: float) -> bytes | None:
        """Return the next message, None when none came in `seconds`; Ended when none ever will."""
        self._keep_awake()
        with _told(self._wire):
            self._wire.settimeout(seconds)
            try:
                kind, frame = self._socket.recv_data_frame(control_frame=True)
            except websocket.WebSocketTimeoutException:
                self._make_sure()
                return None
        self._seen = self._monotonic()
        if kind == websocket.ABNF.OPCODE_CLOSE:
            raise Ended(f"the exchange closed the stream ({_reason(frame.data)})")
        if kind not in {websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY}:
            return None
        self._wire.allow(LARGEST)
        return bytes(frame.data)

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message; Ended when it cannot be."""
        with _told(self._wire):
            self._wire.settimeout(OPEN_SECONDS)
            self._socket.send(json.dumps(message))

    def abort(self) -> None:
        """Let whoever waits for a message go, at once."""
        self._wire.abort()

    def close(self) -> None:
        """Say goodbye without waiting for an answer."""
        with suppress(OSError, websocket.WebSocketException):
            self._wire.settimeout(0.5)
            self._socket.close(timeout=0)
        self._wire.close()

    def _keep_awake(self) -> None:
        now = self._monotonic()
        if now - self._pinged >= PING_SECONDS:
            self._pinged = now
            with _told(self._wire):
                self._socket.ping()

    def _make_sure(self) -> None:
        if self._monotonic() - self._seen >= SILENT_SECONDS:
            raise Ended(f"the stream was silent for {SILENT_SECONDS:.0f} s")


class _Wire:
    """A socket that gives only so many bytes until it is allowed more."""

    def __init__(self, url: str, deadline: Deadline) -> None:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        self._deadline: Deadline | None = deadline
        self._left = LARGEST
        try:
            self._socket = socket.create_connection((host, port), deadline.remaining())
        except OSError as error:
            raise Ended(f"the stream found no connection ({error})") from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if parts.scheme == "wss":
            self._secure(host)

    def _secure(self, host: str) -> None:
        trusted = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
        try:
            self._socket = trusted.wrap_socket(self._socket, server_hostname=host)
        except (OSError, ValueError) as error:
            self._socket.close()
            raise Ended(f"the stream found no connection to trust ({error})") from error

    def upgraded(self) -> None:
        """End the handshake: no deadline, and a message's worth of bytes."""
        self._deadline = None
        self.allow(LARGEST)

    def allow(self, size: int) -> None:
        """Give `size` bytes from here on."""
        self._left = size

    def recv(self, size: int) -> bytes:
        """Return what is there, as a socket does; Ended beyond what is allowed."""
        if self._deadline is not None:
            # A timeout alone begins again with each byte that drips in.
            self._socket.settimeout(self._deadline.remaining() or 0.001)
        chunk = self._socket.recv(size)
        self._left -= len(chunk)
        if self._left < 0:
            raise Ended(f"the stream sent more than {LARGEST} bytes at once")
        return chunk

    def abort(self) -> None:
        """Wake whoever waits on it."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever a socket has)
        return getattr(self._socket, name)


@contextmanager
def _told(wire: _Wire) -> Iterator[None]:
    """Turn what the library and the socket raise into Ended, the connection closed."""
    try:
        yield
    except websocket.WebSocketBadStatusException as error:
        wire.close()
        raise _rejected(error) from error
    except (websocket.WebSocketException, OSError, ValueError) as error:
        wire.close()
        raise Ended(f"the stream broke off ({type(error).__name__}: {error})") from error
    except Ended:
        wire.close()
        raise


def _rejected(error: websocket.WebSocketBadStatusException) -> Rejected:
    headers = error.resp_headers or {}
    said = (error.resp_body or b"")[:4096].decode("utf-8", "replace")
    return Rejected(error.status_code, said, date(headers.get("date", "")))


def _reason(content: bytes) -> str:
    code = int.from_bytes(content[:2], "big") if len(content) >= 2 else 1005  # noqa: PLR2004 (RFC 6455's)
    return f"{code} {content[2:].decode('utf-8', 'replace')}".strip()
