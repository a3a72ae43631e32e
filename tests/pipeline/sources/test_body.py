"""Bodies: bounded, inflated within the bound, strict JSON."""

import gzip
import tracemalloc
from decimal import Decimal

import pytest
import requests

from pipeline.sources import body
from pipeline.sources.source import Deadline
from pipeline.sources.transport import BoundAdapter, within
from tests.pipeline.sources.upstream import Reply, Upstream


def fetched(upstream: Upstream, reply: Reply, limit: int) -> bytes:
    """Return a reply's body as it is read over a real socket."""
    upstream.on("/", reply)
    with requests.Session() as session, within(Deadline.after(5.0)):
        session.mount("http://", BoundAdapter())
        with session.get(upstream.url + "/", stream=True, timeout=5) as response:
            return body.read(response, limit)


def test_a_body_of_the_limit_is_read(upstream: Upstream) -> None:
    assert fetched(upstream, Reply(b"x" * 200_000), 200_000) == b"x" * 200_000


def test_a_larger_body_is_refused(upstream: Upstream) -> None:
    with pytest.raises(body.BodyError, match="larger than 1000 bytes"):
        fetched(upstream, Reply(b"x" * 1_001), 1_000)


def test_a_gzip_bomb_is_refused(upstream: Upstream) -> None:
    bomb = Reply(gzip.compress(b" " * 5_000_000), headers={"Content-Encoding": "gzip"})
    with pytest.raises(body.BodyError, match="larger than 1000000 bytes"):
        fetched(upstream, bomb, 1_000_000)


def test_a_gzip_bomb_is_never_blown_up(upstream: Upstream) -> None:
    bomb = Reply(gzip.compress(b" " * 64_000_000, 1), headers={"Content-Encoding": "gzip"})
    content = bomb.content()
    tracemalloc.start()
    try:
        with pytest.raises(body.BodyError, match="larger than"):
            fetched(upstream, bomb, 1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000 + 3 * len(content)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("content", "encoding", "why"),
    [
        (gzip.compress(b'{"a": 1}')[:-6], "gzip", "cut off"),
        (b"not gzip at all", "gzip", "damaged"),
        (b"x", "br", "encoded as 'br'"),
    ],
    ids=["cut off", "damaged", "unknown"],
)
def test_a_damaged_encoding_is_refused(
    upstream: Upstream, content: bytes, encoding: str, why: str
) -> None:
    with pytest.raises(body.BodyError, match=why):
        fetched(upstream, Reply(content, headers={"Content-Encoding": encoding}), 1_000)


def test_numbers_are_exact() -> None:
    assert body.parse(b"[0.1, 12, 1e2]") == [Decimal("0.1"), 12, Decimal("1e2")]


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert body.parse(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_a_key_named_twice_is_refused() -> None:
    with pytest.raises(body.BodyError, match="names a key twice"):
        body.parse(b'[{"amount": "1", "amount": "2"}]')


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(body.BodyError, match="nested too deeply"):
        body.parse(b"[" * 100_000 + b"]" * 100_000)
