"""Columns: the same row as JSON members and as CSV cells."""

from decimal import Decimal

import pytest

from delivery import columns
from ledger.money import NANO

ROW = {
    "time": 0,
    "fill_id": "f1",
    "ticker": "KX",
    "side": "yes",
    "count": 150,
    "price": NANO // 2,
    "fee": 1,
    "is_taker": 1,
    "realized": None,
}


def test_a_json_row_has_numbers_of_six_decimals_and_no_nulls() -> None:
    assert columns.members(columns.FILLS, ROW) == {
        "time": "1970-01-01T00:00:00.000000Z",
        "fill_id": "f1",
        "ticker": "KX",
        "side": "yes",
        "count": Decimal("1.5"),
        "price": Decimal("0.5"),
        "fee": 0,
        "is_taker": True,
    }


def test_a_csv_row_has_every_digit() -> None:
    assert columns.cells(columns.FILLS, ROW) == [
        "1970-01-01T00:00:00.000000Z",
        "f1",
        "KX",
        "",
        "",
        "yes",
        "1.5",
        "0.5",
        "0.000000001",
        "true",
        "",
    ]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM", "\tx", "\rx"])
def test_text_that_a_spreadsheet_would_run_is_prefixed(cell: str) -> None:
    assert columns.TEXT.cell(cell) == f"'{cell}"


def test_numbers_are_never_prefixed() -> None:
    assert columns.MONEY.cell(-NANO) == "-1"
    assert columns.WHOLE.cell(-3) == "-3"
