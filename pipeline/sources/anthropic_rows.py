"""Anthropic's rows as facts: one line per bucket and group, amounts from cents."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

from ledger import moment
from ledger.facts import Cost
from pipeline.sources.fields import FieldError, Fields

ANALYTICS = "analytics"
LEGACY = "legacy"

INVOICED = 30 * moment.DAY
"""A bucket this old is of invoicing grade: it is not revised any more."""

BUCKETS = 1_024
GROUPS = 4_096
"""How many texts of buckets and groups are remembered as read: a report repeats them by the row."""

_MONEY = frozenset({"amount", "currency"})
"""What a legacy row says beside its group."""


def analytics(row: Fields, now: int, width: int = moment.HOUR) -> Cost:
    """Return one row of the analytics report; every field of its group is identity."""
    group, cost = member(row, "group"), member(row, "cost")
    return _line(ANALYTICS, span(row, width), cost, named(group.row), now)


def legacy(bucket: Fields, now: int) -> Callable[[Fields], Cost]:
    """Return the reader of a legacy bucket's results."""

    def read(row: Fields) -> Cost:
        group = {name: value for name, value in row.row.items() if name not in _MONEY}
        return _line(LEGACY, span(bucket, moment.DAY), row, named(group), now)

    return read


def nothing(source: str, start: int, width: int, now: int) -> Cost:
    """Return the line of a bucket (`width` in µs) that was read and is empty: 0, of no group."""
    final = start + width <= now - INVOICED
    return Cost(source, start, width // moment.MICROS, (), 0, final=final)


def together(lines: Iterable[Cost]) -> list[Cost]:
    """Return the lines of one bucket, those of one identity added up: each is billed."""
    sums: dict[object, Cost] = {}
    for line in lines:
        known = sums.get(line.identity)
        amount = line.amount + (known.amount if known else 0)
        sums[line.identity] = replace(line, amount=amount)
    return list(sums.values())


def span(bucket: Fields, width: int) -> tuple[int, int]:
    """Return the bucket's [start, end) in µs; FieldError unless it is `width` wide."""
    start, end = bucket.row.get("starting_at"), bucket.row.get("ending_at")
    if isinstance(start, str) and isinstance(end, str):
        return _spanned(start, end, width)
    return _measured(bucket, width)


@lru_cache(maxsize=BUCKETS)
def _spanned(start: str, end: str, width: int) -> tuple[int, int]:
    return _measured(Fields({"starting_at": start, "ending_at": end}), width)


def _measured(bucket: Fields, width: int) -> tuple[int, int]:
    start, end = bucket.instant("starting_at"), bucket.instant("ending_at")
    if end - start != width:
        raise FieldError("ending_at", f"makes a bucket of {(end - start) // moment.MICROS} s")
    return start, end


def named(group: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Return a group's fields that say something; a null says the same as its absence."""
    try:
        return _named(tuple(group), *group.values())
    except TypeError:  # a value that is a list or an object has no place in a cache
        return _named.__wrapped__(tuple(group), *group.values())


@lru_cache(maxsize=GROUPS, typed=True)
def _named(names: tuple[str, ...], *values: object) -> tuple[tuple[str, str], ...]:
    pairs = sorted(zip(names, values, strict=True), key=lambda pair: pair[0])
    said = {name: str(value) for name, value in pairs if value not in (None, "")}
    return tuple((name, Fields({name: value}).text(name)) for name, value in said.items())


def member(row: Fields, name: str) -> Fields:
    """Return an object within a row; FieldError when it is none."""
    value = row.row.get(name)
    if not isinstance(value, dict):
        raise FieldError(name, "is missing" if value is None else "is no object")
    return Fields(value)


def _line(
    source: str, bucket: tuple[int, int], cost: Fields, group: tuple[tuple[str, str], ...], now: int
) -> Cost:
    start, end = bucket
    if cost.text("currency", "USD") != "USD":
        raise FieldError("currency", f"is {cost.text('currency')!r}, not USD")
    amount, final = cost.billed("amount"), end <= now - INVOICED
    return Cost(source, start, (end - start) // moment.MICROS, group, amount, final=final)
