"""One row's fields: read strictly, refused by name, others go on."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ledger.money import NANO
from pipeline.sources.fields import FieldError, Fields, collect

ROW: dict[str, Any] = {
    "text": "T",
    "empty": "",
    "null": None,
    "number": Decimal("0.5200"),
    "dollars": "0.5200",
    "int": 3,
    "float": "0.0000000001",
    "day": "2026-11-20",
    "time": "2026-11-20T12:00:00.5Z",
    "naive": "2026-11-20T12:00:00",
    "flag": False,
    "surrogate": "\ud800",
    "list": [1],
}
row = Fields(ROW)


def test_text_and_number_mean_the_same() -> None:
    assert row.dollars("dollars") == row.dollars("number") == 520_000_000
    assert row.contracts("dollars") == 52
    assert row.cents("int") == 30_000_000
    assert row.whole("int") == 3


def test_what_is_absent_has_its_default() -> None:
    assert row.text("missing", "") == row.text("null", "") == row.text("empty", "") == ""
    assert row.whole("missing", 0) == 0
    assert row.day("null") is None
    assert row.ratio("missing") is None


def test_values_are_read() -> None:
    assert row.flag("flag") is False
    assert row.day("day") == date(2026, 11, 20)
    assert row.instant("time") % 1_000_000 == 500_000
    assert row.ratio("dollars") == Decimal("0.52")


@pytest.mark.parametrize(
    ("field", "read"),
    [
        ("missing", lambda: row.text("missing")),
        ("null", lambda: row.dollars("null")),
        ("int", lambda: row.text("int")),
        ("surrogate", lambda: row.text("surrogate")),
        ("text", lambda: row.dollars("text")),
        ("list", lambda: row.dollars("list")),
        ("flag", lambda: row.dollars("flag")),
        ("float", lambda: row.dollars("float")),
        ("dollars", lambda: row.dollars("dollars", 0, NANO // 2)),
        ("dollars", lambda: row.whole("dollars")),
        ("dollars", lambda: row.cents("dollars", NANO)),
        ("naive", lambda: row.instant("naive")),
        ("text", lambda: row.day("text")),
        ("int", lambda: row.flag("int")),
        ("int", lambda: row.ratio("int")),
    ],
)
def test_what_cannot_be_read_names_its_field(field: str, read: Callable[[], object]) -> None:
    with pytest.raises(FieldError) as raised:
        read()
    assert raised.value.field == field


def test_a_refused_row_keeps_nothing_from_the_others() -> None:
    rows = [{"id": "a", "n": 1}, {"id": "b"}, "no row", {"id": "c", "n": 3}]
    kept, refused = collect("kalshi", "id", rows, lambda row: row.whole("n"))
    assert kept == (1, 3)
    assert [(r.source, r.identity, r.field) for r in refused] == [
        ("kalshi", "b", "n"),
        ("kalshi", "", "row"),
    ]
    assert refused[0].reason == "is missing"
    assert refused[0].row == '{"id": "b"}'


def test_a_refused_row_can_always_be_written_down() -> None:
    _, refused = collect("kalshi", "id", [{"id": "\ud800", "n": Decimal(1)}], lambda r: r.flag("n"))
    assert refused[0].identity.encode()
    assert refused[0].row.encode()
