"""WebSocket frames as RFC 6455 has them, the server's side."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha1
from io import BufferedIOBase

CONTINUED, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
PROTOCOL_ERROR, TOO_BIG = 1002, 1009
MOST = 1 << 20
"""The longest message taken, in bytes."""
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_SHORT, _LONG = 126, 127
_WORD = 1 << 16


class Broken(Exception):
    """The peer does not speak the protocol; carries the close code it earns."""

    def __init__(self, code: int) -> None:
        """Carry `code`."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame, unmasked."""

    opcode: int
    payload: bytes
    final: bool = True


def accept(key: str) -> str:
    """Return the Sec-WebSocket-Accept of a Sec-WebSocket-Key."""
    digest = sha1((key + _GUID).encode(), usedforsecurity=False).digest()
    return b64encode(digest).decode()


def packed(opcode: int, payload: bytes) -> bytes:
    """Return one final, unmasked frame."""
    length = len(payload)
    if length < _SHORT:
        head = bytes((0x80 | opcode, length))
    elif length < _WORD:
        head = bytes((0x80 | opcode, _SHORT)) + length.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, _LONG)) + length.to_bytes(8, "big")
    return head + payload


def messages(stream: BufferedIOBase) -> Iterator[Frame]:
    """Yield whole messages and control frames until the stream ends; Broken when they are wrong."""
    begun: Frame | None = None
    while (frame := _frame(stream)) is not None:
        if frame.opcode >= CLOSE:
            yield frame
            continue
        if (frame.opcode == CONTINUED) != (begun is not None):
            raise Broken(PROTOCOL_ERROR)
        if begun:
            frame = Frame(begun.opcode, begun.payload + frame.payload, frame.final)
        if len(frame.payload) > MOST:
            raise Broken(TOO_BIG)
        begun = None if frame.final else frame
        if frame.final:
            yield frame


def _frame(stream: BufferedIOBase) -> Frame | None:
    head = stream.read(2)
    if len(head) < 2:  # noqa: PLR2004 - a frame's first two bytes
        return None
    final, opcode, length = bool(head[0] & 0x80), head[0] & 0x0F, head[1] & 0x7F
    if head[0] & 0x70 or not head[1] & 0x80:
        raise Broken(PROTOCOL_ERROR)
    if length >= _SHORT:
        if opcode >= CLOSE:
            raise Broken(PROTOCOL_ERROR)
        length = int.from_bytes(stream.read(2 if length == _SHORT else 8), "big")
    if length > MOST:
        raise Broken(TOO_BIG)
    mask, payload = stream.read(4), stream.read(length)
    if len(payload) < length:
        return None
    return Frame(opcode, _unmasked(mask, payload), final)


def _unmasked(mask: bytes, payload: bytes) -> bytes:
    key = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(key, "big") ^ int.from_bytes(payload, "big")).to_bytes(len(payload))
