"""HubSpot's search for what changed, walked by key: its results have no page beyond 10,000."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.sources import hubspot_rows
from pipeline.sources.client import Answer, Broken
from pipeline.sources.fields import FieldError, Fields
from pipeline.sources.paging import Batch

LIMIT = 200
CHANGED, ID = "hs_lastmodifieddate", "hs_object_id"


@dataclass(frozen=True, slots=True)
class Place:
    """How far a search is: all before `since` ms is read, and within that ms up to id `after`.

    `after` is "" while a page holds more than one millisecond, which is nearly always: an edit
    of a whole pipeline touches every deal at once.
    """

    since: int
    after: str = ""

    @classmethod
    def of(cls, text: str) -> "Place | None":
        """Return the place that `str` wrote; None of "" or of what is none."""
        since, _, after = text.partition(":")
        return cls(int(since), after) if since.isdecimal() else None

    def __str__(self) -> str:
        """Return it as a cursor keeps it."""
        return f"{self.since}:{self.after}"


def walk(
    ask: Callable[[bytes], Answer],
    first: Place,
    properties: Sequence[str],
    room: Callable[[], bool],
) -> Iterator[tuple[Batch, Place | None]]:
    """Yield what changed from a place on, oldest first, each page with the place after it.

    Ends with None as the place, or earlier when there is no `room`. Pages overlap by the
    milliseconds they share; Broken when the results are in no order.
    """
    place: Place | None = first
    while place is not None and room():
        found = page(ask(question(place, properties)))
        place = _after(place, found)
        yield found, place


def question(place: Place, properties: Sequence[str]) -> bytes:
    """Return the body of a search: changed since, or within one millisecond by id."""
    filters = [_filter(CHANGED, "GTE", str(place.since))]
    if place.after:
        filters = [_filter(CHANGED, "EQ", str(place.since)), _filter(ID, "GT", place.after)]
    order = ID if place.after else CHANGED
    body = {
        "filterGroups": [{"filters": filters}],
        "sorts": [{"propertyName": order, "direction": "ASCENDING"}],
        "properties": list(properties),
        "limit": LIMIT,
    }
    return json.dumps(body).encode()


def page(answer: Answer) -> Batch:
    """Return the results of a list or a search and its next `after`; Broken in another shape."""
    body = answer.body
    if not isinstance(body, dict) or not isinstance(body.get("results"), list):
        raise Broken("the answer has no list «results»", 200)
    paging = body.get("paging") or {}
    following = (paging.get("next") or {}) if isinstance(paging, dict) else None
    after = following.get("after", "") if isinstance(following, dict) else None
    if not isinstance(after, str):
        raise Broken("the answer's «paging» is none", 200)
    return Batch(body["results"], after, answer.received, max(answer.received, answer.sent))


def _after(place: Place, found: Batch) -> Place | None:
    if place.after:
        return _within(place, found) if found.next else Place(place.since + 1)
    if not found.next:
        return None
    last = _changed(found)
    if last < place.since:
        raise Broken("the search's results are in no order", 200)
    return Place(last) if last > place.since else Place(last, "0")


def _within(place: Place, found: Batch) -> Place:
    last = _id(found)
    if not last.isdecimal() or int(last) <= int(place.after):
        raise Broken("the search's results are in no order", 200)
    return Place(place.since, last)


def _changed(found: Batch) -> int:
    try:
        return hubspot_rows.modified(Fields(dict(found.rows[-1])))
    except (FieldError, LookupError, TypeError, ValueError) as error:
        raise Broken(f"the search leads on, but {error}", 200) from error


def _id(found: Batch) -> str:
    try:
        return Fields(dict(found.rows[-1])).text("id")
    except (FieldError, LookupError, TypeError, ValueError) as error:
        raise Broken(f"the search leads on, but {error}", 200) from error


def _filter(name: str, operator: str, value: str) -> dict[str, str]:
    return {"propertyName": name, "operator": operator, "value": value}
