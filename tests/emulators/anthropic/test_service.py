"""Who may ask, who the organization is, and accounts without analytics."""

import pytest

from tests.emulators.stage import ADMIN_KEY, Stage

VERSION = {"anthropic-version": "2023-06-01"}


@pytest.mark.parametrize(
    ("headers", "status", "kind"),
    [
        (VERSION, 401, "authentication_error"),
        (VERSION | {"x-api-key": "sk-ant-api03-x"}, 401, "authentication_error"),
        ({"x-api-key": ADMIN_KEY}, 400, "invalid_request_error"),
    ],
)
def test_key_and_version_are_required(
    stage: Stage, headers: dict[str, str], status: int, kind: str
) -> None:
    answer = stage.anthropic("/me", headers=headers)
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)


def test_a_bearer_will_do(stage: Stage) -> None:
    headers = VERSION | {"Authorization": f"Bearer {ADMIN_KEY}"}
    assert stage.anthropic("/me", headers=headers).json()["type"] == "organization"


def test_analytics_need_their_beta(stage: Stage) -> None:
    answer = stage.anthropic("/analytics/cost", headers=VERSION | {"x-api-key": ADMIN_KEY})
    assert answer.status_code == 400
    assert "anthropic-beta" in answer.json()["error"]["message"]


@pytest.mark.parametrize(("mode", "kind"), [(403, "permission_error"), (404, "not_found_error")])
def test_an_account_can_be_legacy_only(stage: Stage, mode: int, kind: str) -> None:
    stage.tell("fault", analytics=mode)
    for path in ("/analytics/cost", "/analytics/usage"):
        answer = stage.anthropic(path)
        assert (answer.status_code, answer.json()["error"]["type"]) == (mode, kind)
    assert stage.anthropic("/cost_report", starting_at="2026-11-18T00:00:00Z").status_code == 200
    stage.tell("fault", analytics="ok")
    assert stage.anthropic("/analytics/cost").status_code == 400


def test_names_are_told(stage: Stage) -> None:
    names = [row["name"] for row in stage.anthropic("/workspaces").json()["data"]]
    assert names == ["Research", "Trading"]
    keys = stage.anthropic("/api_keys").json()["data"]
    assert [key["workspace_id"] is None for key in keys] == [False, False, True]


def test_there_is_nothing_else(stage: Stage) -> None:
    assert stage.anthropic("/invites").status_code == 404
    url = f"{stage.urls['anthropic']}/v1/messages"
    headers = VERSION | {"x-api-key": ADMIN_KEY}
    assert stage.session.get(url, headers=headers, timeout=10).status_code == 404


def test_lists_are_paged_by_id(stage: Stage) -> None:
    query = {"include_archived": "true", "include_default": "true", "limit": 2}
    first = stage.anthropic("/workspaces", **query).json()
    assert [row["name"] for row in first["data"]] == ["Research", "Trading"]
    assert first["has_more"]
    rest = stage.anthropic("/workspaces", **query, after_id=first["last_id"]).json()
    assert [row["name"] for row in rest["data"]] == ["Default", "Sandbox"]
    assert not rest["has_more"]
    back = stage.anthropic("/workspaces", **query, before_id=rest["first_id"]).json()
    assert back == first | {"has_more": False}
    assert stage.anthropic("/workspaces", after_id="unknown").status_code == 400
    assert stage.anthropic("/api_keys", status="inactive").json()["data"] == []


@pytest.mark.parametrize("wait", [None, 7])
def test_so_many_requests_are_throttled(stage: Stage, wait: int | None) -> None:
    stage.tell("cost", report={"throttled": 2, "retry_after": wait})
    refused = [stage.anthropic("/me") for _ in range(2)]
    assert [answer.status_code for answer in refused] == [429, 429]
    assert refused[0].headers.get("retry-after") == (None if wait is None else str(wait))
    assert refused[0].json()["request_id"] == refused[0].headers["request-id"]
    assert stage.anthropic("/me").status_code == 200


def test_a_spend_limit_holds_until_it_is_raised(stage: Stage) -> None:
    stage.tell("cost", report={"capped": True})
    answers = [stage.anthropic("/me") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {429}
    assert "retry-after" not in answers[0].headers
    stage.tell("cost", report={"capped": False})
    assert stage.anthropic("/me").status_code == 200


def test_a_conduct_nobody_knows_is_refused(stage: Stage) -> None:
    assert stage.tell("cost", report={"mood": "bad"}).status_code == 400
    assert stage.tell("cost", report={"today": "maybe"}).status_code == 400
