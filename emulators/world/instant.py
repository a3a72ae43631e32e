"""Instants as integer microseconds since 1970 in UTC."""

import time
from datetime import UTC, date, datetime, timedelta

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def system() -> int:
    """Return now, by the machine's clock."""
    return time.time_ns() // 1_000


def of(moment: datetime) -> int:
    """Return the instant of an aware datetime."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    """Return the instant of a UTC wall time; months beyond 12 run into the next years."""
    years, months = divmod(month - 1, 12)
    return of(datetime(year + years, months + 1, day, hour, minute, tzinfo=UTC))


def aware(instant: int) -> datetime:
    """Return the UTC datetime of an instant."""
    return _EPOCH + timedelta(microseconds=instant)


def day(instant: int) -> date:
    """Return the UTC date of an instant."""
    return aware(instant).date()


def text(instant: int) -> str:
    """Return RFC 3339 in UTC with microseconds."""
    return aware(instant).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def brief(instant: int) -> str:
    """Return RFC 3339 in UTC with whole seconds."""
    return aware(instant).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(value: str) -> int:
    """Return the instant of an RFC 3339 text, UTC when it names no zone; else ValueError."""
    moment = datetime.fromisoformat(value)
    return of(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
