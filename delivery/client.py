"""Client: one connected socket that is written to without ever waiting for it."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

import gevent

from delivery.messages import Message
from delivery.pace import Pace

_FLAGS = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL
_RESET = b"\x01\x00\x00\x00\x00\x00\x00\x00"
_KERNEL_BUFFER = 1 << 16
_PEER_TIMEOUT_MS = 20_000
_READ = 4096

Repair = Callable[[int], Message]
"""Returns the one message that brings a client at that seq to the head."""


@dataclass(frozen=True, slots=True)
class Wire:
    """How a transport dresses a message, ends a stream and asks for a sign of life."""

    name: str
    dress: Callable[[Message], bytes]
    close: Callable[[int | None, str], bytes]
    ping: bytes = b""


class Client:
    """One connected socket: what it holds, and what it could not take yet.

    At most one remainder, one control frame and the latest message wait for a socket that is
    full; a frame once begun is always finished before anything else is written.
    """

    __slots__ = (
        "_after",
        "_owed",
        "_pinged",
        "_raw",
        "_repair",
        "_rest",
        "_socket",
        "_stalled",
        "_watcher",
        "closing",
        "gone",
        "heard",
        "seq",
        "wire",
    )

    def __init__(self, sock: Any, wire: Wire, repair: Repair) -> None:  # noqa: ANN401 -- gevent's
        """Take over the writing side of gevent's socket `sock`."""
        self._socket, self._raw = sock, sock._sock  # noqa: SLF001 -- gevent waits, the raw socket doesn't
        self._raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL_BUFFER)
        if self._raw.family != socket.AF_UNIX:
            self._raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _PEER_TIMEOUT_MS)
        self.wire, self._repair = wire, repair
        self._rest = self._after = b""
        self._owed: Message | None = None
        self._watcher: Any = None
        self._stalled = self.closing = 0.0
        self.gone = False
        self.heard = self._pinged = monotonic()
        self.seq = -1

    def read(self) -> bytes:
        """Wait for inbound bytes; empty once the peer or the hub has ended the connection."""
        try:
            data: bytes = self._socket.recv(_READ)
        except OSError:
            return b""
        self.heard = monotonic()
        return data

    def begin(self, greeting: bytes, message: Message) -> None:
        """Write what the transport says first together with the first message."""
        self.seq = message.seq
        self._write(greeting + self.wire.dress(message))

    def push(self, message: Message) -> None:
        """Bring the client to the message's seq, now or as soon as its socket takes bytes."""
        if self.closing:
            return
        if self._rest:
            self._owed = message
        elif message.seq > self.seq:
            self._deliver(message)

    def tell(self, message: Message) -> None:
        """Write a message that brings nothing new, unless the socket is busy."""
        if not (self._rest or self.closing):
            self._write(self.wire.dress(message))

    def control(self, frame: bytes) -> None:
        """Write a control frame between messages; while the socket is full, only the last."""
        if self.closing:
            return
        if self._rest:
            self._after = frame
        else:
            self._write(frame)

    def close(self, code: int | None, reason: str = "", message: Message | None = None) -> None:
        """Say `message` and the transport's own farewell, then wait for the peer to leave."""
        if self.closing:
            return
        self.closing, self._owed = monotonic(), None
        last = self.wire.dress(message) if message else b""
        self._after = last + self.wire.close(code, reason)
        if not self._rest:
            self._continue()

    def verdict(self, now: float, pace: Pace) -> str:
        """Return why the connection must be cut now, or nothing; asks for life when quiet."""
        if self.closing:
            return "left" if now - self.closing > pace.linger else ""
        if self._stalled:
            return "slow" if now - self._stalled > pace.stall else ""
        if self.heard < self._pinged:
            return "dead" if now - self._pinged > pace.pong else ""
        if self.wire.ping and now - self._pinged > pace.ping:
            self._pinged = now
            self._write(self.wire.ping)
        return ""

    def cut(self) -> None:
        """End at once and free what the kernel still holds for the peer."""
        if not self.gone:
            self._raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.drop()

    def drop(self) -> None:
        """End both directions; what the kernel has taken is still delivered."""
        if self.gone:
            return
        self.gone = True
        self.closing = self.closing or monotonic()
        self._rest = self._after = b""
        self._unwatch()
        try:
            self._raw.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the peer was faster

    def _deliver(self, message: Message) -> None:
        if message.prev > self.seq:
            message = self._repair(self.seq)
        self.seq = message.seq
        self._write(self.wire.dress(message))

    def _write(self, data: bytes) -> None:
        try:
            sent = self._raw.send(data, _FLAGS)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.drop()
            return
        if sent < len(data):
            self._rest = data[sent:]
            self._watch()

    def _watch(self) -> None:
        self._stalled = self._stalled or monotonic()
        if self._watcher is None:
            self._watcher = gevent.get_hub().loop.io(self._raw.fileno(), 2)
        self._watcher.start(self._flush)

    def _unwatch(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None

    def _flush(self) -> None:
        rest, self._rest = self._rest, b""
        self._write(rest)
        if not (self._rest or self.gone):
            self._watcher.stop()
            self._stalled = 0.0
            self._continue()

    def _continue(self) -> None:
        after, self._after = self._after, b""
        if after:
            self._write(after)
        if self._rest or self.gone:
            return
        if self.closing and not self.wire.ping:
            self.drop()
        elif self._owed is not None:
            owed, self._owed = self._owed, None
            self.push(owed)
