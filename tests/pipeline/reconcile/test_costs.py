"""Days of AI cost against the bill: what it has not told yet is lag, what is older is not asked."""

from ledger.difference import Kind
from ledger.facts import Cost
from ledger.moment import DAY, HOUR, parse
from ledger.money import CENT
from pipeline.reconcile.costs import ROOM, by_day, differences

MONDAY = parse("2026-11-16T00:00:00Z")


def test_what_counts_is_added_up_by_the_utc_day() -> None:
    lines = [
        Cost("analytics", MONDAY + 23 * HOUR, 3_600, (), 5),
        Cost("analytics", MONDAY + DAY, 3_600, (), 7),
        Cost("legacy", MONDAY + DAY, 86_400, (), 2_400),
    ]
    assert by_day(lines, MONDAY + 3 * DAY) == {MONDAY: 5, MONDAY + DAY: 7 + 2_300}


def test_days_that_agree_are_not_named() -> None:
    assert differences({MONDAY: CENT}, {MONDAY: CENT + ROOM, MONDAY + DAY: 0}) == []


def test_a_day_is_missing_extra_or_changed_by_what_the_bill_says() -> None:
    ours = {MONDAY: CENT, MONDAY + DAY: CENT}
    theirs = {MONDAY: 3 * CENT, MONDAY + DAY: 0, MONDAY + 2 * DAY: CENT}
    found = {each.subject: (each.kind, each.difference) for each in differences(ours, theirs)}
    assert found == {
        "cost 2026-11-16": (Kind.CHANGED, "0.02"),
        "cost 2026-11-17": (Kind.EXTRA, "-0.01"),
        "cost 2026-11-18": (Kind.MISSING, "0.01"),
    }


def test_a_day_that_is_not_told_yet_is_lag_and_one_before_the_bill_is_not_asked() -> None:
    ours = {MONDAY - DAY: CENT, MONDAY: CENT, MONDAY + DAY: CENT}
    (found,) = differences(ours, {MONDAY: CENT})
    assert (found.subject, found.kind, found.theirs) == ("cost 2026-11-17", Kind.LAG, "")


def test_a_bill_that_tells_nothing_leaves_every_day_to_lag() -> None:
    assert [each.kind for each in differences({MONDAY: CENT}, {})] == [Kind.LAG]
