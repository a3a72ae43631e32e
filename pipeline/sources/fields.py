"""One row of an answer: named fields read strictly, refused by name."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from ledger import moment, money
from storage.facts import Reject

T = TypeVar("T")

_SHOWN = 4_096


class FieldError(ValueError):
    """A field of a row is missing, of another type, or out of its range."""

    def __init__(self, field: str, reason: str) -> None:
        """Name the field, and why in a few words."""
        super().__init__(f"{field} {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Fields:
    """A row's fields; null counts as absent. Every reader raises FieldError."""

    row: dict[str, Any]

    def has(self, name: str) -> bool:
        """Tell whether the field is there, neither null nor an empty text."""
        return self.row.get(name) not in (None, "")

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text that is not empty, else the default."""
        if not self.has(name) and default is not None:
            return default
        return _text(name, self._required(name))

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self._required(name)
        if not isinstance(value, bool):
            raise FieldError(name, f"must be true or false, not {value!r}")
        return value

    def whole(self, name: str, default: int | None = None) -> int:
        """Return an integer that is not negative, also when it comes as text."""
        if not self.has(name) and default is not None:
            return default
        return self.number(name, _integer, low=0)

    def dollars(self, name: str, low: int | None = None, high: int | None = None) -> int:
        """Return nano-dollars from dollars, within low…high."""
        return self.number(name, money.dollars, low, high)

    def cents(self, name: str, low: int | None = None, high: int | None = None) -> int:
        """Return nano-dollars from cents, within low…high."""
        return self.number(name, money.cents, low, high)

    def billed(self, name: str) -> int:
        """Return nano-dollars from cents, rounded half to even where the bill is finer."""
        return self.number(name, money.nearest_cents)

    def contracts(self, name: str, low: int | None = None) -> int:
        """Return 1/100 contracts, at least low."""
        return self.number(name, money.contracts, low)

    def ratio(self, name: str) -> Decimal | None:
        """Return a number from 0 to 1, None when absent."""
        if not self.has(name):
            return None
        nano = self.dollars(name, 0, money.NANO)
        return Decimal(nano).scaleb(-9).normalize()

    def instant(self, name: str) -> int:
        """Return the microseconds of an RFC 3339 text."""
        return self._moment(name, moment.parse)

    def day(self, name: str) -> date | None:
        """Return a calendar date, None when absent."""
        return self._moment(name, moment.calendar_date) if self.has(name) else None

    def number(
        self,
        name: str,
        read: Callable[[money.Number, str], int],
        low: int | None = None,
        high: int | None = None,
    ) -> int:
        """Return what `read` makes of a text or number, within low…high."""
        value = self._required(name)
        try:
            result = read(value, name)
        except money.MoneyError as error:
            raise FieldError(name, str(error).removeprefix(name).strip()) from error
        if (low is not None and result < low) or (high is not None and result > high):
            raise FieldError(name, f"is out of its range: {value}")
        return result

    def _moment(self, name: str, read: Callable[[str, str], T]) -> T:
        try:
            return read(_text(name, self._required(name)), name)
        except moment.MomentError as error:
            raise FieldError(name, str(error).removeprefix(name).strip()) from error

    def _required(self, name: str) -> Any:  # noqa: ANN401 (a JSON value until it is read)
        value = self.row.get(name)
        if value is None:
            raise FieldError(name, "is missing")
        return value


def collect(
    source: str, identity: str, rows: Iterable[object], read: Callable[[Fields], T]
) -> tuple[tuple[T, ...], tuple[Reject, ...]]:
    """Return what `read` makes of each row, and the rows it refuses; others always go on."""
    kept: list[T] = []
    refused: list[Reject] = []
    for row in rows:
        try:
            if not isinstance(row, dict):
                raise FieldError("row", "is no object")  # noqa: TRY301 (one way out for all)
            kept.append(read(Fields(row)))
        except FieldError as error:
            refused.append(reject(source, identity, row, error))
    return tuple(kept), tuple(refused)


def reject(source: str, identity: str, row: object, error: FieldError) -> Reject:
    """Return the row as it is quarantined: whose, which field, why, and its own text."""
    named = row.get(identity) if isinstance(row, dict) else None
    text = json.dumps(row, default=str)[:_SHOWN]
    return Reject(source, "" if named is None else _shown(named), error.field, error.reason, text)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise FieldError(name, f"must be a text, not {value!r}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise FieldError(name, "is no valid Unicode") from error
    return value


def _integer(value: money.Number, what: str) -> int:
    return money.scaled(value, 1, what)


def _shown(value: object) -> str:
    return str(value).encode("utf-8", "backslashreplace").decode()
