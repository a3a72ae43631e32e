"""Messages: what a client hears, encoded once for every transport."""

from dataclasses import dataclass
from typing import Any

from delivery import frames
from storage import text
from storage.reader import Head

SNAPSHOT, DELTA, BEAT, BYE = "snapshot", "delta", "beat", "bye"
ANYWHERE = -1
"""The `prev` of a message that applies whatever a client holds."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its JSON `body`, its WebSocket `frame` and its SSE `event`.

    It applies to a client that holds a document of the same epoch with prev ≤ seq of that
    document < `seq`.
    """

    kind: str
    seq: int
    prev: int
    body: bytes
    frame: bytes
    event: bytes


def snapshot(head: Head, sent_at: int, *, recovered: bool | None = None) -> Message:
    """Return the whole document; `recovered` is given in answer to a resume only."""
    fields = _fields(SNAPSHOT, head, sent_at, recovered=recovered)
    return _sealed(SNAPSHOT, head, ANYWHERE, _with_data(fields, head.text))


def delta(
    head: Head,
    prev: int,
    data: bytes,
    sent_at: int,
    *,
    recovered: bool | None = None,
) -> Message:
    """Return the merge patch `data` from any document since `prev` to the head's."""
    fields = _fields(DELTA, head, sent_at, recovered=recovered, prev=prev)
    return _sealed(DELTA, head, prev, _with_data(fields, data))


def beat(head: Head, sent_at: int) -> Message:
    """Return the sign of life of a quiet stream; `age_ms` is the figures' own age."""
    fields = _fields(BEAT, head, sent_at)
    fields["age_ms"] = max(0, sent_at - head.as_of // 1000)
    return _sealed(BEAT, head, ANYWHERE, text.encode(fields))


def bye(code: str, reason: str, retry_ms: int) -> Message:
    """Return the last message; come back after `retry_ms`, −1 means never."""
    fields = {"type": BYE, "code": code, "reason": reason, "retry_ms": retry_ms}
    body = text.encode(fields)
    return Message(BYE, ANYWHERE, ANYWHERE, body, frames.text(body), b"data: %b\n\n" % body)


def _fields(
    kind: str,
    head: Head,
    sent_at: int,
    *,
    recovered: bool | None = None,
    prev: int | None = None,
) -> dict[str, Any]:
    fields: dict[str, Any] = {"type": kind, "epoch": head.epoch, "seq": head.seq}
    if prev is not None:
        fields["prev"] = prev
    fields["sent_at"] = sent_at
    if recovered is not None:
        fields["recovered"] = recovered
    return fields


def _with_data(fields: dict[str, Any], data: bytes) -> bytes:
    return b'%b,"data":%b}' % (text.encode(fields)[:-1], data)


def _sealed(kind: str, head: Head, prev: int, body: bytes) -> Message:
    event = b"id: %b:%d\ndata: %b\n\n" % (head.epoch.encode(), head.seq, body)
    return Message(kind, head.seq, prev, body, frames.text(body), event)
