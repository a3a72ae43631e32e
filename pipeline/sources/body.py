"""Bodies of answers: bounded bytes, and JSON read strictly."""

import json
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any

from requests import Response
from urllib3.exceptions import HTTPError

LIMIT = 64 * 1024 * 1024
SHOWN = 4 * 1024
_CHUNK = 64 * 1024
_GZIP = {"gzip", "x-gzip"}
_WORDS = ("message", "msg", "title", "code", "type", "details", "detail")
"""What errors call their sentence, its short name and what is special about this one."""


class BodyError(ValueError):
    """The body is too large, cut off, or not the JSON it claims to be."""


def read(response: Response, limit: int = LIMIT) -> bytes:
    """Return the body of a streamed answer, inflated; BodyError beyond `limit` bytes."""
    whole = bytearray()
    while chunk := response.raw.read1(_CHUNK, decode_content=False):
        whole += chunk
        if len(whole) > limit:
            raise BodyError(f"the body is larger than {limit} bytes")
    return _inflated(bytes(whole), response.headers.get("Content-Encoding", ""), limit)


def excerpt(response: Response) -> str:
    """Return what an error says, at most 4 KiB of it; never raises for its content."""
    whole = b""
    with suppress(HTTPError, OSError):
        while len(whole) < SHOWN and (chunk := response.raw.read1(SHOWN, decode_content=False)):
            whole += chunk
    if response.headers.get("Content-Encoding", "").lower() in _GZIP:
        whole = _begun(whole)
    return whole[:SHOWN].decode("utf-8", "replace")


def said(text: str) -> str:
    """Return what an error's body says to a person; of another shape, the text itself.

    Kalshi nests code, message and details in `error`, or not, or says only `msg` or `error`;
    Anthropic and RFC 9457 fit the same names.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict):
        body = body.get("error") or body
    if isinstance(body, dict):
        words = [body[name] for name in _WORDS if isinstance(body.get(name), str) and body[name]]
        body = ": ".join(_distinct(words))
    return " ".join((body if isinstance(body, str) and body else text).split())


def parse(content: bytes) -> Any:  # noqa: ANN401 (JSON is any shape until a row reads it)
    """Return strict JSON: exact decimals, no NaN or Infinity, no key twice."""
    try:
        return json.loads(
            content.decode("utf-8-sig"),
            parse_float=Decimal,
            parse_constant=_refused,
            object_pairs_hook=_once,
        )
    except RecursionError as error:
        raise BodyError("the JSON is nested too deeply") from error
    except (ValueError, ArithmeticError) as error:
        raise BodyError(f"the body is not JSON ({error})") from error


def _distinct(words: Sequence[str]) -> Iterable[str]:
    """Return the words once each: a code often only repeats its message."""
    once: dict[str, str] = {}
    for word in words:
        once.setdefault(word.lower().replace("_", " "), word)
    return once.values()


def _begun(content: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(content, SHOWN)
    except zlib.error:
        return b"(a damaged gzip body)"


def _inflated(content: bytes, encoding: str, limit: int) -> bytes:
    if encoding.lower() in {"", "identity"}:
        return content
    if encoding.lower() not in _GZIP:
        raise BodyError(f"the body is encoded as {encoding!r}, which was not asked for")
    inflater = zlib.decompressobj(wbits=31)
    try:
        plain = inflater.decompress(content, limit + 1)
    except zlib.error as error:
        raise BodyError("the gzip body is damaged") from error
    if len(plain) > limit:
        raise BodyError(f"the body is larger than {limit} bytes")
    if not inflater.eof:
        raise BodyError("the gzip body is cut off")
    return plain


def _refused(constant: str) -> Any:  # noqa: ANN401 (json's hook)
    raise BodyError(f"{constant} is no number")


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise BodyError("an object names a key twice")
    return members
