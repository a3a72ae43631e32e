"""Anthropic over real HTTP: hourly analytics, the daily legacy report, windows that replace."""

from collections.abc import Iterator
from itertools import chain, pairwise, repeat

import pytest

from ledger.moment import DAY, HOUR, MINUTE, parse
from pipeline.sources import anthropic_days
from pipeline.sources.anthropic_analytics import Analytics
from pipeline.sources.client import Broken, Declined, Refused, Throttled
from storage.facts import Window
from tests.pipeline.sources.anthropic_account import (
    TODAY,
    Make,
    caught_up,
    costs,
    lines,
    merged,
    opened,
    poll,
    silent,
)
from tests.pipeline.sources.anthropic_upstream import (
    ANALYTICS,
    LEGACY,
    Spent,
    analytics,
    legacy,
    without_analytics,
)
from tests.pipeline.sources.conftest import NOON, Hands
from tests.pipeline.sources.upstream import Reply, Request, Upstream


@pytest.fixture
def make(upstream: Upstream, hands: Hands) -> Iterator[Make]:
    with opened(upstream, hands) as build:
        yield build


def test_cents_become_dollars_and_nothing_is_lost(make: Make, upstream: Upstream) -> None:
    spent = [Spent(NOON - HOUR, "123.78912"), Spent(TODAY - 200 * DAY, "41280.000000")]
    upstream.on(ANALYTICS, analytics(lambda: spent, lambda: NOON))
    pages = list(make().history({}))
    read = {cost.start: cost for cost in costs(pages)}
    assert read[NOON - HOUR].amount == 1_237_891_200
    assert read[TODAY - 200 * DAY].amount == 412_800_000_000
    recent = read[NOON - HOUR]
    assert (recent.source, recent.width, recent.final) == ("analytics", 3_600, False)
    assert recent.group == (
        ("api_key_id", "apikey_1"),
        ("cost_type", "tokens"),
        ("inference_geo", "global"),
        ("model", "claude-sonnet-5"),
        ("service_tier", "standard"),
        ("token_type", "output_tokens"),
        ("workspace_id", "wrkspc_1"),
    )
    assert read[TODAY - 200 * DAY].final
    assert merged(pages) == {
        "mode": "analytics",
        "analytics_through": str(NOON),
        "analytics_group": Analytics.grouping,
        "analytics_from": str(TODAY - 200 * DAY),
        "data_refreshed_at": str(NOON),
        "swept_at": str(NOON),
        "days": anthropic_days.text(
            {**dict.fromkeys(range(TODAY - 32 * DAY, NOON, DAY), 0), TODAY: 1_237_891_200},
            TODAY - 32 * DAY,
        ),
        "complete": "1",
    }


def test_the_history_covers_everything_in_windows_the_report_takes(
    make: Make, upstream: Upstream
) -> None:
    upstream.on(ANALYTICS, analytics(list, lambda: NOON))
    pages = list(make().history({}))
    windows = [page.window for page in pages if page.window]
    assert windows[0].start == parse("2026-01-01T00:00:00Z")
    assert windows[-1].end == NOON
    assert all(a.end == b.start for a, b in pairwise(windows))
    asked = upstream.asked(ANALYTICS)[-1]
    assert all(len(window.source) and window.end - window.start <= 31 * DAY for window in windows)
    assert asked.headers["anthropic-beta"] == "analytics-usage-cost-2026-08-24"
    assert asked.headers["anthropic-version"] == "2023-06-01"
    assert asked.headers["x-api-key"] == "key"
    assert (asked.arg("time_bucket_width"), asked.arg("order_by"), asked.arg("order")) == (
        "1h",
        "time",
        "asc",
    )
    assert [value for name, value in asked.query if name == "group_by[]"] == [
        "model",
        "workspace_id",
        "api_key_id",
        "service_tier",
        "inference_geo",
        "cost_type",
        "token_type",
    ]


def test_an_interrupted_history_goes_on_at_its_window(make: Make, upstream: Upstream) -> None:
    spent = [Spent(NOON - days * DAY, "100") for days in range(0, 300, 10)]
    upstream.on(ANALYTICS, analytics(lambda: spent, lambda: NOON))
    whole = list(make().history({}))
    rest = list(make().history(merged(whole[:20])))
    assert costs(whole[:20] + rest) == costs(whole)
    assert list(make().history(merged(whole))) == []


def test_every_page_of_a_window_is_one_page_of_facts(make: Make, upstream: Upstream) -> None:
    spent = [Spent(NOON - HOUR, "1", model=f"model-{n}") for n in range(25)]
    upstream.on(ANALYTICS, analytics(lambda: spent, lambda: NOON, size=10))
    pages = poll(make(), {"mode": "analytics"})
    assert len(costs(pages[:1])) == 25


def test_rows_that_differ_in_one_group_field_are_lines_of_their_own(
    make: Make, upstream: Upstream
) -> None:
    spent = [
        Spent(NOON, "1"),
        Spent(NOON, "2", workspace=None),
        Spent(NOON, "4", token_type="cache_creation.ephemeral_1h_input_tokens"),  # noqa: S106 (a kind of token)
    ]
    upstream.on(ANALYTICS, analytics(lambda: spent, lambda: NOON))
    lines = costs(poll(make(), {"mode": "analytics"}))
    assert len({cost.identity for cost in lines[:3]}) == 3


def test_a_read_window_says_what_it_replaces(make: Make, upstream: Upstream) -> None:
    upstream.on(ANALYTICS, analytics(list, lambda: NOON + 20 * MINUTE))
    tail = poll(make(), {"mode": "analytics"})[0]
    assert tail.window == Window("analytics", TODAY - DAY, NOON)


def test_hours_not_refreshed_yet_are_not_in_rather_than_zero(
    make: Make, upstream: Upstream
) -> None:
    refreshed = NOON - 5 * HOUR - MINUTE
    upstream.on(ANALYTICS, analytics(list, lambda: refreshed))
    tail = poll(make(), {"mode": "analytics"})[0]
    assert tail.window == Window("analytics", TODAY - DAY, NOON - 6 * HOUR)
    assert tail.cursor["data_refreshed_at"] == str(refreshed)


def test_what_was_read_and_is_empty_is_a_line_of_nothing_from_the_first_cost_on(
    make: Make, upstream: Upstream
) -> None:
    """20:00 and 06:00 have cost, the bill reaches 10:30: the hours between are known to be 0."""
    spent = [Spent(TODAY - 4 * HOUR, "1"), Spent(TODAY + 6 * HOUR, "1")]
    refreshed = TODAY + 10 * HOUR + 30 * MINUTE
    upstream.on(ANALYTICS, analytics(lambda: spent, lambda: refreshed))
    tail = poll(make(), {"mode": "analytics"})[0]
    hours = {TODAY + hour * HOUR for hour in range(-4, 11)}
    assert silent([tail]) == hours - {line.start for line in spent}
    known = poll(make(), {"mode": "analytics", "analytics_from": str(TODAY - 9 * HOUR)})[0]
    assert silent([known]) == silent([tail]) | {TODAY - h * HOUR for h in range(5, 10)}
    upstream.on(ANALYTICS, analytics(list, lambda: refreshed))
    assert lines(poll(make(), {"mode": "analytics"})[:1]) == []


def test_a_report_that_promises_more_and_does_not_say_where_replaces_nothing(
    make: Make, upstream: Upstream
) -> None:
    upstream.on(ANALYTICS, Reply({"data": [], "has_more": True, "next_page": None}))
    with pytest.raises(Broken, match="more pages"):
        poll(make(), {"mode": "analytics"})


def test_a_window_is_told_of_as_far_as_its_oldest_page(make: Make, upstream: Upstream) -> None:
    """The mark moves while the pages are read: rows of the first may be as old as it."""
    marks = chain([NOON - 3 * HOUR], repeat(NOON))
    spent = [Spent(NOON - 5 * HOUR, "1", model=f"model-{n}") for n in range(25)]
    upstream.on(ANALYTICS, analytics(lambda: spent, lambda: next(marks), size=10))
    tail = poll(make("analytics"), caught_up())[0]
    assert tail.window is not None
    assert tail.window.end == NOON - 3 * HOUR


def test_a_window_with_a_refused_row_replaces_nothing(make: Make, upstream: Upstream) -> None:
    spent = [Spent(NOON, "12"), Spent(NOON, "NaN", model="bad")]
    upstream.on(ANALYTICS, analytics(lambda: spent, lambda: NOON))
    tail = poll(make(), {"mode": "analytics"})[0]
    assert len(costs([tail])) == len(lines([tail])) == 1
    assert [(r.source, r.field) for r in tail.rejects] == [("anthropic", "amount")]
    assert tail.window == Window("analytics", TODAY - DAY, TODAY - DAY)


@pytest.mark.parametrize(
    ("part", "changes", "field"),
    [
        ("cost", {"currency": "EUR"}, "currency"),
        ("cost", {"amount": None}, "amount"),
        ("cost", None, "cost"),
        ("group", None, "group"),
        ("ending_at", "2026-11-20T12:01:00Z", "ending_at"),
        ("ending_at", "2026-11-21T12:00:00Z", "ending_at"),
        ("starting_at", None, "starting_at"),
    ],
)
def test_a_line_that_cannot_be_booked_is_refused_by_its_field(
    make: Make, upstream: Upstream, part: str, changes: object, field: str
) -> None:
    whole = analytics(lambda: [Spent(NOON, "12")], lambda: NOON)

    def changed(request: Request) -> Reply:
        reply = whole(request)
        assert isinstance(reply.body, dict)
        for row in reply.body["data"]:
            row[part] = {**row[part], **changes} if isinstance(changes, dict) else changes
        return reply

    upstream.on(ANALYTICS, changed)
    tail = poll(make(), {"mode": "analytics"})[0]
    assert [reject.field for reject in tail.rejects] == [field]


def test_a_key_without_analytics_reads_the_legacy_report(make: Make, upstream: Upstream) -> None:
    spent = [Spent(TODAY - 2 * DAY, "250.5"), Spent(TODAY - 300 * DAY, "100"), Spent(TODAY, "7")]
    without_analytics(upstream)
    upstream.on(LEGACY, legacy(spent, NOON))
    source = make()
    pages = list(source.history({}))
    assert {cost.start: cost.amount for cost in costs(pages)} == {
        TODAY - 300 * DAY: 1_000_000_000,
        TODAY - 2 * DAY: 2_505_000_000,
        TODAY: 70_000_000,
    }
    assert {(cost.source, cost.width) for cost in costs(pages)} == {("legacy", 86_400)}
    assert merged(pages)["mode"] == "legacy"
    assert merged(pages)["complete"] == "1"
    assert merged(pages)["data_refreshed_at"] == str(TODAY)
    assert source.detail == "legacy cost report, by the day: analytics answered 403"


def test_every_field_of_a_legacy_row_but_its_money_is_identity(
    make: Make, upstream: Upstream
) -> None:
    day = TODAY - 2 * DAY
    upstream.on(LEGACY, legacy([Spent(day, "500"), Spent(day, "700", speed="fast")], NOON))
    lines = costs(list(make("legacy").history({})))
    assert sorted(line.amount for line in lines) == [5_000_000_000, 7_000_000_000]
    assert len({line.identity for line in lines}) == 2


def test_rows_of_one_bucket_and_one_identity_are_each_billed(
    make: Make, upstream: Upstream
) -> None:
    day = TODAY - 2 * DAY
    upstream.on(LEGACY, legacy([Spent(day, "500"), Spent(day, "300")], NOON))
    assert [line.amount for line in costs(list(make("legacy").history({})))] == [8_000_000_000]


def test_a_bill_finer_than_a_nano_dollar_is_counted(make: Make, upstream: Upstream) -> None:
    upstream.on(LEGACY, legacy([Spent(TODAY - 2 * DAY, "0.33333333")], NOON))
    (page,) = [page for page in make("legacy").history({}) if page.facts]
    assert [line.amount for line in costs([page])] == [3_333_333]
    assert page.rejects == ()


def test_a_refused_row_is_told_apart_by_its_day(make: Make, upstream: Upstream) -> None:
    spent = [Spent(TODAY - 2 * DAY, "much"), Spent(TODAY - 3 * DAY, "much")]
    upstream.on(LEGACY, legacy(spent, NOON))
    rejects = {reject for page in make("legacy").history({}) for reject in page.rejects}
    assert len({reject.identity for reject in rejects}) == 2


@pytest.mark.parametrize("status", [401, 500])
def test_other_failures_of_the_probe_are_no_reason_for_legacy(
    make: Make, upstream: Upstream, status: int
) -> None:
    without_analytics(upstream, status)
    upstream.on(LEGACY, legacy([], NOON))
    with pytest.raises((Refused, Broken), match=str(status)):
        list(make().history({}))
    assert upstream.asked(LEGACY) == []


def test_a_setting_needs_no_probe(make: Make, upstream: Upstream) -> None:
    upstream.on(LEGACY, legacy([], NOON))
    assert merged(list(make("legacy").history({})))["mode"] == "legacy"
    assert upstream.asked(ANALYTICS) == []


def test_off_asks_nothing(make: Make, upstream: Upstream) -> None:
    source = make("off")
    assert merged(list(source.history({}))) == {"complete": "1"}
    assert poll(source, {"complete": "1"}) == []
    assert upstream.seen == []


def test_legacy_asks_whole_days_and_ends_tomorrow(make: Make, upstream: Upstream) -> None:
    upstream.on(LEGACY, legacy([], NOON))
    tail = poll(make("legacy"), {})[0]
    asked = upstream.asked(LEGACY)[0]
    assert asked.arg("starting_at") == "2026-11-17T00:00:00Z"
    assert asked.arg("ending_at") == "2026-11-21T00:00:00Z"
    assert [value for name, value in asked.query if name == "group_by[]"] == [
        "workspace_id",
        "description",
    ]
    assert tail.window == Window("legacy", TODAY - 3 * DAY, TODAY)


def test_a_complete_day_without_a_line_is_nothing(make: Make, upstream: Upstream) -> None:
    spent = [Spent(TODAY - 3 * DAY, "100"), Spent(TODAY, "0.00")]
    upstream.on(LEGACY, legacy(spent, NOON))
    tail = poll(make("legacy"), {})[0]
    assert silent([tail]) == {TODAY - 2 * DAY, TODAY - DAY}


def test_no_legacy_window_is_without_a_complete_day(make: Make, upstream: Upstream) -> None:
    upstream.on(LEGACY, legacy([], NOON))
    list(make("legacy").history(caught_up("legacy", TODAY) | {"complete": ""}))
    assert upstream.asked(LEGACY)[0].arg("starting_at") == "2026-11-17T00:00:00Z"


def test_a_refused_unfinished_day_is_left_to_the_report(make: Make, upstream: Upstream) -> None:
    spent = [Spent(TODAY - 2 * DAY, "100")]
    upstream.on(LEGACY, legacy(spent, NOON, partial=False))
    source = make("legacy")
    pages = list(source.history({}))
    assert [cost.amount for cost in costs(pages)] == [1_000_000_000]
    asked = upstream.asked(LEGACY)[-1]
    assert asked.arg("ending_at") == ""
    tail = poll(source, merged(pages))[0]
    assert tail.window == Window("legacy", TODAY - 30 * DAY, TODAY, TODAY)


def test_a_bad_request_for_finished_days_is_an_error(make: Make, upstream: Upstream) -> None:
    upstream.on(LEGACY, Reply({"type": "error"}, 400))
    with pytest.raises(Declined):
        list(make("legacy").history({}))


def test_today_at_zero_is_not_in_yet(make: Make, upstream: Upstream) -> None:
    upstream.on(LEGACY, legacy([Spent(TODAY, "0.00"), Spent(TODAY - DAY, "0")], NOON))
    tail = poll(make("legacy"), {})[0]
    assert [(cost.start, cost.amount) for cost in costs([tail])] == [(TODAY - DAY, 0)]
    assert tail.window == Window("legacy", TODAY - 3 * DAY, TODAY)


def test_a_legacy_bucket_of_another_width_is_refused(make: Make, upstream: Upstream) -> None:
    bucket = {
        "starting_at": "2026-11-18T00:00:00Z",
        "ending_at": "2026-11-18T01:00:00Z",
        "results": [],
    }
    upstream.on(LEGACY, Reply({"data": [bucket], "has_more": False, "next_page": None}))
    tail = poll(make("legacy"), {})[0]
    assert [reject.field for reject in tail.rejects] == ["ending_at"]


@pytest.mark.parametrize(
    "bucket",
    [
        7,
        {"starting_at": "2026-11-18T00:00:00Z", "ending_at": "2026-11-19T00:00:00Z"},
    ],
)
def test_a_bucket_of_another_shape_is_broken_not_empty(
    make: Make, upstream: Upstream, bucket: object
) -> None:
    upstream.on(LEGACY, Reply({"data": [bucket], "has_more": False, "next_page": None}))
    with pytest.raises(Broken):
        poll(make("legacy"), {})


def test_a_refreshed_time_that_is_none_is_broken(make: Make, upstream: Upstream) -> None:
    upstream.on(ANALYTICS, Reply({"data": [], "data_refreshed_at": "yesterday"}))
    with pytest.raises(Broken, match="data_refreshed_at"):
        poll(make(), {"mode": "analytics"})


def test_a_minute_s_retry_after_is_waited_out_in_the_history(
    make: Make, upstream: Upstream, hands: Hands
) -> None:
    whole = analytics(list, lambda: NOON)
    upstream.on(ANALYTICS, whole, Reply({}, 429, {"Retry-After": "60"}), whole)
    assert merged(list(make().history({})))["complete"] == "1"
    assert hands.slept == [60.0]


def test_in_a_poll_it_is_told_instead(make: Make, upstream: Upstream) -> None:
    upstream.on(ANALYTICS, Reply({}, 429, {"Retry-After": "60"}))
    with pytest.raises(Throttled):
        poll(make(), {"mode": "analytics"})
