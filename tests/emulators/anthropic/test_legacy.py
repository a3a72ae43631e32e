"""The legacy reports over the wire: buckets with the empty ones, days only, their 400."""

from decimal import Decimal
from typing import Any

import pytest

from emulators.anthropic import legacy
from emulators.world import instant
from emulators.world.instant import DAY, HOUR
from tests.emulators.stage import ADMIN_KEY, START, Stage

TODAY = START - START % DAY


def buckets(stage: Stage, path: str, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    page: dict[str, str] = {}
    while True:
        body = stage.anthropic(path, **params, **page).json()
        found += body["data"]
        if not body["has_more"]:
            return found
        page = {"page": body["next_page"]}


def test_days_come_oldest_first_and_empty_ones_are_there(season: Stage) -> None:
    start = TODAY - 95 * DAY
    days = buckets(season, "/cost_report", starting_at=instant.brief(start), limit=31)
    assert [day["starting_at"] for day in days] == [
        instant.brief(start + n * DAY) for n in range(95)
    ]
    assert days[0]["results"] == []
    assert days[-1]["results"]


def test_today_comes_when_tomorrow_is_asked_for(season: Stage) -> None:
    query = {"starting_at": instant.brief(TODAY), "ending_at": instant.brief(TODAY + DAY)}
    days = buckets(season, "/cost_report", **query)
    assert [day["starting_at"] for day in days] == [instant.brief(TODAY)]
    assert days[0]["results"]


def test_no_complete_day_is_an_invalid_range(season: Stage) -> None:
    answer = season.anthropic("/cost_report", starting_at=instant.brief(TODAY + HOUR))
    assert answer.status_code == 400
    message = "Invalid date range: ending date must be after starting date"
    assert answer.json()["error"]["message"] == message


def test_both_kinds_of_report_tell_the_same_cost(season: Stage) -> None:
    start, end = instant.brief(TODAY - 6 * DAY), instant.brief(TODAY)
    days = buckets(season, "/cost_report", starting_at=start, group_by_=["description"])
    legacy = sum(Decimal(row["amount"]) for day in days for row in day["results"])
    rows = season.anthropic("/analytics/cost", starting_at=start, ending_at=end).json()["data"]
    assert legacy == Decimal(rows[0]["cost"]["amount"])


def test_descriptions_open_the_members_and_the_default_workspace_has_no_name(
    season: Stage,
) -> None:
    query = {"starting_at": instant.brief(TODAY - DAY)}
    plain = buckets(season, "/cost_report", **query)[0]["results"]
    assert {row["model"] for row in plain} == {None}
    rows = buckets(season, "/cost_report", **query, group_by_=["workspace_id", "description"])
    opened = rows[0]["results"]
    assert None in {row["workspace_id"] for row in opened}
    assert len({row["workspace_id"] for row in opened}) == 3
    assert all(row["model"] and row["description"] for row in opened)
    assert {bool(row["token_type"]) for row in opened if row["cost_type"] == "tokens"} == {True}
    assert {row["token_type"] for row in opened if row["cost_type"] == "web_search"} == {None}
    assert sum(Decimal(r["amount"]) for r in opened) == sum(Decimal(r["amount"]) for r in plain)


def test_usage_comes_by_the_hour_or_day(season: Stage) -> None:
    start = instant.brief(TODAY - 2 * DAY)
    hours = buckets(
        season, "/usage_report/messages", starting_at=start, bucket_width="1h", group_by_=["model"]
    )
    assert len(hours) == 48 + 21
    days = buckets(season, "/usage_report/messages", starting_at=start)

    def output(found: list[dict[str, Any]]) -> int:
        return sum(row["output_tokens"] for bucket in found for row in bucket["results"])

    assert output(hours) == output(days) > 0
    assert days[0]["results"][0]["model"] is None
    assert set(days[0]["results"][0]["cache_creation"]) == {
        "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("/cost_report", {"bucket_width": "1h"}),
        ("/cost_report", {"group_by_": ["model"]}),
        ("/cost_report", {"limit": 32}),
        ("/usage_report/messages", {"bucket_width": "5m"}),
        ("/usage_report/messages", {"group_by_": ["speed"]}),
        ("/usage_report/messages", {"group_by_": ["description"]}),
        ("/usage_report/messages", {"page": "garbage"}),
        ("/usage_report/messages", {"starting_at": "soon"}),
    ],
)
def test_what_does_not_fit_is_refused(season: Stage, path: str, change: dict[str, Any]) -> None:
    query = {"starting_at": instant.brief(TODAY - 3 * DAY)} | change
    assert season.anthropic(path, **query).status_code == 400


def test_minutes_of_usage_add_up_to_their_hours(season: Stage) -> None:
    span = {
        "starting_at": instant.brief(TODAY),
        "ending_at": instant.brief(TODAY + 5 * HOUR),
        "group_by_": ["model"],
    }

    def output(width: str) -> int:
        found = buckets(season, "/usage_report/messages", **span, bucket_width=width)
        return sum(row["output_tokens"] for bucket in found for row in bucket["results"])

    assert output("1m") == output("1h") > 0


def test_speed_is_a_group_for_whoever_knows_fast_mode(season: Stage) -> None:
    headers = {
        "x-api-key": ADMIN_KEY,
        "anthropic-version": "2023-06-01",
        "anthropic-beta": legacy.FAST_BETA,
    }
    query = {"starting_at": instant.brief(TODAY), "group_by_": ["speed"]}
    answer = season.anthropic("/usage_report/messages", headers=headers, **query)
    rows = [row for bucket in answer.json()["data"] for row in bucket["results"]]
    assert {row["speed"] for row in rows} == {"standard", "fast"}


@pytest.mark.parametrize("today", ["absent", "refused"])
def test_the_running_day_may_be_kept_back(stage: Stage, today: str) -> None:
    query = {
        "starting_at": instant.brief(TODAY - DAY),
        "ending_at": instant.brief(TODAY + DAY),
    }
    assert len(buckets(stage, "/cost_report", **query)) == 2
    stage.tell("cost", report={"today": today})
    answer = stage.anthropic("/cost_report", **query)
    if today == "refused":
        assert answer.status_code == 400
    else:
        assert len(answer.json()["data"]) == 1
