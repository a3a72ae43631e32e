"""Opaque cursors over lists in a known order, newest first or oldest first."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


def encoded(*parts: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    """Return a cursor that holds `parts`."""
    return urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode()


def decoded(cursor: str) -> list[Any] | None:
    """Return a cursor's parts; None when it is no cursor of ours."""
    try:
        parts = json.loads(urlsafe_b64decode(cursor.encode()))
    except ValueError:
        return None
    return parts if isinstance(parts, list) else None


def newest(
    rows: Sequence[T], key: Callable[[T], tuple[Any, ...]], cursor: str, limit: int
) -> tuple[list[T], str]:
    """Return the page after a cursor, last row first, and the next cursor; "" at the end.

    `rows` ascend by `key`. A cursor names the last row seen, so rows that come meanwhile are
    neither lost nor doubled. A cursor that is none gives the first page.
    """
    end = len(rows)
    place = decoded(cursor) if cursor else None
    if place is not None:
        try:
            end = bisect_left(rows, tuple(place), key=key)
        except TypeError:
            end = len(rows)
    begin = max(0, end - limit)
    page = list(rows[begin:end])[::-1]
    return page, encoded(*key(page[-1])) if begin and page else ""


def between(rows: Sequence[T], key: Callable[[T], int], least: int, most: int) -> Sequence[T]:
    """Return the rows whose key lies in [least, most]; they ascend by it."""
    begin, end = bisect_left(rows, least, key=key), bisect_right(rows, most, key=key)
    return rows if begin == 0 and end == len(rows) else rows[begin:end]
