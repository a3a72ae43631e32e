"""How busy the firm is by the hour: the clock that trading and AI cost share."""

from bisect import bisect_right
from itertools import accumulate

from emulators.world.instant import DAY, HOUR

_SHARES = (
    1.2, 1.1, 0.9, 0.6, 0.4, 0.3, 0.25, 0.2, 0.2, 0.3, 0.5, 0.8,
    1.0, 1.3, 1.7, 1.8, 1.7, 1.6, 1.6, 1.5, 1.4, 1.3, 1.2, 1.15,
)  # fmt: skip
_BY_HOUR = tuple(24 * share / sum(_SHARES) for share in _SHARES)
_PASSED = (0.0, *accumulate(_BY_HOUR))


def level(instant: int) -> float:
    """Return how busy the hour of an instant is; the mean over a day is 1."""
    return _BY_HOUR[instant % DAY // HOUR]


def elapsed(instant: int) -> float:
    """Return the busy hours since 1970: 24 a day, passing faster when there is more to do."""
    days, rest = divmod(instant, DAY)
    hour, part = divmod(rest, HOUR)
    return days * 24 + _PASSED[hour] + _BY_HOUR[hour] * part / HOUR


def when(busy: float) -> int:
    """Return the instant at which so many busy hours have passed."""
    days, rest = divmod(busy, 24)
    hour = min(23, bisect_right(_PASSED, rest) - 1)
    part = (rest - _PASSED[hour]) / _BY_HOUR[hour]
    return int(days) * DAY + int((hour + part) * HOUR)
