"""Which report is read: by setting, by what the key may, lost in mid-life and found again."""

from collections.abc import Iterator

import pytest

from ledger.moment import DAY, HOUR, MINUTE
from pipeline.sources.client import Broken, Missing, Refused
from pipeline.sources.source import Deadline
from tests.pipeline.sources.anthropic_account import (
    TODAY,
    Make,
    caught_up,
    costs,
    estimates,
    merged,
    opened,
    poll,
)
from tests.pipeline.sources.anthropic_upstream import (
    ANALYTICS,
    LEGACY,
    LEGACY_USAGE,
    ME,
    USAGE,
    Spent,
    Used,
    analytics,
    legacy,
    legacy_usage,
    without_analytics,
)
from tests.pipeline.sources.conftest import NOON, Hands
from tests.pipeline.sources.upstream import Reply, Upstream


@pytest.fixture
def make(upstream: Upstream, hands: Hands) -> Iterator[Make]:
    with opened(upstream, hands) as build:
        yield build


def test_a_remembered_legacy_is_tried_again_at_a_start_and_then_seldom(
    make: Make, upstream: Upstream
) -> None:
    without_analytics(upstream)
    upstream.on(LEGACY, legacy([Spent(TODAY - DAY, "100")], NOON))
    source = make()
    for minute in range(3):
        assert costs(poll(source, caught_up("legacy"), NOON + minute * MINUTE))
    assert len(upstream.asked(ANALYTICS)) == 1
    assert source.detail == "legacy cost report, by the day: analytics answered 403"
    poll(source, caught_up("legacy"), NOON + 7 * HOUR)
    assert len(upstream.asked(ANALYTICS)) == 2


def test_analytics_granted_later_are_read_with_all_their_past(
    make: Make, upstream: Upstream
) -> None:
    upstream.on(ANALYTICS, analytics(lambda: [Spent(TODAY - 200 * DAY, "100")], lambda: NOON))
    source = make()
    cursor = caught_up("legacy")
    pages = []
    for minute in range(20):
        pages += poll(source, cursor, NOON + minute * MINUTE)
        cursor |= merged(pages)
    assert cursor["mode"] == "analytics"
    assert source.detail == ""
    assert {cost.start for cost in costs(pages)} == {TODAY - 200 * DAY}
    assert upstream.asked(LEGACY) == []


@pytest.mark.parametrize("status", [403, 404])
def test_analytics_lost_in_mid_life_give_way_to_legacy_and_come_back(
    make: Make, upstream: Upstream, status: int
) -> None:
    without_analytics(upstream, status)
    upstream.on(LEGACY, legacy([Spent(TODAY - DAY, "100")], NOON))
    source = make()
    cursor = caught_up()
    pages = poll(source, cursor)
    cursor |= merged(pages)
    assert {cost.source for cost in costs(pages)} == {"legacy"}
    assert cursor["mode"] == "legacy"
    assert source.detail == f"legacy cost report, by the day: analytics answered {status}"
    upstream.on(ANALYTICS, analytics(list, lambda: NOON))
    assert merged(poll(source, cursor, NOON + HOUR))["mode"] == "legacy"
    assert merged(poll(source, cursor, NOON + 7 * HOUR))["mode"] == "analytics"
    assert source.detail == ""


@pytest.mark.parametrize("status", [401, 429, 500])
def test_other_failures_are_no_reason_to_give_analytics_up(
    make: Make, upstream: Upstream, status: int
) -> None:
    without_analytics(upstream, status)
    with pytest.raises(Exception, match=str(status)):
        poll(make(), caught_up())
    assert upstream.asked(LEGACY) == []


def test_a_probe_that_fails_otherwise_leaves_legacy_in_place(
    make: Make, upstream: Upstream
) -> None:
    without_analytics(upstream, 500)
    upstream.on(LEGACY, legacy([Spent(TODAY - DAY, "100")], NOON))
    assert costs(poll(make(), caught_up("legacy")))


def test_a_chosen_analytics_is_not_given_up(make: Make, upstream: Upstream) -> None:
    without_analytics(upstream)
    with pytest.raises(Refused):
        poll(make("analytics"), caught_up())
    assert upstream.asked(LEGACY) == []


def test_a_refused_key_is_tried_anew_once_it_is_another(make: Make, upstream: Upstream) -> None:
    """While the old key is refused another one is put in place: it may read analytics."""
    upstream.on(ANALYTICS, Reply({}, 403))
    upstream.on(LEGACY, legacy([], NOON))
    keys = ["old"]
    source = make(reload=lambda: keys[0])
    poll(source, caught_up("legacy"))
    upstream.on(LEGACY, Reply({}, 401))
    with pytest.raises(Refused):
        poll(source, caught_up("legacy"), NOON + MINUTE)
    keys[0] = "new"
    upstream.on(ANALYTICS, analytics(list, lambda: NOON))
    assert merged(poll(source, caught_up("legacy"), NOON + 2 * MINUTE))["mode"] == "analytics"


def test_a_key_of_another_organization_is_refused(make: Make, upstream: Upstream) -> None:
    upstream.on(ME, Reply({"id": "org_1", "type": "organization", "name": "North"}))
    upstream.on(ANALYTICS, analytics(list, lambda: NOON))
    cursor = caught_up() | merged(poll(make(), caught_up()))
    assert cursor["organization"] == "org_1"
    poll(make(), cursor)
    with pytest.raises(Refused, match="organization org_1, the costs here are of org_2"):
        poll(make(), cursor | {"organization": "org_2"})


def test_a_key_that_is_none_fails_by_itself(make: Make, upstream: Upstream) -> None:
    upstream.on(ME, Reply({"type": "error", "error": {"type": "authentication_error"}}, 401))
    upstream.on(ANALYTICS, analytics(list, lambda: NOON))
    with pytest.raises(Refused, match="401"):
        poll(make(), caught_up())
    assert upstream.asked(ANALYTICS) == []


def test_where_usage_may_not_be_read_nothing_is_estimated_and_that_is_said(
    make: Make, upstream: Upstream
) -> None:
    upstream.on(ANALYTICS, analytics(list, lambda: NOON - 3 * HOUR))
    upstream.on(USAGE, Reply({}, 403))
    upstream.on(LEGACY_USAGE, legacy_usage(lambda: [Used(NOON - HOUR)]))
    source = make()
    assert [line.start for line in estimates(poll(source, caught_up()))] == [NOON - HOUR]
    assert source.detail == ""
    upstream.on(LEGACY_USAGE, Reply({}, 404))
    assert estimates(poll(source, caught_up())) == []
    assert "not estimated" in source.detail
    asked = len(upstream.asked(USAGE))
    poll(source, caught_up())
    assert len(upstream.asked(USAGE)) == asked == 1


@pytest.mark.parametrize("mode", ["analytics", "legacy"])
def test_the_report_s_own_days_serve_to_compare(make: Make, upstream: Upstream, mode: str) -> None:
    """Days of 1 d width without a group; the running one is not told of yet."""
    spent = [Spent(TODAY - 40 * DAY, "1"), Spent(TODAY - DAY, "250.5"), Spent(TODAY, "3")]
    upstream.on(ANALYTICS, analytics(lambda: spent, lambda: NOON, width=DAY))
    upstream.on(LEGACY, legacy(spent, NOON))
    days = make(mode).daily(TODAY - 40 * DAY, TODAY + DAY, Deadline.after(3.0))
    assert {day: nano for day, nano in days.items() if nano} == {
        TODAY - 40 * DAY: 10_000_000,
        TODAY - DAY: 2_505_000_000,
    }
    assert set(days) == {TODAY - back * DAY for back in range(1, 41)}
    path = ANALYTICS if mode == "analytics" else LEGACY
    widths = {r.arg("time_bucket_width") or r.arg("bucket_width") for r in upstream.asked(path)}
    assert "1d" in widths
    assert not [name for name, _ in upstream.asked(path)[-1].query if name == "group_by[]"]


def test_days_that_cannot_be_read_compare_to_nothing(make: Make, upstream: Upstream) -> None:
    upstream.on(ANALYTICS, analytics(lambda: [Spent(TODAY - DAY, "x")], lambda: NOON, width=DAY))
    with pytest.raises(Broken, match="cannot be read: amount"):
        make("analytics").daily(TODAY - DAY, TODAY, Deadline.after(3.0))
    assert make("off").daily(TODAY - DAY, TODAY, Deadline.after(3.0)) == {}


def test_a_missing_legacy_report_is_an_error(make: Make) -> None:
    with pytest.raises(Missing):
        poll(make("legacy"), {})
