"""Instants as integer microseconds since 1970 in UTC, and the calendar shown to people."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MICROS = 1_000_000
MINUTE = 60 * MICROS
HOUR = 60 * MINUTE
DAY = 24 * HOUR
EARLIEST = 1_262_304_000 * MICROS
"""2010-01-01: what claims to be older is quarantined."""

Clock = Callable[[], int]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MomentError(ValueError):
    """The text is not an RFC 3339 instant with a zone, or not a calendar date."""


def system() -> int:
    """Return now, by the machine's clock."""
    return time.time_ns() // 1_000


def parse(text: str, what: str = "time") -> int:
    """Return the instant an RFC 3339 text names; digits beyond microseconds are cut."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise MomentError(f"{what} must be RFC 3339, not {text!r}") from error
    if moment.tzinfo is None:
        raise MomentError(f"{what} needs a zone: {text!r}")
    return of(moment)


def of(moment: datetime) -> int:
    """Return the instant of an aware datetime."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def seconds(value: int) -> int:
    """Return the instant of Unix seconds."""
    return value * MICROS


def aware(instant: int, zone: ZoneInfo | None = None) -> datetime:
    """Return the aware datetime of an instant, in `zone` or UTC."""
    moment = _EPOCH + timedelta(microseconds=instant)
    return moment.astimezone(zone) if zone else moment


def text(instant: int) -> str:
    """Return RFC 3339 in UTC with microseconds, as `2026-11-21T18:40:10.000000Z`."""
    return aware(instant).isoformat(timespec="microseconds").replace("+00:00", "Z")


def floor(instant: int, width: int) -> int:
    """Return the start of the UTC bucket of `width` that holds the instant."""
    return instant - instant % width


def calendar_date(value: str, what: str = "date") -> date:
    """Return the date of `YYYY-MM-DD`."""
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise MomentError(f"{what} must be YYYY-MM-DD, not {value!r}") from error


def recognition(day: date) -> int:
    """Return 10:00 UTC of a date: the same calendar date in every zone from −10 to +13."""
    return of(datetime(day.year, day.month, day.day, 10, tzinfo=UTC))


def day_start(instant: int, zone: ZoneInfo) -> int:
    """Return the first instant of the day shown to people in `zone`."""
    return _start(aware(instant, zone).date(), zone)


def week_start(instant: int, zone: ZoneInfo) -> int:
    """Return the first instant of the week, from Monday, in `zone`."""
    day = aware(instant, zone).date()
    return _start(day - timedelta(days=day.weekday()), zone)


def month_start(instant: int, zone: ZoneInfo) -> int:
    """Return the first instant of the month in `zone`."""
    return _start(aware(instant, zone).date().replace(day=1), zone)


def year_start(instant: int, zone: ZoneInfo) -> int:
    """Return the first instant of the year in `zone`."""
    return _start(aware(instant, zone).date().replace(month=1, day=1), zone)


def next_day(start: int, zone: ZoneInfo) -> int:
    """Return the first instant of the day after the one that begins at `start`: 23–25 h on."""
    return _start(aware(start, zone).date() + timedelta(days=1), zone)


def next_week(start: int, zone: ZoneInfo) -> int:
    """Return the first instant of the week after the one that begins at `start`."""
    return _start(aware(start, zone).date() + timedelta(days=7), zone)


def next_month(start: int, zone: ZoneInfo) -> int:
    """Return the first instant of the month after the one that begins at `start`."""
    return month_start(_start(aware(start, zone).date() + timedelta(days=31), zone), zone)


def next_year(start: int, zone: ZoneInfo) -> int:
    """Return the first instant of the year after the one that begins at `start`."""
    return year_start(_start(aware(start, zone).date() + timedelta(days=366), zone), zone)


def _start(day: date, zone: ZoneInfo) -> int:
    return of(datetime(day.year, day.month, day.day, tzinfo=zone))
