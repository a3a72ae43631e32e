"""WebSocket frames a server sends: final and unmasked, so the same bytes suit every client."""

import struct

PING = b"\x89\x00"
_TEXT, _CLOSE, _PONG = 0x81, 0x88, 0x8A
_SHORT, _MEDIUM = 126, 1 << 16
_REASON = 123


def text(payload: bytes) -> bytes:
    """Return one whole text message (RFC 6455, 5.2)."""
    return _head(_TEXT, len(payload)) + payload


def pong(payload: bytes) -> bytes:
    """Return the answer to a ping that carried `payload`."""
    return _head(_PONG, len(payload)) + payload


def close(code: int | None, reason: str = "") -> bytes:
    """Return a close frame; None closes without a status, as the peer did."""
    if code is None:
        return _head(_CLOSE, 0)
    payload = struct.pack("!H", code) + reason.encode()[:_REASON]
    return _head(_CLOSE, len(payload)) + payload


def _head(first: int, length: int) -> bytes:
    if length < _SHORT:
        return struct.pack("!BB", first, length)
    if length < _MEDIUM:
        return struct.pack("!BBH", first, 126, length)
    return struct.pack("!BBQ", first, 127, length)
