"""Cursors: pages of a list that is read in one known order, newest first."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from itertools import dropwhile, islice
from typing import Any

from delivery import columns, query
from delivery.columns import Columns
from delivery.errors import Invalid
from storage import text
from storage.errors import NotExact

Row = dict[str, Any]
Place = list[Any]
"""What orders a row among the others, as JSON values that descend along the list."""


def page(
    kinds: Columns, rows: Iterator[Row], place: Callable[[Row], Place], after: Place, limit: int
) -> dict[str, Any]:
    """Return `rows` after a place, and `next_cursor` unless they end there."""
    fresh = dropwhile(lambda row: place(row) >= after, rows) if after else rows
    found = list(islice(fresh, limit + 1))
    given: dict[str, Any] = {"rows": [columns.members(kinds, row) for row in found[:limit]]}
    if len(found) > limit:
        given["next_cursor"] = _named(place(found[limit - 1]))
    return given


def given(arguments: query.Arguments, kinds: tuple[type, ...]) -> Place:
    """Return the place a `cursor` names, [] without one; Invalid unless it is of these kinds."""
    name = arguments.get("cursor")
    if name is None:
        return []
    try:
        place = text.decode(urlsafe_b64decode(name + "=" * (-len(name) % 4)))
    except (NotExact, ValueError):
        place = None
    if not isinstance(place, list) or tuple(map(type, place)) != kinds:
        raise Invalid("cursor", "must be the next_cursor of the page before")
    return place


def _named(place: Place) -> str:
    return urlsafe_b64encode(text.encode(place)).decode().rstrip("=")
