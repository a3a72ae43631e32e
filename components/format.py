"""How figures, dates and ages read: exact decimals in, short text out."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from ledger import moment, money

MINUS: Final = "\N{MINUS SIGN}"
UNKNOWN: Final = "\N{EN DASH}"
AT_LEAST: Final = "\N{GREATER-THAN OR EQUAL TO}\N{NO-BREAK SPACE}"

_MICRO_PER_CENT: Final = 10_000
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_DAYS_FROM: Final = 2 * _DAY

Amount = int | Decimal


def cents(nano: int) -> int:
    """Return whole cents of nano-dollars, by way of the wire's six decimals, half to even."""
    micro = money.half_even(nano, money.WIRE_STEP)
    return money.half_even(micro, _MICRO_PER_CENT)


def nano_text(nano: int, *, plus: bool = False) -> str:
    """Return dollars and cents of nano-dollars: «−$1,234.56»; gains get a + with `plus`."""
    whole = cents(nano)
    sign = MINUS if whole < 0 else "+" if plus and whole > 0 else ""
    dollars, rest = divmod(abs(whole), 100)
    return f"{sign}${dollars:,}.{rest:02}"


def dollars(value: Amount, *, plus: bool = False) -> str:
    """Return dollars and cents of a document's member, which is in dollars."""
    return nano_text(money.dollars(value), plus=plus)


def sign(value: Amount) -> str:
    """Return gain, loss or flat, judged by the cents that are shown."""
    whole = cents(money.dollars(value))
    return "gain" if whole > 0 else "loss" if whole < 0 else "flat"


def count(value: Amount) -> str:
    """Return a count with thousands apart."""
    return f"{value:,}".replace("-", MINUS)


def date(instant: int, zone: ZoneInfo) -> str:
    """Return the day of an instant in `zone`: «3 Sep 2026»."""
    day = moment.aware(instant, zone)
    return f"{day.day} {day:%b} {day.year}"


def time(instant: int, zone: ZoneInfo) -> str:
    """Return the wall clock of an instant in `zone`: «10:40:10»."""
    return f"{moment.aware(instant, zone):%H:%M:%S}"


def age(seconds: int) -> str:
    """Return an age in its largest whole unit; two days and more in days."""
    seconds = max(0, seconds)
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < _DAYS_FROM:
        return f"{seconds // _HOUR} h"
    return f"{seconds // _DAY} d"


def lookup(document: Mapping[str, Any] | None, path: str) -> Any:  # noqa: ANN401 -- any JSON value
    """Return the member at a dotted path, None when it is absent."""
    value: Any = document
    for key in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def shown(document: Mapping[str, Any] | None, path: str, kind: str, zone: ZoneInfo) -> str:
    """Return the text of a member by its data-format `kind`, as assets/paint.js writes it."""
    value = lookup(document, path)
    if value is None:
        return UNKNOWN
    if kind == "atleast" and lookup(document, "costs.unpriced"):
        return AT_LEAST + dollars(value)
    return _FORMATS[kind](value, zone)


_FORMATS: Final[Mapping[str, Callable[[Any, ZoneInfo], str]]] = {
    "money": lambda value, _: dollars(value),
    "signed": lambda value, _: dollars(value, plus=True),
    "minus": lambda value, _: dollars(-value),
    "atleast": lambda value, _: dollars(value),
    "count": lambda value, _: count(value),
    "date": lambda value, zone: date(moment.parse(value), zone),
    "time": lambda value, zone: time(moment.parse(value), zone),
    "milliseconds": lambda value, _: f"{count(round(value))} ms",
    "text": lambda value, _: str(value),
}
