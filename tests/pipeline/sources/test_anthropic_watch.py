"""Any change of the trailing month is read with the next poll, within the requests it may make."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.moment import DAY, HOUR, MICROS, MINUTE
from ledger.money import NANO
from pipeline.flows import Flows
from pipeline.sources import anthropic_days
from pipeline.sources.anthropic import Anthropic
from pipeline.sources.source import Deadline, Held
from storage import engine, schema
from storage.engine import unguarded
from storage.facts import Facts, Page
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
from tests.pipeline.sources.upstream import Reply, Request, Upstream

BACK = (25, 12, 5, 2)


@pytest.fixture
def make(upstream: Upstream, hands: Hands) -> Iterator[Make]:
    with opened(upstream, hands) as build:
        yield build


def again(pages: list[Page]) -> list[int]:
    """Return how many days back each whole day lies that was read by itself."""
    windows = [page.window for page in pages if page.window]
    return [(TODAY - w.start) // DAY for w in windows if w.end - w.start == DAY]


def totals(upstream: Upstream) -> list[Request]:
    """Return the requests for totals by the day."""
    return [one for one in upstream.asked(ANALYTICS) if one.arg("time_bucket_width") == "1d"]


def imported(
    make: Make, upstream: Upstream, spent: list[Spent]
) -> tuple[Anthropic, dict[str, str]]:
    """Return a source and its cursor after a history of what was spent, which may change later."""
    upstream.on(ANALYTICS, analytics(lambda: spent, lambda: NOON))
    source = make()
    return source, merged(list(source.history({})))


def test_a_change_of_any_age_is_read_with_the_next_poll_newest_first_and_once(
    make: Make, upstream: Upstream
) -> None:
    spent = [Spent(TODAY - back * DAY, "100") for back in BACK]
    source, cursor = imported(make, upstream, spent)
    assert again(poll(source, cursor)) == []
    spent[:] = [Spent(line.start, "150") for line in spent]
    pages = poll(source, cursor, NOON + MINUTE)
    assert again(pages) == sorted(BACK)
    assert {cost.start: cost.amount for cost in costs(pages)} == {
        TODAY - back * DAY: 1_500_000_000 for back in BACK
    }
    cursor |= merged(pages)
    assert again(poll(source, cursor, NOON + 2 * MINUTE)) == []


def test_each_change_is_restated_exactly_once(
    make: Make, upstream: Upstream, tmp_path: Path
) -> None:
    """One row grew and one vanished while the bill had long passed them."""
    opened = engine.writer(f"sqlite:///{tmp_path / 'northstar.db'}")
    schema.upgrade(opened)
    facts = Facts(opened, unguarded, lambda: NOON)
    spent = [Spent(TODAY - back * DAY, "100") for back in (20, 5)]
    upstream.on(ANALYTICS, analytics(lambda: spent, lambda: NOON))
    source, flows = make(), Flows(facts)
    for page in source.history({}):
        facts.record(page)
    flows.load(NOON)
    spent[:] = [Spent(TODAY - 5 * DAY, "150")]
    for minute in range(1, 4):
        pages = poll(source, facts.cursor("anthropic"), NOON + minute * MINUTE)
        changes = [change for page in pages for change in facts.record(page).costs]
        flows.take(changes, [], NOON + minute * MINUTE)
    told = [(one.start, one.end, one.amount, one.seen_at) for one in flows.restatements]
    seen = NOON + MINUTE
    assert told == [
        (TODAY - 20 * DAY, TODAY - 20 * DAY + HOUR, NANO, seen),
        (TODAY - 5 * DAY, TODAY - 5 * DAY + HOUR, -NANO // 2, seen),
    ]
    opened.dispose()


def test_a_row_that_vanished_makes_its_day_differ(make: Make, upstream: Upstream) -> None:
    spent = [Spent(TODAY - 20 * DAY, "100")]
    source, cursor = imported(make, upstream, spent)
    spent.clear()
    pages = poll(source, cursor)
    assert again(pages) == [20]
    assert costs(pages) == []


def test_what_changed_while_nothing_ran_is_read_with_the_first_poll(
    make: Make, upstream: Upstream
) -> None:
    """Two days were the tail when it stopped and are past now: their sums were remembered too."""
    spent = [Spent(TODAY - DAY, "100"), Spent(TODAY - 9 * DAY, "100")]
    source, cursor = imported(make, upstream, spent)
    cursor |= merged(poll(source, cursor))
    spent[:] = [Spent(line.start, "101") for line in spent]
    pages = poll(make(), cursor, NOON + 2 * DAY)
    assert again(pages)[:2] == [1, 9]
    assert {cost.amount for cost in costs(pages)} == {1_010_000_000}


def test_a_day_every_poll_reads_is_remembered_as_it_was_read_last(
    make: Make, upstream: Upstream
) -> None:
    spent = [Spent(TODAY - DAY, "100")]
    source, cursor = imported(make, upstream, spent)
    spent[0] = Spent(TODAY - DAY, "150")
    cursor |= merged(poll(source, cursor))
    assert anthropic_days.remembered(cursor)[TODAY - DAY] == 1_500_000_000


def test_days_a_cursor_of_before_knows_nothing_of_are_read_a_few_a_minute(
    make: Make, upstream: Upstream
) -> None:
    spent = [Spent(TODAY - back * DAY, "100") for back in range(2, 32)]
    upstream.on(ANALYTICS, analytics(lambda: spent, lambda: NOON))
    source, cursor = make(), caught_up(days="")
    pages = poll(source, cursor)
    cursor |= merged(pages)
    assert again(pages)[:20] == list(range(2, 22))
    assert len(upstream.seen) < 60 / 2
    assert again(poll(source, cursor, NOON + 50 * MICROS)) == []
    later = poll(source, cursor, NOON + MINUTE)
    assert again(later)[:11] == list(range(22, 33))


def test_polls_a_second_apart_ask_totals_each_ten_seconds(make: Make, upstream: Upstream) -> None:
    spent = [Spent(TODAY - 20 * DAY, "100")]
    source, cursor = imported(make, upstream, spent)
    for second in range(21):
        cursor |= merged(poll(source, cursor, NOON + second * MICROS))
    assert len(totals(upstream)) == 3
    (first, *_) = totals(upstream)
    assert first.arg("starting_at") == "2026-10-19T00:00:00Z"
    assert first.arg("ending_at") == "2026-11-19T00:00:00Z"
    assert not [name for name, _ in first.query if name == "group_by[]"]


def test_hours_told_later_than_their_day_are_read_until_they_come_to_it(
    make: Make, upstream: Upstream
) -> None:
    told, spent = [Spent(TODAY - 9 * DAY, "150")], [Spent(TODAY - 9 * DAY, "100")]
    hours = analytics(lambda: spent, lambda: NOON)
    days = analytics(lambda: told, lambda: NOON)
    source, cursor = imported(make, upstream, spent)
    upstream.on(
        ANALYTICS, lambda one: (days if one.arg("time_bucket_width") == "1d" else hours)(one)
    )
    read = []
    for minute in range(6):
        pages = poll(source, cursor, NOON + minute * MINUTE)
        cursor |= merged(pages)
        read.append(again(pages))
    assert read == [[9], [9], [9], [], [], []], "a day that never agrees is believed in the end"
    told[0] = Spent(TODAY - 9 * DAY, "160")
    spent[0] = told[0]
    pages = poll(source, cursor, NOON + 10 * MINUTE)
    assert [cost.amount for cost in costs(pages)] == [1_600_000_000]


def test_a_bill_finer_than_a_nano_dollar_comes_to_its_day(make: Make, upstream: Upstream) -> None:
    spent = [Spent(TODAY - 9 * DAY + hour * HOUR, "0.33333333") for hour in range(4)]
    source, cursor = imported(make, upstream, spent)
    first = poll(source, cursor)
    cursor |= merged(first)
    assert again(first) == [9]
    assert again(poll(source, cursor, NOON + MINUTE)) == []


def test_an_answer_older_than_the_last_changes_nothing(make: Make, upstream: Upstream) -> None:
    spent = [Spent(TODAY - 9 * DAY, "100")]
    source, cursor = imported(make, upstream, spent)
    hours = analytics(lambda: spent, lambda: NOON)
    stale = analytics(list, lambda: TODAY - 5 * DAY)
    upstream.on(
        ANALYTICS, lambda one: (stale if one.arg("time_bucket_width") == "1d" else hours)(one)
    )
    assert again(poll(source, cursor)) == []


def test_without_totals_the_poll_goes_on_and_says_so(make: Make, upstream: Upstream) -> None:
    hours = analytics(list, lambda: NOON)
    declined = Reply({"type": "error"}, 400)
    upstream.on(
        ANALYTICS, lambda one: declined if one.arg("time_bucket_width") == "1d" else hours(one)
    )
    source = make()
    pages = poll(source, caught_up(swept_at="0"))
    assert again(pages) == [2, 3, 4]
    assert "not compared" in source.detail


def test_no_day_is_begun_that_the_poll_has_no_time_for(make: Make, upstream: Upstream) -> None:
    spent = [Spent(TODAY - 9 * DAY, "100")]
    source, cursor = imported(make, upstream, spent)
    spent[0] = Spent(TODAY - 9 * DAY, "150")
    short = list(source.poll(cursor, Held(now=NOON), Deadline.after(0.9)))
    assert again(short) == []
    assert again(poll(source, cursor | merged(short), NOON + MINUTE)) == [9]


def test_each_poll_of_the_legacy_report_reads_31_days_in_one_request(
    make: Make, upstream: Upstream
) -> None:
    spent = [Spent(TODAY - 30 * DAY, "100")]
    upstream.on(LEGACY, legacy(spent, NOON))
    source = make("legacy")
    cursor = merged(list(source.history({})))
    spent[0] = Spent(TODAY - 30 * DAY, "150")
    before = len(upstream.asked(LEGACY))
    pages = poll(source, cursor)
    assert [cost.amount for cost in costs(pages)] == [1_500_000_000]
    assert pages[0].window
    assert (pages[0].window.start, pages[0].window.end) == (TODAY - 30 * DAY, TODAY)
    assert len(upstream.asked(LEGACY)) == before + 1


def test_legacy_days_never_read_come_with_their_usage_before_all_31_are_read_again(
    make: Make, upstream: Upstream
) -> None:
    upstream.on(LEGACY, legacy([], NOON))
    source, cursor = make("legacy"), caught_up("legacy", TODAY - 20 * DAY)
    first = poll(source, cursor)
    cursor |= merged(first)
    asked = [one.arg("starting_at") for one in upstream.asked(LEGACY_USAGE)]
    assert "2026-10-31T00:00:00Z" in asked
    assert first[0].window
    assert first[0].window.start == TODAY - 3 * DAY
    second = poll(source, cursor, NOON + MINUTE)
    assert second[0].window
    assert second[0].window.start == TODAY - 30 * DAY
