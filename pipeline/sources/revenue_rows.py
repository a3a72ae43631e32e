"""Rows of the revenue contract as deals."""

from datetime import date
from decimal import Decimal
from typing import Any

from ledger import moment
from ledger.facts import Deal, Status
from ledger.moment import EARLIEST, recognition
from ledger.money import NANO, MoneyError, plain
from pipeline.sources.fields import FieldError, Fields

NAME = "revenue"
LETTERS = 3
LONGEST = 20 * 366
"""Days of the longest service: one typed wrong would be earned for centuries."""

TEXTS = ("customer", "owner", "stage", "url", "notes")
DAYS = ("closed_date", "recognized_at", "service_start", "service_end", "rate_date")


def deal(row: Fields, until: int | None = None) -> Deal:
    """Return one deal of the source; a recognized one needs a day to be recognized on.

    A change dated after `until` (µs) is refused: it would outlast every true one after it.
    """
    updated_at = row.instant("updated_at")
    if until is not None and updated_at > until:
        raise FieldError("updated_at", f"is in the future: {moment.text(updated_at)}")
    return described(row, NAME, _identity(row), updated_at)


def described(row: Fields, source: str, identity: str, updated_at: int) -> Deal:
    """Return the deal that a row describes, whoever names and dates it."""
    read = parsed(row, source, identity, updated_at)
    check(read)
    return read


def parsed(row: Fields, source: str, identity: str, updated_at: int) -> Deal:
    """Return what a row says, each field by itself; `check` tells whether they fit together."""
    status, code = _status(row), currency(row)
    return Deal(
        source=source,
        id=clean("id", identity),
        name=clean("name", row.text("name")),
        status=status,
        amount=row.dollars("amount"),
        updated_at=updated_at,
        currency=code,
        probability=row.ratio("probability") if status is Status.PIPELINE else None,
        rate=_rate(row) if code != "USD" else None,
        closed_date=row.day("closed_date"),
        recognized_at=row.day("recognized_at"),
        service_start=row.day("service_start"),
        service_end=row.day("service_end"),
        rate_date=row.day("rate_date"),
        **{name: clean(name, row.text(name, "")) for name in TEXTS},
    )


def described_by(deal: Deal) -> dict[str, Any]:
    """Return the row that describes a deal; what is empty is None."""
    dates = {name: getattr(deal, name) for name in DAYS}
    return {
        "name": deal.name,
        "status": deal.status.value,
        "amount": plain(deal.amount),
        "currency": deal.currency,
        "probability": deal.probability,
        "rate": deal.rate,
        **{name: day and day.isoformat() for name, day in dates.items()},
        **{name: getattr(deal, name) or None for name in TEXTS},
    }


def check(deal: Deal) -> None:
    """Raise the FieldError that says why a deal as a whole cannot be."""
    for name in DAYS:
        _since_2010(name, getattr(deal, name))
    _period(deal)
    day = deal.recognized_at or deal.closed_date or deal.service_start
    if deal.status is Status.RECOGNIZED and day is None:
        raise FieldError("closed_date", "is missing, and so is recognized_at")
    try:
        _ = deal.usd
    except MoneyError as error:
        raise FieldError("rate", f"makes more of it than can be counted: {error}") from error


def currency(row: Fields, name: str = "currency", default: str = "USD") -> str:
    """Return the ISO 4217 code a field holds."""
    code = row.text(name, default)
    if len(code) != LETTERS or not (code.isascii() and code.isalpha() and code.isupper()):
        raise FieldError(name, f"must be an ISO 4217 code, not {code!r}")
    return code


def _identity(row: Fields) -> str:
    value = row.row.get("id")
    whole = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if whole else row.text("id")


def _status(row: Fields) -> Status:
    word = row.text("status")
    try:
        return Status(word)
    except ValueError as error:
        raise FieldError("status", f"must be one of {', '.join(Status)}, not {word!r}") from error


def _rate(row: Fields) -> Decimal | None:
    if not row.has("rate"):
        return None
    return Decimal(row.dollars("rate", 1)) / NANO


def clean(name: str, text: str) -> str:
    """Return a text that every database can keep."""
    if "\0" in text:  # PostgreSQL has no such text
        raise FieldError(name, "holds a NUL character")
    return text


def _since_2010(name: str, day: date | None) -> None:
    if day is not None and recognition(day) < EARLIEST:
        raise FieldError(name, f"is before 2010: {day}")


def _period(deal: Deal) -> None:
    first, last = deal.service_start, deal.service_end
    if (first is None) != (last is None):
        raise FieldError("service_end", "and service_start come together or not at all")
    if first and last and not 0 <= (last - first).days < LONGEST:
        raise FieldError("service_end", "lies before service_start, or 20 years after it")
