"""The new reports over the wire: paging, groups, freshness, refusals."""

from decimal import Decimal
from typing import Any

import pytest

from emulators.world import instant
from emulators.world.instant import DAY, HOUR, MINUTE
from tests.emulators.stage import START, Stage

DIMENSIONS = ["model", "workspace_id", "cost_type", "token_type"]
WEEK = {
    "starting_at": instant.brief(START - 7 * DAY),
    "ending_at": instant.brief(START + HOUR),
    "time_bucket_width": "1h",
    "order_by": "time",
    "order": "asc",
}


def everything(stage: Stage, path: str, **params: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    page: dict[str, str] = {}
    while True:
        body = stage.anthropic(path, **params, **page).json()
        rows += body["data"]
        if not body["has_more"]:
            assert body["next_page"] is None
            return rows
        page = {"page": body["next_page"]}


def cents(rows: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(row["cost"]["amount"]) for row in rows), Decimal(0))


def test_pages_hold_every_row_once_in_the_order_of_time(season: Stage) -> None:
    rows = everything(season, "/analytics/cost", **WEEK, group_by_=DIMENSIONS, limit=100)
    keys = [(row["starting_at"], *row["group"].values()) for row in rows]
    assert len(set(keys)) == len(keys) > 2_000
    assert [key[0] for key in keys] == sorted(key[0] for key in keys)
    assert set(rows[0]["group"]) == set(DIMENSIONS)
    whole = season.anthropic("/analytics/cost", **WEEK, group_by_=DIMENSIONS, limit=1000).json()
    assert whole["data"] == rows[: len(whole["data"])]


@pytest.mark.parametrize("width", ["1h", "1d"])
def test_all_groupings_sum_to_the_same_amount(season: Stage, width: str) -> None:
    query = WEEK | {"time_bucket_width": width, "limit": 1000}
    sums = {
        cents(everything(season, "/analytics/cost", **query, group_by_=names))
        for names in ([], ["model"], DIMENSIONS, ["workspace_id", "api_key_id", "token_type"])
    }
    assert len(sums) == 1


def test_amounts_are_fractional_cents_that_make_the_totals(season: Stage) -> None:
    found = Decimal(0)
    for days in (91, 60, 29):
        start, end = START - days * DAY, min(START - (days - 31) * DAY, START + HOUR)
        span = {"starting_at": instant.brief(start), "ending_at": instant.brief(end)}
        found += cents(everything(season, "/analytics/cost", **span, limit=1000))
    assert found / 100 == Decimal(season.totals()["cost_total"])
    assert found % 1


def test_the_limit_counts_rows_before_they_fan_out(season: Stage) -> None:
    body = season.anthropic("/analytics/cost", **WEEK, group_by_=DIMENSIONS, limit=3).json()
    groups = {
        (r["starting_at"], r["group"]["model"], r["group"]["workspace_id"]) for r in body["data"]
    }
    assert len(groups) == 3 < len(body["data"])
    assert body["has_more"]
    assert all(row["cost"]["requests"] is None for row in body["data"])
    plain = season.anthropic("/analytics/cost", **WEEK, group_by_=["model"]).json()
    assert len(plain["data"]) == 20
    assert plain["data"][0]["cost"]["requests"] > 0


def test_without_a_width_there_is_one_row_per_group_ranked_by_amount(season: Stage) -> None:
    span = {name: WEEK[name] for name in ("starting_at", "ending_at")}
    rows = everything(season, "/analytics/cost", **span, group_by_=["model"])
    assert len(rows) == 4
    amounts = [Decimal(row["cost"]["amount"]) for row in rows]
    assert amounts == sorted(amounts, reverse=True)
    assert rows[0]["ending_at"] == span["ending_at"]


def test_usage_counts_tokens_in_their_nested_places(season: Stage) -> None:
    rows = everything(season, "/analytics/usage", **WEEK, group_by_=["model"], limit=1000)
    for row in rows:
        usage = row["usage"]
        counted = (
            usage["uncached_input_tokens"] + usage["output_tokens"]
            + usage["cache_read_input_tokens"] + sum(usage["cache_creation"].values())
        )  # fmt: skip
        assert usage["total_tokens"] == counted > 0
        assert usage["requests"] > 0
    ranked = everything(season, "/analytics/usage", **WEEK | {"order_by": "total_tokens"})
    totals = [row["usage"]["total_tokens"] for row in ranked]
    assert totals == sorted(totals)


def test_filters_leave_out_the_rest(season: Stage) -> None:
    rows = everything(
        season, "/analytics/cost", **WEEK, models_=["claude-opus-5"], group_by_=["model"], limit=999
    )
    assert {row["group"]["model"] for row in rows} == {"claude-opus-5"}


def test_cost_reaches_to_data_refreshed_at_and_grows_with_it(stage: Stage) -> None:
    def seen() -> tuple[str, Decimal]:
        body = stage.anthropic("/analytics/cost", **WEEK, limit=1000).json()
        return body["data_refreshed_at"], cents(body["data"])

    before = seen()
    assert before[0] == instant.brief(START - 3 * MINUTE)
    stage.now[0] += 4 * MINUTE
    assert seen() == before
    stage.now[0] += 2 * MINUTE
    assert seen()[0] == instant.brief(START + 2 * MINUTE)
    assert seen()[1] > before[1]


def test_pages_stay_whole_while_the_data_moves(stage: Stage) -> None:
    query = WEEK | {"limit": 10, "group_by_": ["model"]}
    first = stage.anthropic("/analytics/cost", **query).json()
    whole = stage.anthropic("/analytics/cost", **query | {"limit": 1000}).json()["data"]
    rows, body = first["data"], first
    while body["has_more"]:
        stage.now[0] += 10 * MINUTE
        body = stage.anthropic("/analytics/cost", **query, page=body["next_page"]).json()
        rows += body["data"]
    assert rows == whole


def test_an_injected_cost_is_a_row_at_once(stage: Stage) -> None:
    told = stage.tell("cost", model="claude-new", workspace="Trading", amount_cents="123.78912")
    assert told.status_code == 200
    rows = everything(stage, "/analytics/cost", **WEEK, group_by_=DIMENSIONS, limit=1000)
    own = [row for row in rows if row["group"]["model"] == "claude-new"]
    assert [row["cost"]["amount"] for row in own] == ["123.78912"]
    assert own[0]["starting_at"] == instant.brief(START)


@pytest.mark.parametrize(
    "change",
    [
        {"starting_at": None},
        {"starting_at": "soon"},
        {"starting_at": "2025-12-31T00:00:00Z"},
        {"ending_at": None},
        {"ending_at": instant.brief(START - 8 * DAY)},
        {"starting_at": instant.brief(START - 32 * DAY)},
        {"time_bucket_width": "5m"},
        {"time_bucket_width": "1m"},
        {"limit": 0},
        {"limit": 1001},
        {"order": "up"},
        {"order_by": "name"},
        {"group_by_": ["shoe_size"]},
        {"group_by_": ["actor", "model", "speed", "product", "workspace_id", "service_tier"]},
        {"page": "garbage"},
    ],
)
def test_what_does_not_fit_is_an_invalid_request(stage: Stage, change: dict[str, Any]) -> None:
    query = {name: value for name, value in (WEEK | change).items() if value is not None}
    answer = stage.anthropic("/analytics/cost", **query)
    assert answer.status_code == 400
    body = answer.json()
    assert (body["type"], body["error"]["type"]) == ("error", "invalid_request_error")
    assert body["request_id"] == answer.headers["request-id"]


def test_a_page_belongs_to_its_query(stage: Stage) -> None:
    page = stage.anthropic("/analytics/cost", **WEEK, limit=5).json()["next_page"]
    assert stage.anthropic("/analytics/cost", **WEEK, limit=5, page=page).status_code == 200
    assert stage.anthropic("/analytics/cost", **WEEK, limit=6, page=page).status_code == 400
    assert stage.anthropic("/analytics/usage", **WEEK, limit=5, page=page).status_code == 400


def test_minutes_add_up_to_their_hours(season: Stage) -> None:
    span = {"starting_at": instant.brief(START - 5 * HOUR), "ending_at": instant.brief(START)}
    hours = everything(season, "/analytics/cost", **WEEK | span, limit=1000)
    fine = WEEK | span | {"time_bucket_width": "1m"}
    minutes = everything(season, "/analytics/cost", **fine, limit=1000)
    assert cents(minutes) == cents(hours) > 0
    assert len(minutes) > 20 * len(hours)


def test_the_bill_may_lag_behind_usage(stage: Stage) -> None:
    stage.tell("cost", report={"lag_seconds": 6 * 3600})
    bill = stage.anthropic("/analytics/cost", **WEEK, limit=1000).json()
    usage = stage.anthropic("/analytics/usage", **WEEK, limit=1000).json()
    assert bill["data_refreshed_at"] == instant.brief(START - 6 * HOUR - 3 * MINUTE)
    assert usage["data_refreshed_at"] == instant.brief(START - 3 * MINUTE)
    assert max(row["starting_at"] for row in bill["data"]) == instant.brief(START - 7 * HOUR)
    assert max(row["starting_at"] for row in usage["data"]) == instant.brief(START - HOUR)


def test_a_revision_changes_the_bill_and_not_the_usage(stage: Stage) -> None:
    def seen() -> tuple[Decimal, int]:
        bill = everything(stage, "/analytics/cost", **WEEK, limit=1000)
        usage = everything(stage, "/analytics/usage", **WEEK, limit=1000)
        return cents(bill), sum(row["usage"]["total_tokens"] for row in usage)

    before = seen()
    past = {"start": instant.brief(START - 30 * HOUR), "model": "claude-opus-5"}
    stage.tell("cost", **past, amount_cents="-1.5")
    assert seen() == (before[0] - Decimal("1.5"), before[1])
    stage.tell("cost", **past, withdrawn=True)
    rows = everything(stage, "/analytics/cost", **WEEK, group_by_=DIMENSIONS, limit=1000)
    told = (past["start"], "claude-opus-5", stage.world.spend.workspace_ids[1])
    groups = {(r["starting_at"], r["group"]["model"], r["group"]["workspace_id"]) for r in rows}
    assert told not in groups
    assert seen()[1] == before[1]


def test_injected_tokens_are_usage_and_bill_by_their_terms(stage: Stage) -> None:
    before = cents(everything(stage, "/analytics/cost", **WEEK, limit=1000))
    terms = {"tier": "batch", "geography": "us"}
    stage.tell("cost", model="claude-sonnet-5", tokens=1_000_000, terms=terms)
    stage.tell("cost", model="claude-new", tokens=500)
    stage.tell("cost", tokens=700, terms={"tier": "priority"})
    bill = everything(stage, "/analytics/cost", **WEEK, limit=1000)
    assert cents(bill) - before == Decimal(550)
    names = ["model", "service_tier", "inference_geo"]
    usage = everything(stage, "/analytics/usage", **WEEK, group_by_=names, limit=1000)
    now = [row for row in usage if row["starting_at"] == instant.brief(START)]
    assert {tuple(row["group"].values()): row["usage"]["output_tokens"] for row in now} == {
        ("claude-sonnet-5", "batch", "us"): 1_000_000,
        ("claude-new", "standard", "global"): 500,
        ("claude-opus-5", "priority", "global"): 700,
    }


def test_searches_are_a_cost_type_of_their_own(season: Stage) -> None:
    rows = everything(season, "/analytics/cost", **WEEK, group_by_=DIMENSIONS, limit=1000)
    found = [row for row in rows if row["group"]["cost_type"] == "web_search"]
    usage = everything(season, "/analytics/usage", **WEEK, limit=1000)
    searches = sum(row["usage"]["server_tool_use"]["web_search_requests"] for row in usage)
    assert cents(found) == searches > 0
    assert {row["group"]["token_type"] for row in found} == {None}
