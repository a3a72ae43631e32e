"""Columns: each list's names with their units, one table for JSON and CSV."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ledger import moment, money

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Unit:
    """How a stored value is written: as a JSON member, and as a CSV cell."""

    member: Callable[[Any], Any]
    cell: Callable[[Any], str]


def _itself(value: Any) -> Any:  # noqa: ANN401 -- the value as stored
    return value


def _truth(value: Any) -> str:  # noqa: ANN401 -- SQLite's 0 and 1 too
    return "true" if value else "false"


def _harmless(value: str) -> str:
    # A spreadsheet would run a cell that begins like this.
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _quantity(count: int) -> str:
    return format(money.quantity(count), "f")


TIME = Unit(moment.text, moment.text)
MONEY = Unit(money.number, money.plain)
QUANTITY = Unit(money.quantity, _quantity)
WHOLE = Unit(_itself, str)
TRUTH = Unit(bool, _truth)
TEXT = Unit(str, _harmless)

Columns = Mapping[str, Unit]

SERIES: Columns = {
    "time": TIME,
    "net_open": MONEY,
    "net_high": MONEY,
    "net_low": MONEY,
    "net_close": MONEY,
    "trading_open": MONEY,
    "trading_high": MONEY,
    "trading_low": MONEY,
    "trading_close": MONEY,
    "unrealized": MONEY,
    "realized": MONEY,
    "fees": MONEY,
    "revenue": MONEY,
    "cost": MONEY,
    "fills": WHOLE,
    "restated": WHOLE,
}

FILLS: Columns = {
    "time": TIME,
    "fill_id": TEXT,
    "ticker": TEXT,
    "event": TEXT,
    "series": TEXT,
    "side": TEXT,
    "count": QUANTITY,
    "price": MONEY,
    "fee": MONEY,
    "is_taker": TRUTH,
    "realized": MONEY,
}


def members(columns: Columns, row: Row) -> dict[str, Any]:
    """Return a row as a flat JSON object; what is unknown is absent."""
    known = ((name, unit, row.get(name)) for name, unit in columns.items())
    return {name: unit.member(value) for name, unit, value in known if value is not None}


def cells(columns: Columns, row: Row) -> list[str]:
    """Return a row as CSV cells; what is unknown is empty."""
    values = ((unit, row.get(name)) for name, unit in columns.items())
    return ["" if value is None else unit.cell(value) for unit, value in values]
