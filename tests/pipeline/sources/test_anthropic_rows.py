"""Anthropic's rows: what is read once and remembered is as strict as what is read anew."""

import pytest

from ledger.moment import HOUR, parse
from pipeline.sources.anthropic_rows import named, span
from pipeline.sources.fields import FieldError, Fields

NINE = parse("2026-11-20T09:00:00Z")


def bucket(start: object, end: object) -> Fields:
    return Fields({"starting_at": start, "ending_at": end})


def test_a_group_is_its_fields_by_name_without_what_says_nothing() -> None:
    group = {"model": "opus", "api_key_id": None, "cost_type": "", "tier": "batch"}
    assert named(group) == (("model", "opus"), ("tier", "batch"))
    assert named(dict(reversed(group.items()))) == named(group)


def test_values_that_are_equal_and_say_something_else_stay_apart() -> None:
    assert [named({"n": value}) for value in (1, True, "1", 1)] == [
        (("n", "1"),),
        (("n", "True"),),
        (("n", "1"),),
        (("n", "1"),),
    ]
    assert named({"a": "x"}) != named({"b": "x"})


def test_a_value_no_memory_can_hold_is_read_as_well() -> None:
    assert named({"tags": ["a"]}) == (("tags", "['a']"),)


def test_a_group_that_is_no_unicode_is_refused_each_time() -> None:
    for _ in range(2):
        with pytest.raises(FieldError, match="Unicode"):
            named({"model": "\ud800"})


def test_a_bucket_is_as_wide_as_asked_however_often_it_is_read() -> None:
    row = bucket("2026-11-20T09:00:00Z", "2026-11-20T10:00:00Z")
    for _ in range(2):
        assert span(row, HOUR) == (NINE, NINE + HOUR)
        with pytest.raises(FieldError, match="ending_at makes a bucket of 3600 s"):
            span(row, 24 * HOUR)


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        (None, "2026-11-20T10:00:00Z", "starting_at"),
        ("2026-11-20T09:00:00Z", 7, "ending_at"),
        ("2026-11-20T09:00:00", "2026-11-20T10:00:00Z", "starting_at"),
        ("", "2026-11-20T10:00:00Z", "starting_at"),
    ],
)
def test_a_bucket_without_an_instant_is_refused_by_its_field(
    start: object, end: object, field: str
) -> None:
    for _ in range(2):
        with pytest.raises(FieldError) as refused:
            span(bucket(start, end), HOUR)
        assert refused.value.field == field
