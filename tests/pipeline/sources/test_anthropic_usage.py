"""Usage becomes estimates: where the bill has not reached, by the price of the day."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ledger.moment import DAY, HOUR, MINUTE
from ledger.money import NANO
from pipeline.sources.client import Broken, Declined
from storage.facts import Window
from tests.pipeline.sources.anthropic_account import (
    TODAY,
    Make,
    caught_up,
    estimates,
    merged,
    opened,
    poll,
)
from tests.pipeline.sources.anthropic_upstream import (
    ANALYTICS,
    LEGACY,
    LEGACY_USAGE,
    USAGE,
    Spent,
    Used,
    analytics,
    legacy,
    legacy_usage,
    usage,
)
from tests.pipeline.sources.conftest import NOON, Hands
from tests.pipeline.sources.upstream import Reply, Request, Upstream

BILLED = NOON - 3 * HOUR


@pytest.fixture
def make(upstream: Upstream, hands: Hands) -> Iterator[Make]:
    with opened(upstream, hands) as build:
        upstream.on(ANALYTICS, analytics(list, lambda: BILLED + MINUTE))
        upstream.on(LEGACY, legacy([Spent(TODAY - DAY, "1")], NOON))
        yield build


def test_the_hours_that_begin_after_the_bill_are_estimated(make: Make, upstream: Upstream) -> None:
    """The bill reaches 09:01: 10:00 and 11:00 are over, 12:00 runs."""
    used = [Used(BILLED + hour * HOUR) for hour in range(4)]
    upstream.on(USAGE, usage(lambda: used, NOON + 5 * MINUTE))
    pages = poll(make(), caught_up(), NOON + 10 * MINUTE)
    found = {line.start: line for line in estimates(pages)}
    assert found.keys() == {BILLED + hour * HOUR for hour in (1, 2, 3)}
    line = found[NOON]
    assert (line.source, line.width, line.amount) == ("usage", 3_600, 10 * NANO)
    assert (line.estimated, line.final, line.price_table) == (True, False, "2026-11-21")
    assert dict(line.group) == {
        "model": "claude-sonnet-5",
        "workspace_id": "wrkspc_1",
        "service_tier": "standard",
        "inference_geo": "global",
        "speed": "standard",
    }
    windows = [page.window for page in pages if page.window and page.window.source == "usage"]
    assert windows == [Window("usage", BILLED + HOUR, NOON)]


def test_where_the_bill_is_as_new_as_now_no_usage_is_asked(make: Make, upstream: Upstream) -> None:
    upstream.on(ANALYTICS, analytics(list, lambda: NOON + 9 * MINUTE))
    assert estimates(poll(make(), caught_up(), NOON + 10 * MINUTE)) == []
    assert upstream.asked(USAGE) == []


def test_estimates_do_not_say_how_far_the_bill_reaches(make: Make, upstream: Upstream) -> None:
    upstream.on(USAGE, usage(lambda: [Used(NOON - HOUR)], NOON))
    assert merged(poll(make(), caught_up()))["data_refreshed_at"] == str(BILLED + MINUTE)


def test_the_history_is_whole_with_its_estimates(make: Make, upstream: Upstream) -> None:
    upstream.on(USAGE, usage(lambda: [Used(NOON - HOUR)], NOON))
    pages = list(make().history({}))
    assert [page.cursor.get("complete") for page in pages if estimates([page])] == ["1"]


def test_usage_of_a_model_without_a_price_is_unpriced(make: Make, upstream: Upstream) -> None:
    used = [Used(NOON - HOUR, model="claude-next-7"), Used(NOON - HOUR, model=None)]
    upstream.on(USAGE, usage(lambda: used, NOON))
    lines = estimates(poll(make(), caught_up()))
    assert [(line.amount, line.price_table, line.unpriced) for line in lines] == [(0, "", True)] * 2


def test_fast_mode_is_asked_for_and_priced(make: Make, upstream: Upstream) -> None:
    used = [Used(NOON - HOUR, model="claude-opus-5", speed="fast")]
    upstream.on(USAGE, usage(lambda: used, NOON))
    assert [line.amount for line in estimates(poll(make(), caught_up()))] == [50 * NANO]
    names = [value for name, value in upstream.asked(USAGE)[0].query if name == "group_by[]"]
    assert names == ["model", "workspace_id", "service_tier", "inference_geo", "speed"]


def test_priority_tokens_are_shown_and_not_counted(make: Make, upstream: Upstream) -> None:
    upstream.on(USAGE, usage(lambda: [Used(NOON - HOUR, tier="priority")], NOON))
    source = make()
    (line,) = estimates(poll(source, caught_up()))
    assert (line.amount, line.unpriced) == (0, False)
    assert "priority tier" in source.detail


def test_cache_writes_are_read_where_they_are_nested(make: Make, upstream: Upstream) -> None:
    """10 of 5 minutes at 2.5 and 100 of an hour at 4 dollars per million."""
    whole = usage(lambda: [Used(NOON - HOUR, output=0)], NOON)

    def cached(request: Request) -> Reply:
        reply = whole(request)
        assert isinstance(reply.body, dict)
        for row in reply.body["data"]:
            writes = {"ephemeral_5m_input_tokens": 10_000, "ephemeral_1h_input_tokens": 100_000}
            row["usage"]["cache_creation"] = writes
        return reply

    upstream.on(USAGE, cached)
    (line,) = estimates(poll(make(), caught_up()))
    assert line.amount == 25_000_000 + 400_000_000


@pytest.mark.parametrize("field", ["output_tokens", "cache_creation", "cache_read_input_tokens"])
def test_a_count_that_is_missing_is_refused_not_zero(
    make: Make, upstream: Upstream, field: str
) -> None:
    whole = usage(lambda: [Used(NOON - HOUR), Used(NOON - 2 * HOUR)], NOON)

    def changed(request: Request) -> Reply:
        reply = whole(request)
        assert isinstance(reply.body, dict)
        del reply.body["data"][0]["usage"][field]
        return reply

    upstream.on(USAGE, changed)
    pages = poll(make(), caught_up())
    assert [reject.field for page in pages for reject in page.rejects] == [field]
    assert len(estimates(pages)) == 1
    assert not [page for page in pages if page.window and page.window.source == "usage"]


def test_the_legacy_account_is_estimated_from_its_last_complete_day_on(
    make: Make, upstream: Upstream
) -> None:
    used = [Used(TODAY - HOUR), Used(TODAY), Used(NOON - HOUR, context="200k-1M")]
    upstream.on(LEGACY_USAGE, legacy_usage(lambda: used))
    source = make("legacy")
    pages = poll(source, caught_up("legacy", TODAY))
    assert {line.start for line in estimates(pages[:2])} == {TODAY, NOON - HOUR}
    asked = upstream.asked(LEGACY_USAGE)[0]
    assert asked.headers["anthropic-beta"] == "fast-mode-2026-02-01"
    assert (asked.arg("bucket_width"), asked.arg("starting_at")) == ("1h", "2026-11-20T00:00:00Z")
    names = [value for name, value in asked.query if name == "group_by[]"]
    assert {"speed", "context_window", "service_tier", "inference_geo"} <= set(names)


def test_an_account_that_knows_no_speed_is_asked_without(make: Make, upstream: Upstream) -> None:
    used = [replace(Used(NOON - HOUR), speed=None)]
    upstream.on(LEGACY_USAGE, legacy_usage(lambda: used, fast=False))
    source = make("legacy")
    assert len(estimates(poll(source, caught_up("legacy", TODAY))[:2])) == 1
    refused = len(upstream.asked(LEGACY_USAGE))
    poll(source, caught_up("legacy", TODAY))
    assert "anthropic-beta" not in upstream.asked(LEGACY_USAGE)[refused].headers


def test_a_usage_report_that_declines_otherwise_is_an_error(make: Make, upstream: Upstream) -> None:
    upstream.on(LEGACY_USAGE, Reply({}, 400))
    with pytest.raises(Declined):
        poll(make("legacy"), caught_up("legacy", TODAY))


def test_legacy_rows_of_one_identity_are_added(make: Make, upstream: Upstream) -> None:
    """What differs only in a field that is not said, as blocked requests, is one line."""
    upstream.on(LEGACY_USAGE, legacy_usage(lambda: [Used(TODAY), Used(TODAY)]))
    pages = poll(make("legacy"), caught_up("legacy", TODAY))
    assert [line.amount for line in estimates(pages[:2])] == [20 * NANO]


def test_a_usage_bucket_of_another_shape_is_broken(make: Make, upstream: Upstream) -> None:
    upstream.on(LEGACY_USAGE, Reply({"data": [{"results": None}], "has_more": False}))
    with pytest.raises(Broken, match="results"):
        poll(make("legacy"), caught_up("legacy", TODAY))
