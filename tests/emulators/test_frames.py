"""Frames: what RFC 6455 shows byte by byte, and what it forbids."""

import io

import pytest

from emulators import frames
from emulators.frames import Broken, Frame


def masked(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    """Return a client's frame, masked with the RFC's own key."""
    mask = bytes.fromhex("37fa213d")
    head = bytes((final * 0x80 | opcode,))
    size = len(payload)
    if size < 126:
        length = bytes((0x80 | size,))
    elif size < 65_536:
        length = bytes((0x80 | 126,)) + size.to_bytes(2, "big")
    else:
        length = bytes((0x80 | 127,)) + size.to_bytes(8, "big")
    return head + length + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


def read(*parts: bytes) -> list[Frame]:
    return list(frames.messages(io.BytesIO(b"".join(parts))))


def test_the_accept_is_the_example_of_the_rfc() -> None:
    assert frames.accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_a_text_is_the_example_of_the_rfc() -> None:
    assert frames.packed(frames.TEXT, b"Hello") == bytes.fromhex("810548656c6c6f")
    assert read(bytes.fromhex("818537fa213d7f9f4d5158")) == [Frame(frames.TEXT, b"Hello")]


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_every_length_has_its_form(size: int) -> None:
    payload = b"x" * size
    assert read(masked(frames.TEXT, payload)) == [Frame(frames.TEXT, payload)]
    packed = frames.packed(frames.TEXT, payload)
    head = 2 if size < 126 else 4 if size < 65_536 else 10
    assert len(packed) == head + size


def test_fragments_become_one_message_with_a_ping_between() -> None:
    found = read(
        masked(frames.TEXT, b"Hel", final=False),
        masked(frames.PING, b"?"),
        masked(frames.CONTINUED, b"lo"),
    )
    assert found == [Frame(frames.PING, b"?"), Frame(frames.TEXT, b"Hello")]


def test_a_stream_that_ends_within_a_frame_just_ends() -> None:
    whole = masked(frames.TEXT, b"Hello")
    assert all(read(whole[:size]) == [] for size in range(len(whole)))


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (frames.packed(frames.TEXT, b"unmasked"), 1002),
        (masked(frames.CONTINUED, b"of nothing"), 1002),
        (masked(frames.TEXT, b"a", final=False) + masked(frames.TEXT, b"b"), 1002),
        (masked(frames.PING, b"x" * 126), 1002),
        (bytes((0xC1, 0x80)), 1002),
        (bytes((0x81, 0xFF)) + (1 << 30).to_bytes(8, "big"), 1009),
        (masked(1, b"x" * 600_000, final=False) + masked(0, b"x" * 600_000), 1009),
    ],
)
def test_what_the_rfc_forbids_ends_with_its_code(wrong: bytes, code: int) -> None:
    with pytest.raises(Broken) as caught:
        read(wrong)
    assert caught.value.code == code
