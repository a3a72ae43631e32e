"""Bodies of answers: bounded bytes, and JSON read strictly."""

import json
import zlib
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any

from requests import Response
from urllib3.exceptions import HTTPError

LIMIT = 64 * 1024 * 1024
SHOWN = 4 * 1024
_CHUNK = 64 * 1024


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
    return whole[:SHOWN].decode("utf-8", "replace")


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


def _inflated(content: bytes, encoding: str, limit: int) -> bytes:
    if encoding.lower() in {"", "identity"}:
        return content
    if encoding.lower() not in {"gzip", "x-gzip"}:
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
