"""Queries: what a caller asks for, checked; Invalid names the field and the remedy."""

from collections.abc import Mapping
from dataclasses import dataclass

from delivery.errors import Invalid
from ledger import moment
from ledger.bucket import PERIODS
from ledger.facts import Side

Arguments = Mapping[str, str]

MOST_POINTS = 10_000
MOST_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Position:
    """Where a client stands: the epoch and seq of the document it holds."""

    epoch: str
    seq: int


NOWHERE = Position("", -1)
"""A resume that cannot be understood: answered like one that is too old."""


def resumed(epoch: str | None, after: str | None) -> Position | None:
    """Return where a stream resumes; None when it does not ask to."""
    if epoch is None and after is None:
        return None
    return Position(epoch, int(after)) if epoch and after and _digits(after) else NOWHERE


def event_id(text: str | None) -> Position | None:
    """Return where an SSE client's `Last-Event-ID` (epoch:seq) stands."""
    if text is None:
        return None
    epoch, _, seq = text.rpartition(":")
    return resumed(epoch, seq)


def position(arguments: Arguments) -> Position | None:
    """Return where a polling client stands; Invalid unless both names are given, or neither."""
    epoch, after = arguments.get("epoch"), arguments.get("after")
    if epoch is None and after is None:
        return None
    if not epoch:
        raise Invalid("epoch", "must be given with after: the epoch of the document you hold")
    if not after or not _digits(after):
        raise Invalid("after", "must be the seq of the document you hold, as 1234")
    return Position(epoch, int(after))


def instant(arguments: Arguments, field: str) -> int | None:
    """Return an RFC 3339 parameter as microseconds, None when absent."""
    given = arguments.get(field)
    if given is None:
        return None
    try:
        return moment.parse(given)
    except (moment.MomentError, OverflowError) as error:
        remedy = "must be RFC 3339 with its zone, as 2026-11-21T00:00:00Z (a + is written %2B)"
        raise Invalid(field, remedy) from error


def span(arguments: Arguments) -> tuple[int | None, int | None]:
    """Return the half-open span of `from` and `to`, either may be open."""
    start, end = instant(arguments, "from"), instant(arguments, "to")
    if start is not None and end is not None and start >= end:
        raise Invalid("to", "must be later than from: the span is half-open, [from, to)")
    return start, end


def whole(arguments: Arguments, field: str, most: int) -> int | None:
    """Return a count from 1 to `most`, None when absent."""
    given = arguments.get(field)
    if given is None:
        return None
    if not _digits(given) or not 1 <= int(given) <= most:
        raise Invalid(field, f"must be a whole number from 1 to {most}")
    return int(given)


def choice(arguments: Arguments, field: str, names: tuple[str, ...]) -> str | None:
    """Return one of `names`, None when absent."""
    given = arguments.get(field)
    if given is not None and given not in names:
        raise Invalid(field, f"must be one of {', '.join(names)}")
    return given


def period(arguments: Arguments) -> str | None:
    """Return the bucket width asked for."""
    return choice(arguments, "period", tuple(PERIODS))


def side(arguments: Arguments) -> str | None:
    """Return the side asked for."""
    return choice(arguments, "side", tuple(Side))


def _digits(text: str) -> bool:
    longest = 18
    return text.isascii() and text.isdigit() and len(text) <= longest
