"""What is read when: gaps first, three days each hour, 31 days each day, everything once anew."""

from collections.abc import Iterator

import pytest

from ledger.moment import DAY, HOUR, MINUTE
from pipeline.sources.anthropic import Anthropic
from storage.facts import Page
from tests.pipeline.sources.anthropic_account import (
    TODAY,
    Make,
    caught_up,
    costs,
    merged,
    opened,
    poll,
)
from tests.pipeline.sources.anthropic_upstream import (
    ANALYTICS,
    LEGACY,
    LEGACY_USAGE,
    Spent,
    analytics,
    legacy,
)
from tests.pipeline.sources.conftest import NOON, Hands
from tests.pipeline.sources.upstream import Upstream


@pytest.fixture
def make(upstream: Upstream, hands: Hands) -> Iterator[Make]:
    with opened(upstream, hands) as build:
        yield build


def polls(source: Anthropic, cursor: dict[str, str], times: int, now: int = NOON) -> list[Page]:
    """Poll once a minute; `cursor` remembers."""
    pages = []
    for minute in range(times):
        pages += poll(source, cursor, now + minute * MINUTE)
        cursor |= merged(pages)
    return pages


def shifted(day: int, cents: str) -> list[Spent]:
    """Return $2 of one day, of which `cents` at its first hour: its total tells no change."""
    return [Spent(day, cents), Spent(day + HOUR, str(200 - int(cents)))]


def days(pages: list[Page], source: str = "analytics") -> list[int]:
    """Return how many days back each window began that was read again."""
    windows = [page.window for page in pages if page.window and page.window.source == source]
    return [(TODAY - window.start) // DAY for window in windows]


def test_the_last_three_days_are_read_again_each_hour(make: Make, upstream: Upstream) -> None:
    spent = shifted(TODAY - 3 * DAY, "100")
    upstream.on(ANALYTICS, analytics(lambda: spent, lambda: NOON))
    source = make()
    cursor = merged(list(source.history({})))
    spent[:] = shifted(TODAY - 3 * DAY, "150")
    assert costs(polls(source, cursor, 3)) == []
    later = polls(source, cursor, 3, NOON + HOUR)
    assert [cost.amount for cost in costs(later)] == [1_500_000_000, 500_000_000]
    assert {back for back in days(later) if back > 1} == {2, 3, 4}


def test_the_trailing_month_is_read_again_each_day(make: Make, upstream: Upstream) -> None:
    """What moved within a day of 20 days ago is read again within the day, once."""
    spent = shifted(TODAY - 20 * DAY, "100")
    upstream.on(ANALYTICS, analytics(lambda: spent, lambda: NOON))
    source = make()
    cursor = merged(list(source.history({})))
    spent[:] = shifted(TODAY - 20 * DAY, "150")
    later = polls(source, cursor, 15, NOON + DAY)
    assert [cost.amount for cost in costs(later)] == [1_500_000_000, 500_000_000]
    again = [back for back in days(later) if back > 0]
    assert sorted(again) == list(range(1, 32))
    assert int(cursor["swept_at"]) >= NOON + DAY
    assert make_restarted_reads(make, cursor) <= {-1, 0, 1, 2, 3}


def make_restarted_reads(make: Make, cursor: dict[str, str]) -> set[int]:
    """Return what another process reads that goes on with the cursor."""
    return set(days(polls(make(), cursor, 5, NOON + DAY + 20 * MINUTE)))


def test_no_poll_reads_more_than_a_few_windows_again(make: Make, upstream: Upstream) -> None:
    upstream.on(ANALYTICS, analytics(list, lambda: NOON))
    pages = poll(make(), caught_up(swept_at="0"))
    assert len(days(pages)) == 1 + 3


def test_what_was_missed_while_nothing_ran_is_read_first(make: Make, upstream: Upstream) -> None:
    """It stopped 60 days ago: what came meanwhile is read, oldest first, beside the newest."""
    spent = [Spent(TODAY - back * DAY, "100") for back in range(70)]
    upstream.on(ANALYTICS, analytics(lambda: spent, lambda: NOON))
    cursor = caught_up(now=TODAY - 60 * DAY)
    pages = polls(make(), cursor, 4)
    assert days(pages)[:4] == [1, 60, 53, 46]
    assert {cost.start for cost in costs(pages)} == {TODAY - back * DAY for back in range(61)}
    assert cursor["analytics_through"] == str(NOON)


def test_what_the_bill_did_not_reach_is_read_once_it_does(make: Make, upstream: Upstream) -> None:
    refreshed = [NOON - 5 * DAY]
    spent = [Spent(TODAY - 3 * DAY, "100")]
    upstream.on(ANALYTICS, analytics(lambda: spent, lambda: refreshed[0]))
    source = make()
    cursor = merged(list(source.history({})))
    assert int(cursor["analytics_through"]) == NOON - 5 * DAY
    assert days(polls(source, cursor, 2)) == [1, 1]
    refreshed[0] = NOON
    spent[0] = Spent(TODAY - 3 * DAY, "150")
    assert [cost.amount for cost in costs(polls(source, cursor, 2))][:1] == [1_500_000_000]
    assert int(cursor["analytics_through"]) == NOON


def test_another_grouping_reads_everything_anew(make: Make, upstream: Upstream) -> None:
    upstream.on(ANALYTICS, analytics(list, lambda: NOON))
    cursor = caught_up(analytics_group="model")
    pages = polls(make(), cursor, 20)
    missing = [back for back in days(pages) if back > 4]
    assert missing[0] == (TODAY - 1_767_225_600_000_000) // DAY
    assert cursor["analytics_group"] != "model"
    assert int(cursor["analytics_through"]) >= NOON


def test_a_window_read_again_does_not_set_back_how_far_the_bill_reaches(
    make: Make, upstream: Upstream
) -> None:
    spent = [Spent(TODAY - DAY, "1")]
    upstream.on(LEGACY, legacy(spent, NOON))
    cursor = caught_up("legacy", TODAY, swept_at="0")
    pages = polls(make("legacy"), cursor, 1)
    assert len(days(pages, "legacy")) == 2
    assert cursor["data_refreshed_at"] == str(TODAY)


def test_a_day_s_bill_comes_with_the_usage_it_is_spread_by(make: Make, upstream: Upstream) -> None:
    upstream.on(LEGACY, legacy([], NOON))
    list(make("legacy").history({}))
    asked = upstream.asked(LEGACY_USAGE)
    assert asked[0].arg("starting_at") == "2025-11-21T00:00:00Z"
    assert asked[-1].arg("ending_at") == "2026-11-20T13:00:00Z"
    assert {request.arg("limit") for request in asked} == {"168"}
