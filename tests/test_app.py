"""The roof: every route is there, and a page's figures are in its own HTML only."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import dash
import pytest
from flask.testing import FlaskClient

from app import create_app
from ledger import moment
from settings import Settings
from storage import engine, schema
from storage.engine import unguarded
from storage.snapshots import Snapshots
from tests.components.conftest import whole

NET = "\N{MINUS SIGN}$1,234.56"
FIGURE = "1234.56"


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    url = f"sqlite:///{tmp_path / 'northstar.db'}"
    return Settings(database_url=url, secret_key="test")  # noqa: S106 -- no real one


@pytest.fixture
def client(chosen: Settings) -> Iterator[FlaskClient]:
    dash.page_registry.clear()
    server = create_app(chosen).server
    yield server.test_client()
    server.extensions["hub"].close()
    server.extensions["reader"].close()
    dash.page_registry.clear()


@pytest.fixture
def shown(chosen: Settings) -> dict[str, Any]:
    """Store one complete snapshot and return its document."""
    opened = engine.writer(chosen.database_url)
    schema.upgrade(opened)
    now = moment.system()
    figures = dict.fromkeys(schema.FIGURES, 0)
    document = whole() | {"as_of": moment.text(now), "net_pnl": -1234.56, "complete": True}

    def render(epoch: str, seq: int) -> dict[str, Any]:
        return document | {"epoch": epoch, "seq": seq}

    Snapshots(opened, unguarded).append(now, figures, render, {}, {"complete": "1"})
    opened.dispose()
    return document


def first_paint(html: str) -> str:
    """Return what the page shows before any script has run."""
    (found,) = re.findall(r"<div data-first-paint.*?</p></div></div></div>", html)
    return unescape(re.sub(r"<[^>]*>", " ", found))


def test_the_page_says_that_it_starts_before_there_is_a_database(client: FlaskClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert "starting" in first_paint(answer.text)


def test_the_first_html_shows_the_net_before_any_script_has_run(
    client: FlaskClient, shown: dict[str, Any]
) -> None:
    assert shown["complete"]
    assert NET in first_paint(client.get("/").text)


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize("path", ["/no-such-page", "/_dash-layout", "/_dash-dependencies"])
def test_a_pages_figures_are_in_no_other_answer(client: FlaskClient, path: str) -> None:
    text = unescape(client.get(path).text)
    assert NET.lstrip("\N{MINUS SIGN}") not in text
    assert FIGURE not in text


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api/pnl/current", "application/json"),
        ("/api/pnl/series?period=1m", "application/json"),
        ("/api/pnl/series.csv?period=1m", "text/csv"),
        ("/api/trading/fills.csv", "text/csv"),
        ("/healthz", "application/json"),
        ("/readyz", "application/json"),
        ("/metrics", "text/plain"),
    ],
)
def test_every_route_for_machines_is_mounted(client: FlaskClient, path: str, kind: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype) == (200, kind)


@pytest.mark.usefixtures("shown")
def test_current_series_and_page_are_of_one_snapshot(client: FlaskClient) -> None:
    current = client.get("/api/pnl/current")
    assert current.get_json()["net_pnl"] == -1234.56
    assert current.get_json()["seq"] == 1


def test_the_live_routes_refuse_what_is_no_live_client(client: FlaskClient) -> None:
    assert client.get("/ws/pnl").status_code == 400
    assert client.get("/api/no-such-route").mimetype == "application/problem+json"


@pytest.mark.usefixtures("chosen")
def test_the_pages_of_one_start_are_the_ones_registered(client: FlaskClient) -> None:
    assert client.get("/").status_code == 200
    assert [page["path"] for page in dash.page_registry.values()] == ["/"]
