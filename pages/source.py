"""Where pages read: the reader of the running server, its settings, the visitor's colour scheme."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import flask

from components.charts import Day
from components.theme import Scheme
from ledger import moment
from storage import text
from storage.reader import NotReady, Reader

SCHEME_COOKIE = "northstar-scheme"


@dataclass(frozen=True, slots=True)
class Reading:
    """One document as it is and as its exact text; both None before the first snapshot."""

    text: str | None
    document: Mapping[str, Any] | None


def reader() -> Reader:
    """Return the server's reader."""
    found: Reader = flask.current_app.extensions["reader"]
    return found


def reading() -> Reading:
    """Return the newest document; an empty reading while there is none yet."""
    try:
        raw = reader().head().text
    except NotReady:
        return Reading(None, None)
    return Reading(raw.decode(), text.decode(raw))


def minutes(since: int) -> Iterable[Mapping[str, Any]]:
    """Return the 1m rows from `since` on; none before the first complete snapshot."""
    try:
        return reader().series("1m", since, None).rows
    except NotReady:
        return ()


def zone() -> ZoneInfo:
    """Return the zone in which days and clocks are shown."""
    return ZoneInfo(flask.current_app.config["DISPLAY_TIMEZONE"])


def day(document: Mapping[str, Any] | None) -> Day:
    """Return the display day of the document, of now before the first."""
    now = moment.system() if document is None else moment.parse(document["as_of"])
    return Day.of(now, zone(), float(flask.current_app.config["TICK_SECONDS"]))


def scheme() -> Scheme:
    """Return the colours the visitor saw last; light when unknown, the browser then corrects."""
    return "dark" if flask.request.cookies.get(SCHEME_COOKIE) == "dark" else "light"
