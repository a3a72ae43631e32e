"""The revenue system over the wire."""

import pytest

from emulators.world import instant
from emulators.world.instant import DAY
from tests.emulators.stage import START, Stage


def test_pages_hold_every_deal_once_in_the_order_of_change(stage: Stage) -> None:
    found, cursor = [], None
    while True:
        params = {"limit": 7} | ({"cursor": cursor} if cursor else {})
        body = stage.revenue(**params).json()
        found += body["data"]
        cursor = body["next_cursor"]
        assert len(body["data"]) == 7 or cursor is None
        if cursor is None:
            break
    assert found == stage.revenue().json()["data"]
    assert len({deal["id"] for deal in found}) == len(found) > 50
    keys = [(deal["updated_at"], deal["id"]) for deal in found]
    assert keys == sorted(keys)


def test_only_changed_deals_come_when_a_time_is_given(stage: Stage) -> None:
    since = instant.text(START - 10 * DAY)
    some = stage.revenue(updated_since=since).json()["data"]
    assert 0 < len(some) < 60
    assert all(deal["updated_at"] >= since for deal in some)


def test_an_injected_deal_comes_last(stage: Stage) -> None:
    told = stage.tell("deal", name="Übersee GmbH", amount="1234.50", status="pending")
    assert told.status_code == 200
    newest = stage.revenue().json()["data"][-1]
    assert newest == told.json()
    assert (newest["name"], newest["amount"]) == ("Übersee GmbH", "1234.50")
    assert stage.revenue().json()["as_of"] == instant.text(START)


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"token": "wrong"}, 401),
        ({"limit": 0}, 400),
        ({"limit": "x"}, 400),
        ({"updated_since": "yesterday"}, 400),
        ({"cursor": "garbage"}, 400),
    ],
)
def test_what_does_not_fit_is_refused_in_one_shape(
    stage: Stage, params: dict[str, object], status: int
) -> None:
    answer = stage.revenue(**params)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message"}


def test_there_is_one_route(stage: Stage) -> None:
    headers = {"Authorization": "Bearer rev_test"}
    url = f"{stage.urls['revenue']}/invoices"
    assert stage.session.get(url, headers=headers, timeout=10).status_code == 404
