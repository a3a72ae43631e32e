"""Clients of our own making: raw sockets, so that every byte is seen."""

import json
import socket
import struct
from base64 import b64encode
from typing import Any, ClassVar

import requests

from ledger.snapshot import apply
from storage import text

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Stream:
    """Bytes from a socket, in exact pieces."""

    opened: ClassVar[list["Stream | Events"]] = []
    """What a test leaves open is closed after it."""

    def __init__(self, port: int, receive_buffer: int = 0) -> None:
        """Connect; a small receive buffer makes a slow reader slow at once."""
        self.sock = socket.socket()
        self.opened.append(self)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(20)
        self.sock.connect(("127.0.0.1", port))
        self._held = b""

    def exactly(self, count: int) -> bytes:
        while len(self._held) < count:
            part = self.sock.recv(65536)
            if not part:
                raise EOFError
            self._held += part
        found, self._held = self._held[:count], self._held[count:]
        return found

    def until(self, mark: bytes) -> bytes:
        while mark not in self._held:
            part = self.sock.recv(65536)
            if not part:
                raise EOFError
            self._held += part
        found, _, self._held = self._held.partition(mark)
        return found

    def ended(self) -> bool:
        try:
            return not self.sock.recv(1)
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self.sock.close()


class Socket(Stream):
    """A WebSocket client that checks each frame it is sent."""

    def __init__(
        self,
        port: int,
        query: str = "",
        headers: dict[str, str] | None = None,
        receive_buffer: int = 0,
    ) -> None:
        """Shake hands; headers given replace the usual ones, an empty one leaves it out."""
        super().__init__(port, receive_buffer)
        given = {
            "Host": f"127.0.0.1:{port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": b64encode(b"0123456789abcdef").decode(),
            "Sec-WebSocket-Version": "13",
        } | (headers or {})
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
        self.sock.sendall(f"GET /ws/pnl{query} HTTP/1.1\r\n{lines}\r\n".encode())
        head = self.until(b"\r\n\r\n").decode().split("\r\n")
        self.status = int(head[0].split()[1])
        self.headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])
        }

    def problem(self) -> dict[str, Any]:
        return dict(json.loads(self.exactly(int(self.headers["content-length"]))))

    def frame(self) -> tuple[int, bytes]:
        first, length = self.exactly(2)
        assert first & 0x80, "the server never fragments"
        assert not first & 0x70, "no extension was agreed"
        assert length < 128, "a server never masks"
        if length == 126:
            (length,) = struct.unpack("!H", self.exactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self.exactly(8))
        return first & 0x0F, self.exactly(length)

    def message(self) -> dict[str, Any]:
        while True:
            opcode, payload = self.frame()
            if opcode == TEXT:
                return dict(text.decode(payload))
            assert opcode == PING
            self.send(PONG, payload)

    def closed(self) -> int:
        """Read up to the close frame and return its code."""
        while True:
            opcode, payload = self.frame()
            if opcode == CLOSE:
                return int.from_bytes(payload[:2], "big")

    def send(self, opcode: int, payload: bytes = b"", first: int = 0x80) -> None:
        size = len(payload)
        length = struct.pack("!B", 0x80 | size) if size < 126 else struct.pack("!BQ", 0xFF, size)
        mask = b"\x01\x02\x03\x04"
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self.sock.sendall(struct.pack("!B", first | opcode) + length + mask + masked)


class Events:
    """An SSE client."""

    def __init__(self, base: str, query: str = "", last: str | None = None) -> None:
        """Open the stream, resuming after the event id `last`."""
        headers = {} if last is None else {"Last-Event-ID": last}
        self.response = requests.get(
            f"{base}/api/pnl/stream{query}", headers=headers, stream=True, timeout=20
        )
        Stream.opened.append(self)
        self._lines = iter(self.response.raw.readline, b"")

    def event(self) -> dict[str, str]:
        event = {}
        for line in self._lines:
            if line == b"\n":
                return event
            name, _, value = line.decode().rstrip("\n").partition(": ")
            event[name] = value
        raise EOFError

    def message(self) -> dict[str, Any]:
        return dict(text.decode(self.event()["data"]))

    def close(self) -> None:
        self.response.close()


class Follower:
    """What a page does with messages: it never goes back and never mixes epochs."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.epoch, self.seq = "", -1
        self.document: dict[str, Any] = {}

    def take(self, message: dict[str, Any]) -> bool:
        """Apply a message; False when it shows a gap that only a repair can fill."""
        if message["type"] == "snapshot":
            if message["epoch"] != self.epoch or message["seq"] > self.seq:
                self._hold(message, message["data"])
            return True
        if message["epoch"] != self.epoch:
            return False
        if message["type"] == "beat":
            return message["seq"] <= self.seq
        if message["seq"] <= self.seq:
            return True
        if message["prev"] > self.seq:
            return False
        self._hold(message, apply(self.document, message["data"]))
        return True

    def repair(self, base: str) -> None:
        """Fetch what is missing, once."""
        answer = requests.get(
            f"{base}/api/pnl/current",
            {"epoch": self.epoch or "none", "after": max(self.seq, 0)},
            timeout=20,
        )
        for message in text.decode(answer.content)["messages"]:
            assert self.take(message)

    def _hold(self, message: dict[str, Any], document: dict[str, Any]) -> None:
        self.epoch, self.seq, self.document = message["epoch"], message["seq"], document
