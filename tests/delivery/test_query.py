"""What a caller asks for: each refusal names the field and the remedy."""

from collections.abc import Callable
from typing import Any

import pytest

from delivery import query
from delivery.errors import Invalid
from delivery.query import NOWHERE, Position
from ledger import moment


@pytest.mark.parametrize(
    ("epoch", "after", "expected"),
    [
        (None, None, None),
        ("e", "12", Position("e", 12)),
        ("e", None, NOWHERE),
        (None, "12", NOWHERE),
        ("e", "-1", NOWHERE),
        ("e", "٣", NOWHERE),
        ("e", "9" * 40, NOWHERE),
    ],
)
def test_a_stream_resumes_where_it_can_and_begins_anew_where_not(
    epoch: str | None, after: str | None, expected: Position | None
) -> None:
    assert query.resumed(epoch, after) == expected


@pytest.mark.parametrize(
    ("last", "expected"),
    [(None, None), ("e:12", Position("e", 12)), ("a:b:3", Position("a:b", 3)), ("", NOWHERE)],
)
def test_a_last_event_id_is_epoch_and_seq(last: str | None, expected: Position | None) -> None:
    assert query.event_id(last) == expected


def test_times_are_instants_with_a_zone() -> None:
    given = {"from": "2026-11-21T01:00:00+01:00", "to": "2026-11-21T00:00:01Z"}
    start = moment.parse("2026-11-21T00:00:00Z")
    assert query.span(given) == (start, start + moment.MICROS)
    assert query.span({}) == (None, None)


@pytest.mark.parametrize(
    ("ask", "given", "field"),
    [
        (query.span, {"from": "2026-11-21"}, "from"),
        (query.span, {"to": "yesterday"}, "to"),
        (query.span, {"from": "2026-11-21T00:00:00 00:00"}, "from"),
        (query.span, {"from": "2026-11-21T00:00:00Z", "to": "2026-11-21T00:00:00Z"}, "to"),
        (query.period, {"period": "2m"}, "period"),
        (query.side, {"side": "maybe"}, "side"),
        (query.position, {"after": "3"}, "epoch"),
        (query.position, {"epoch": "e"}, "after"),
        (query.position, {"epoch": "e", "after": "x"}, "after"),
    ],
)
def test_a_bad_parameter_is_named(
    ask: Callable[[query.Arguments], Any], given: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        ask(given)
    assert refused.value.field == field
    assert str(refused.value).startswith(f"{field} must")


@pytest.mark.parametrize("points", ["0", "-1", "1.5", "many", "10001", "", "²"])
def test_a_count_is_a_whole_number_within_bounds(points: str) -> None:
    with pytest.raises(Invalid, match="points must be a whole number from 1 to 10000"):
        query.whole({"points": points}, "points", query.MOST_POINTS)


def test_what_is_absent_is_left_open() -> None:
    assert query.whole({}, "points", 10) is None
    assert query.whole({"points": "10"}, "points", 10) == 10
    assert query.period({}) is None
    assert query.period({"period": "5m"}) == "5m"
    assert query.side({"side": "no"}) == "no"
    assert query.position({}) is None
