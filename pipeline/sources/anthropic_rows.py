"""Anthropic's rows as facts: one line per bucket and group, amounts from cents."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ledger import moment
from ledger.facts import Cost
from pipeline.sources.fields import FieldError, Fields

ANALYTICS = "analytics"
LEGACY = "legacy"

INVOICED = 30 * moment.DAY
"""A bucket this old is of invoicing grade: it is not revised any more."""

_MONEY = frozenset({"amount", "currency"})
"""What a legacy row says beside its group."""


def analytics(row: Fields, now: int, width: int = moment.HOUR) -> Cost:
    """Return one row of the analytics report; every field of its group is identity."""
    group, cost = member(row, "group"), member(row, "cost")
    line = _line(ANALYTICS, row, width, cost, now)
    return replace(line, group=named(group.row))


def legacy(bucket: Fields, now: int) -> Callable[[Fields], Cost]:
    """Return the reader of a legacy bucket's results."""

    def read(row: Fields) -> Cost:
        group = {name: value for name, value in row.row.items() if name not in _MONEY}
        return replace(_line(LEGACY, bucket, moment.DAY, row, now), group=named(group))

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
    start, end = bucket.instant("starting_at"), bucket.instant("ending_at")
    if end - start != width:
        raise FieldError("ending_at", f"makes a bucket of {(end - start) // moment.MICROS} s")
    return start, end


def named(group: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Return a group's fields that say something; a null says the same as its absence."""
    said = {key: str(value) for key, value in sorted(group.items()) if value not in (None, "")}
    return tuple((key, Fields({key: value}).text(key)) for key, value in said.items())


def member(row: Fields, name: str) -> Fields:
    """Return an object within a row; FieldError when it is none."""
    value = row.row.get(name)
    if not isinstance(value, dict):
        raise FieldError(name, "is missing" if value is None else "is no object")
    return Fields(value)


def _line(source: str, bucket: Fields, width: int, cost: Fields, now: int) -> Cost:
    start, end = span(bucket, width)
    if cost.text("currency", "USD") != "USD":
        raise FieldError("currency", f"is {cost.text('currency')!r}, not USD")
    amount, final = cost.billed("amount"), end <= now - INVOICED
    return Cost(source, start, width // moment.MICROS, (), amount, final=final)
