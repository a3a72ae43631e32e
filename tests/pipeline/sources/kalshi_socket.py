"""A small WebSocket server on a free port that says what a test tells it to."""

import base64
import hashlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
PATH = "/trade-api/ws/v2"


@dataclass(frozen=True)
class Handshake:
    """One request to upgrade, and how it was answered when not by an upgrade."""

    line: str
    headers: Mapping[str, str]


@dataclass
class Refusal:
    """An answer that is no upgrade."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    wire: bytes = b""


class Peer:
    """One accepted connection."""

    def __init__(self, connection: socket.socket) -> None:
        """Speak over `connection`."""
        self._connection = connection
        self.commands: list[dict[str, Any]] = []

    def say(self, kind: str, msg: object, **more: object) -> None:
        """Send a message as the exchange does, with its newline."""
        self.text(json.dumps({"type": kind, "sid": 1, "msg": msg, **more}) + "\n")

    def text(self, content: str) -> None:
        """Send any text."""
        self.raw(framed(TEXT, content.encode()))

    def raw(self, content: bytes) -> None:
        """Send any bytes; a peer that has gone hears nothing."""
        with suppress(OSError):
            self._connection.sendall(content)

    def ping(self) -> None:
        """Send the heartbeat."""
        self.raw(framed(PING, b"heartbeat"))

    def close(self, code: int = 1001) -> None:
        """Say goodbye."""
        self.raw(framed(CLOSE, struct.pack("!H", code)))

    def drop(self) -> None:
        """Break the connection off."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)


class Exchange:
    """Upgrades who asks, unless `refusals` are left; acknowledges what is subscribed to.

    `answer` replaces the acknowledgement; `pongs` False leaves pings unanswered.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        """Listen."""
        self.handshakes: list[Handshake] = []
        self.refusals: list[Refusal] = []
        self.peers: list[Peer] = []
        self.pongs = True
        self.pinged = 0
        self.ponged = 0
        self.answer: Callable[[Peer, dict[str, Any]], None] = acknowledge
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self._tls = tls
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self.port = self._listener.getsockname()[1]
        self.url = f"{'wss' if tls else 'ws'}://127.0.0.1:{self.port}{PATH}"

    @contextmanager
    def running(self) -> Iterator["Exchange"]:
        """Serve until the block ends."""
        accepting = threading.Thread(target=self._accept)
        accepting.start()
        try:
            yield self
        finally:
            self._ended.set()
            accepting.join()
            for peer in self.peers:
                peer.drop()
            for thread in self._threads:
                thread.join(10)
            self._listener.close()

    @property
    def peer(self) -> Peer:
        """The newest connection."""
        return self.peers[-1]

    def commands(self, word: str) -> list[dict[str, Any]]:
        """Return the parameters of the commands of the newest connection."""
        sent = list(self.peer.commands) if self.peers else []
        return [command["params"] for command in sent if command["cmd"] == word]

    def _accept(self) -> None:
        while not self._ended.is_set():
            with suppress(TimeoutError):
                connection, _ = self._listener.accept()
                connection.settimeout(30)
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, EOFError):
            secured = self._tls.wrap_socket(connection, server_side=True) if self._tls else None
            with secured or connection as speaking:
                stream = speaking.makefile("rb")
                if self._upgraded(speaking, stream):
                    self._listen(speaking, stream)

    def _upgraded(self, connection: socket.socket, stream: Any) -> bool:
        lines = [line.decode().rstrip() for line in iter(stream.readline, b"\r\n")]
        named = (line.split(": ", 1) for line in lines[1:])
        headers = {name.lower(): value for name, value in named}
        self.handshakes.append(Handshake(lines[0], headers))
        if self.refusals:
            connection.sendall(refused(self.refusals.pop(0)))
            return False
        key = headers["sec-websocket-key"].encode()
        accept = base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        return True

    def _listen(self, connection: socket.socket, stream: Any) -> None:
        peer = Peer(connection)
        self.peers.append(peer)
        while True:
            opcode, content = frame(stream)
            if opcode == CLOSE:
                return
            if opcode == PING:
                self.pinged += 1
                if self.pongs:
                    peer.raw(framed(PONG, content))
            elif opcode == PONG:
                self.ponged += 1
            else:
                command = json.loads(content)
                peer.commands.append(command)
                self.answer(peer, command)


def acknowledge(peer: Peer, command: dict[str, Any]) -> None:
    """Answer a command as the exchange does; each channel has a number of its own."""
    number, params = command["id"], command["params"]
    if command["cmd"] != "subscribe":
        peer.text(json.dumps({"id": number, "sid": 9, "seq": 1, "type": "ok", "msg": {}}))
    for channel in params.get("channels", ()):
        sid = 9 if channel == "ticker" else 1
        msg = {"channel": channel, "sid": sid}
        peer.text(json.dumps({"id": number, "type": "subscribed", "msg": msg}) + "\n")


def error(number: int | None, code: int, said: str) -> str:
    """Return an error of the stream."""
    known = {} if number is None else {"id": number}
    return json.dumps({**known, "type": "error", "msg": {"code": code, "msg": said}})


def framed(opcode: int, content: bytes, *, final: bool = True) -> bytes:
    """Return one frame of a server."""
    head = bytes([opcode | (0x80 if final else 0)])
    if len(content) < 126:
        return head + bytes([len(content)]) + content
    if len(content) < 65_536:
        return head + b"\x7e" + struct.pack("!H", len(content)) + content
    return head + b"\x7f" + struct.pack("!Q", len(content)) + content


def frame(stream: Any) -> tuple[int, bytes]:
    """Read one masked frame; EOFError at the end."""
    first, second = exactly(stream, 2)
    length = second & 0x7F
    if length == 126:
        (length,) = struct.unpack("!H", exactly(stream, 2))
    mask = exactly(stream, 4)
    content = exactly(stream, length)
    return first & 0x0F, bytes(byte ^ mask[at % 4] for at, byte in enumerate(content))


def exactly(stream: Any, size: int) -> bytes:
    """Return that many bytes."""
    content = bytes(stream.read(size))
    if len(content) < size:
        raise EOFError
    return content


def refused(refusal: Refusal) -> bytes:
    """Return the bytes of an HTTP answer."""
    if refusal.wire:
        return refusal.wire
    headers = {"Content-Length": str(len(refusal.body.encode())), **refusal.headers}
    lines = [f"HTTP/1.1 {refusal.status} Refused", *(f"{k}: {v}" for k, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n" + refusal.body).encode()
