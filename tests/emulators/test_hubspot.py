"""HubSpot over the wire: texts for everything, its own errors, its own limits."""

from typing import Any

import pytest

from emulators.hubspot import ACCOUNT, OBJECTS, PIPELINES, SEARCH
from emulators.world import instant
from emulators.world.instant import DAY
from tests.emulators.stage import START, Stage

PROPERTIES = "dealname,amount,dealstage,hs_is_closed_won,nothing_known"


def listed(stage: Stage, **params: Any) -> list[dict[str, Any]]:
    """Page through the list to its end."""
    rows: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        body = stage.hubspot(OBJECTS, params={"properties": PROPERTIES, **params, **after}).json()
        rows += body["results"]
        if "paging" not in body:
            return rows
        after = {"after": body["paging"]["next"]["after"]}


def search(stage: Stage, *filters: tuple[str, str, object], **more: Any) -> Any:
    named = [
        {"propertyName": name, "operator": operator, "value": str(value)}
        for name, operator, value in filters
    ]
    body = {"filterGroups": [{"filters": named}] if named else [], "properties": ["amount"], **more}
    return stage.hubspot(SEARCH, json=body)


def test_the_list_holds_every_deal_once_archived_ones_apart(stage: Stage) -> None:
    stage.tell("deal", name="Gone", status="void", amount="1")
    ours = stage.revenue().json()["data"]
    live, archived = listed(stage, limit=7), listed(stage, archived="true")
    assert len(live) == len({row["id"] for row in live})
    assert len(live) + len(archived) == len(ours)
    assert {row["archived"] for row in live} == {False}
    assert all(row["archivedAt"] for row in archived)
    amounts = sorted(row["properties"]["amount"] for row in [*live, *archived])
    assert amounts == sorted(deal["amount"] for deal in ours)


def test_properties_are_texts_and_only_those_asked_for(stage: Stage) -> None:
    row = listed(stage)[0]
    always = {"createdate", "hs_lastmodifieddate", "hs_object_id"}
    assert set(row["properties"]) == {*PROPERTIES.split(","), *always}
    values = row["properties"].values()
    assert {type(value) for value in values} == {str, type(None)}
    assert row["properties"]["hs_lastmodifieddate"] == row["updatedAt"]
    assert row["properties"]["nothing_known"] is None


def test_a_search_finds_what_changed_since(stage: Stage) -> None:
    since = START - 10 * DAY
    body = search(stage, ("hs_lastmodifieddate", "GTE", since // 1_000), limit=200).json()
    changed = [
        deal
        for deal in stage.revenue(updated_since=instant.text(since)).json()["data"]
        if deal["status"] != "void"
    ]
    assert body["total"] == len(body["results"]) == len(changed) > 0


def test_a_search_is_ordered_and_paged_by_offset(stage: Stage) -> None:
    order = [{"propertyName": "hs_lastmodifieddate", "direction": "DESCENDING"}]
    first = search(stage, sorts=order, limit=3).json()
    second = search(stage, sorts=order, limit=3, after=first["paging"]["next"]["after"]).json()
    times = [row["updatedAt"] for page in (first, second) for row in page["results"]]
    assert times == sorted(times, reverse=True)
    assert first["paging"]["next"]["after"] == "3"


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"limit": 0},
        {"limit": 100, "after": 9_950},
        {"sorts": [{"propertyName": "a"}]},
        {"filterGroups": [{"filters": []}] * 6},
        {"filterGroups": [{"filters": [{"propertyName": "amount", "operator": "EQ"}]}]},
    ],
)
def test_a_search_beyond_the_limits_is_a_validation_error(
    stage: Stage, body: dict[str, Any]
) -> None:
    answer = stage.hubspot(SEARCH, json=body)
    assert answer.status_code == 400
    told = answer.json()
    assert set(told) == {"status", "message", "correlationId", "category"}
    assert (told["status"], told["category"]) == ("error", "VALIDATION_ERROR")


def test_the_sixth_search_of_a_second_is_one_too_many(stage: Stage) -> None:
    answers = [search(stage).status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]
    assert search(stage).json()["policyName"] == "SECONDLY"
    stage.now[0] += 1_000_000
    assert search(stage).status_code == 200


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [(OBJECTS, "wrong", 401), ("/crm/v3/objects/deals", "rev_test", 404)],
)
def test_what_is_refused_has_hubspots_shape(
    stage: Stage, path: str, token: str, status: int
) -> None:
    answer = stage.hubspot(path, token)
    assert answer.status_code == status
    assert set(answer.json()) == {"status", "message", "correlationId", "category"}


def test_the_account_says_its_currency_unless_the_key_may_not_ask(stage: Stage) -> None:
    stages = stage.hubspot(PIPELINES).json()["results"][0]["stages"]
    assert {stage["metadata"]["isClosed"] for stage in stages} == {"true", "false"}
    assert stage.hubspot(ACCOUNT).json()["companyCurrency"] == "USD"
    stage.tell("fault", deals={"account": False})
    assert stage.hubspot(ACCOUNT).status_code == 403


def test_the_revenue_system_may_be_a_bare_list_with_a_version(stage: Stage) -> None:
    first = stage.revenue()
    assert first.json()["next_cursor"] is None
    headers = {"Authorization": "Bearer rev_test", "If-None-Match": first.headers["ETag"]}
    url = f"{stage.urls['revenue']}/deals"
    assert stage.session.get(url, headers=headers, timeout=10).status_code == 304
    stage.tell("deal", name="News", amount="1", status="pending")
    assert stage.session.get(url, headers=headers, timeout=10).status_code == 200
    assert stage.tell("fault", deals={"bare": True, "etag": False}).ok
    bare = stage.revenue(limit=1)
    assert isinstance(bare.json(), list)
    assert len(bare.json()) > 1
    assert "ETag" not in bare.headers
    assert stage.tell("fault", deals="ok").ok
    assert stage.tell("fault", deals={"colour": 1}).status_code == 400


def test_some_deals_are_in_another_currency(stage: Stage) -> None:
    deals = stage.revenue().json()["data"]
    abroad = [deal for deal in deals if deal["currency"] == "EUR"]
    assert abroad
    assert {deal["rate"] for deal in abroad} == {"1.0825"}
    assert any(float(deal["amount"]) < 0 for deal in deals)
    assert any(deal["service_start"] for deal in deals)
