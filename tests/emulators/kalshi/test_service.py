"""Routes, rates and faults in front of them."""

import pytest

from emulators.world.instant import SECOND
from tests.emulators.stage import Stage


def test_public_routes_need_no_signature(stage: Stage) -> None:
    root = f"{stage.urls['kalshi']}/trade-api/v2"
    for path in ("/exchange/status", "/markets?limit=1", "/events?limit=1", "/historical/cutoff"):
        assert stage.session.get(root + path, timeout=10).status_code == 200


@pytest.mark.parametrize(
    "path", ["/portfolio/fills", "/portfolio/balance", "/historical/fills", "/account/limits"]
)
def test_the_account_needs_one(stage: Stage, path: str) -> None:
    url = f"{stage.urls['kalshi']}/trade-api/v2{path}"
    assert stage.session.get(url, timeout=10).status_code == 401


def test_there_is_nothing_else(stage: Stage) -> None:
    for path in ("/trade-api/ws/v3", "/trade-api/v2/nothing", "/", "/portfolio/fills"):
        answer = stage.session.get(stage.urls["kalshi"] + path, timeout=10)
        assert answer.status_code == 404
        assert answer.json() == {"error": {"code": "not_found", "message": "not found"}}
    url = f"{stage.urls['kalshi']}/trade-api/v2/portfolio/fills"
    assert stage.session.post(url, json={}, timeout=10).status_code == 404


def test_beyond_the_rate_comes_a_bare_429_until_tokens_come_back(stage: Stage) -> None:
    stage.tell("fault", read_tokens=200)
    answers = [stage.kalshi("/portfolio/balance") for _ in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    assert answers[-1].json() == {"error": "too many requests"}
    assert not {"Retry-After", "X-RateLimit-Limit"} & set(answers[-1].headers)
    stage.now[0] += SECOND // 20
    assert stage.kalshi("/portfolio/balance").status_code == 200
    assert stage.kalshi("/portfolio/balance").status_code == 429


def test_the_limits_are_told(stage: Stage) -> None:
    stage.tell("fault", read_tokens=200)
    body = stage.kalshi("/account/limits").json()
    assert body["read"] == {"refill_rate": 200, "bucket_capacity": 200}
    assert stage.kalshi("/account/endpoint_costs").json()["default_cost"] == 10


def test_a_source_that_is_down_leaves_the_others_up(stage: Stage) -> None:
    stage.tell("fault", source="kalshi", status=503)
    assert stage.kalshi("/portfolio/balance").status_code == 503
    assert stage.revenue().status_code == 200
    stage.tell("fault", source="kalshi", status="ok", latency_ms=1)
    assert stage.kalshi("/portfolio/balance").status_code == 200
