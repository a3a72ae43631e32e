"""When the exchange rests, and what it answers then."""

from typing import Any

import pytest

from emulators.world import instant
from emulators.world.instant import HOUR, MINUTE
from emulators.world.pauses import weekly
from tests.emulators.stage import START, Stage

THURSDAY = instant.parse("2026-11-26T08:00:00Z")
"""03:00 in New York, in winter."""


def pause(stage: Stage, **wish: Any) -> None:
    assert stage.tell("fault", kalshi=wish).status_code == 200


@pytest.mark.parametrize(
    ("moment", "rests"),
    [
        ("2026-11-26T07:59:59Z", False), ("2026-11-26T08:00:00Z", True),
        ("2026-11-26T09:59:59Z", True), ("2026-11-26T10:00:00Z", False),
        ("2026-11-27T08:30:00Z", False), ("2026-07-02T07:00:00Z", True),
        ("2026-07-02T06:59:59Z", False), ("2026-07-02T09:00:00Z", False),
    ],
)  # fmt: skip
def test_thursdays_pause_follows_new_york(moment: str, *, rests: bool) -> None:
    assert weekly(instant.parse(moment)) == rests


def test_usually_trading_is_active_everywhere(stage: Stage) -> None:
    body = stage.kalshi("/exchange/status").json()
    assert (body["exchange_active"], body["trading_active"]) == (True, True)
    assert [one["exchange_index"] for one in body["exchange_index_statuses"]] == [0, 1, 2, 3]


def test_a_wished_pause_stops_the_trader_until_it_ends(stage: Stage) -> None:
    pause(stage, pause="on")
    stage.now[0] += MINUTE
    body = stage.kalshi("/exchange/status").json()
    assert (body["exchange_active"], body["trading_active"]) == (True, False)
    assert body["exchange_estimated_resume_time"] > instant.text(stage.now[0])
    before = stage.totals()["fills"]
    stage.now[0] += 10 * MINUTE
    assert stage.totals()["fills"] == before
    pause(stage, pause="off")
    stage.now[0] += MINUTE
    assert stage.totals()["fills"] > before
    assert stage.kalshi("/exchange/status").json()["trading_active"]


def test_thursdays_pause_comes_and_goes_by_itself(stage: Stage) -> None:
    pause(stage, pause="thursday")
    assert stage.kalshi("/exchange/status").json()["trading_active"]
    stage.now[0] = THURSDAY + HOUR
    body = stage.kalshi("/exchange/status").json()
    assert not body["trading_active"]
    assert body["exchange_estimated_resume_time"] == instant.text(THURSDAY + 2 * HOUR)
    assert stage.kalshi("/portfolio/balance").status_code == 200
    stage.now[0] = THURSDAY + 2 * HOUR
    assert stage.kalshi("/exchange/status").json()["trading_active"]


def test_a_maintenance_answers_everything_with_its_status_and_the_normal_body(
    stage: Stage,
) -> None:
    pause(stage, pause="on", maintenance=503)
    answer = stage.kalshi("/exchange/status")
    assert answer.status_code == 503
    assert answer.json()["exchange_active"] is False
    refused = stage.kalshi("/portfolio/balance")
    assert refused.status_code == 503
    assert refused.json() == {"code": "service_unavailable", "message": "service unavailable"}
    stage.tell("fault", kalshi="ok")
    assert stage.kalshi("/exchange/status").status_code == 200
    assert stage.kalshi("/portfolio/balance").status_code == 200


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"error": {"code": "unauthorized", "message": "unauthorized"}}),
        (403, {"code": "forbidden", "message": "forbidden"}),
        (404, {"error": {"code": "not_found", "message": "not found"}}),
        (429, {"error": "too many requests"}),
        (500, {"code": "internal_server_error", "message": "internal server error"}),
    ],
)
def test_one_path_can_be_broken_alone(stage: Stage, status: int, body: object) -> None:
    pause(stage, answers={"/portfolio/balance": status})
    answer = stage.kalshi("/portfolio/balance")
    assert (answer.status_code, answer.json()) == (status, body)
    assert "Retry-After" not in answer.headers
    assert stage.kalshi("/portfolio/fills").status_code == 200
    pause(stage, answers={"/portfolio/balance": None})
    assert stage.kalshi("/portfolio/balance").status_code == 200


@pytest.mark.parametrize(
    "wish", [7, {"weather": 1}, {"pause": "lunch"}, {"maintenance": "x"}, {"answers": [1]}]
)
def test_a_plan_that_is_none_is_refused(stage: Stage, wish: object) -> None:
    assert stage.tell("fault", kalshi=wish).status_code == 400
    assert stage.kalshi("/exchange/status").json()["trading_active"]


def test_the_week_has_a_hole_on_thursday(stage: Stage) -> None:
    schedule = stage.kalshi("/exchange/schedule").json()["schedule"]
    week = schedule["standard_hours"][0]
    assert [len(week[day]) for day in ("wednesday", "thursday", "friday")] == [1, 2, 1]
    window = schedule["maintenance_windows"][0]
    assert window["start_datetime"] == instant.text(THURSDAY)
    assert START < THURSDAY


def test_what_costs_less_is_charged_less(stage: Stage) -> None:
    stage.tell("fault", read_tokens=10)
    root = f"{stage.urls['kalshi']}/trade-api/v2"
    path = f"{root}/account/endpoint_costs"
    listed = stage.session.get(path, timeout=10).json()["endpoint_costs"]
    assert [(one["path"], one["cost"]) for one in listed] == [
        ("/trade-api/v2/account/endpoint_costs", 1)
    ]
    answers = [stage.session.get(path, timeout=10).status_code for _ in range(9)]
    assert answers == [200] * 9
    assert stage.session.get(path, timeout=10).status_code == 429
