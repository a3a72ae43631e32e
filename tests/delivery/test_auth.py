"""Who may come in, and what every machine response forbids."""

import pytest
import requests

from tests.delivery.conftest import Web


@pytest.mark.parametrize(
    "path", ["/api/pnl/current", "/healthz", "/metrics", "/api/nothing", "/api/pnl/series?period=x"]
)
def test_every_machine_response_is_hardened(standing: Web, path: str) -> None:
    headers = standing.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Cache-Control" in headers


def test_a_page_keeps_its_own_headers(standing: Web) -> None:
    assert "Content-Security-Policy" not in standing.get("/overview").headers


def test_reading_needs_no_origin(standing: Web) -> None:
    given = {"Origin": "https://evil.example"}
    answer = requests.get(f"{standing.base}/api/pnl/current", headers=given, timeout=20)
    assert answer.ok
    assert "Access-Control-Allow-Origin" not in answer.headers
