"""Rows of the revenue contract as deals."""

from decimal import Decimal

from ledger.facts import Deal, Status
from ledger.money import NANO
from pipeline.sources.fields import FieldError, Fields

NAME = "revenue"
LETTERS = 3


def deal(row: Fields) -> Deal:
    """Return one deal; a recognized one needs a day to be recognized on."""
    read = Deal(
        source=NAME,
        id=_identity(row),
        name=row.text("name"),
        status=_status(row),
        amount=row.dollars("amount"),
        updated_at=row.instant("updated_at"),
        currency=_currency(row),
        closed_date=row.day("closed_date"),
        recognized_at=row.day("recognized_at"),
        service_start=row.day("service_start"),
        service_end=row.day("service_end"),
        probability=row.ratio("probability"),
        rate=_rate(row),
        rate_date=row.day("rate_date"),
        **{name: row.text(name, "") for name in ("customer", "owner", "stage", "url", "notes")},
    )
    _dated(read)
    return read


def _identity(row: Fields) -> str:
    value = row.row.get("id")
    whole = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if whole else row.text("id")


def _status(row: Fields) -> Status:
    word = row.text("status")
    try:
        return Status(word)
    except ValueError as error:
        raise FieldError("status", f"is no status we know: {word!r}") from error


def _currency(row: Fields) -> str:
    code = row.text("currency", "USD")
    if len(code) != LETTERS or not (code.isascii() and code.isalpha() and code.isupper()):
        raise FieldError("currency", f"must be an ISO 4217 code, not {code!r}")
    return code


def _rate(row: Fields) -> Decimal | None:
    if not row.has("rate"):
        return None
    return Decimal(row.dollars("rate", 1)) / NANO


def _dated(deal: Deal) -> None:
    if (deal.service_start is None) != (deal.service_end is None):
        raise FieldError("service_end", "and service_start come together or not at all")
    if deal.service_start and deal.service_end and deal.service_end < deal.service_start:
        raise FieldError("service_end", "lies before service_start")
    day = deal.recognized_at or deal.closed_date or deal.service_start
    if deal.status is Status.RECOGNIZED and day is None:
        raise FieldError("closed_date", "is missing, and so is recognized_at")
