"""JSON with exact decimals: what is kept, cached and sent is the same text."""

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn

import orjson

from storage.errors import NotExact

__all__ = ["NotExact", "decode", "encode"]


def encode(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """Return UTF-8 JSON; a Decimal is a plain number, never an exponent; NotExact for NaN."""
    try:
        text = orjson.dumps(value, default=_number)
    except TypeError as error:
        raise NotExact(str(error.__cause__ or error)) from error
    # orjson writes a float that is not finite as null, which no document of ours needs often.
    if b"null" in text:
        _refuse_unfinite(value)
    return text


def decode(text: bytes | str) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value, its numbers int or Decimal; NotExact for NaN, Infinity or no JSON."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except ValueError as error:
        raise NotExact(f"not exact JSON: {error}") from error


def _number(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(format(value, "f") if value else "0")
    raise NotExact(f"{value!r} has no exact JSON")


def _refuse(constant: str) -> NoReturn:
    raise NotExact(f"{constant} is not a number")


def _refuse_unfinite(value: object) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        _refuse(str(value))
    inner = value.values() if isinstance(value, Mapping) else value
    if not isinstance(inner, str | bytes) and hasattr(inner, "__iter__"):
        for member in inner:
            _refuse_unfinite(member)
