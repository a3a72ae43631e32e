"""Errors: one shape everywhere, never a stack trace."""

from collections.abc import Callable
from http import HTTPStatus

import pytest
import requests

from tests.delivery.conftest import Database, Web


def problem(answer: requests.Response, status: HTTPStatus) -> dict[str, object]:
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert (body["status"], body["title"]) == (status, status.phrase)
    assert set(body) >= {"type", "title", "status", "detail", "instance"}
    return dict(body)


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/api/pnl/current/more", "/ws/other", "/api/x.csv"]
)
def test_an_unknown_path_is_404_though_pages_own_the_rest(standing: Web, path: str) -> None:
    assert problem(standing.get(path), HTTPStatus.NOT_FOUND)["instance"] == path


def test_a_page_path_is_left_to_the_pages(standing: Web) -> None:
    assert standing.get("/anything").text == "a page router owns anything"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/api/pnl/current", "/api/pnl/series.csv", "/healthz"])
def test_a_wrong_method_is_405_and_names_the_right_ones(
    standing: Web, method: str, path: str
) -> None:
    answer = requests.request(method, standing.base + path, timeout=20)
    problem(answer, HTTPStatus.METHOD_NOT_ALLOWED)
    assert "GET" in answer.headers["Allow"]


def test_a_bad_parameter_is_400_and_named(standing: Web) -> None:
    body = problem(standing.get("/api/pnl/series?points=0"), HTTPStatus.BAD_REQUEST)
    assert body["field"] == "points"
    assert body["detail"] == "points must be a whole number from 1 to 10000"


def test_before_the_first_snapshot_every_figure_is_503(
    start: Callable[..., Web], database: Database
) -> None:
    web = start()
    for path in ("/api/pnl/current", "/api/pnl/series", "/api/trading/fills.csv", "/readyz"):
        answer = web.get(path)
        problem(answer, HTTPStatus.SERVICE_UNAVAILABLE)
        assert int(answer.headers["Retry-After"]) > 0
    assert web.get("/healthz").ok
    del database


def test_a_fault_of_ours_is_500_without_its_trace(fresh: Web) -> None:
    body = problem(fresh.get("/api/broken"), HTTPStatus.INTERNAL_SERVER_ERROR)
    assert "division" not in str(body)
    fresh.stop()
    assert "ZeroDivisionError" in "".join(fresh.log)
    fresh.log.clear()
