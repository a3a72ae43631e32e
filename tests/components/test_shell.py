"""The frame around every page."""

from typing import Any
from zoneinfo import ZoneInfo

from components import ids, shell
from components.cards import Sheet
from tests.components import trees


def test_the_header_links_only_pages_that_exist() -> None:
    made = shell.header(
        [{"name": "Overview", "path": "/"}, {"name": "History", "path": "/history"}]
    )
    nav = trees.kind(made, "Nav")[0]
    assert [(link.children, link.href) for link in trees.kind(nav, "Link")] == [
        ("Overview", "/"),
        ("History", "/history"),
    ]


def test_the_frame_has_one_main_one_badge_and_the_transports() -> None:
    made = shell.layout("UTC", 10)
    assert len(trees.kind(made, "Main")) == 1
    for name in (ids.BADGE, ids.BANNER, ids.ANNOUNCER, ids.SOCKET, ids.POLL, ids.CONFIG):
        assert len(trees.having(made, "id", name)) == 1, name


def test_the_page_has_its_own_heading_and_the_frame_none() -> None:
    assert trees.kind(shell.layout("UTC", 10), "H1") == []


def test_icon_buttons_have_a_name() -> None:
    assert shell.switch().to_plotly_json()["props"]["aria-label"]


def test_the_html_says_its_language_and_loads_nothing_from_elsewhere() -> None:
    assert '<html lang="en">' in shell.INDEX
    assert "http" not in shell.INDEX
    for place in ("metas", "title", "css", "app_entry", "config", "scripts", "renderer"):
        assert f"{{%{place}%}}" in shell.INDEX


def test_the_first_numbers_are_in_the_html(document: dict[str, Any], zone: ZoneInfo) -> None:
    html = shell.painted(shell.INDEX, Sheet(document, zone))
    assert "$7,719.23" in html
    assert "Demo" in html
    assert shell.PLACE not in html


def test_the_html_names_no_net_that_is_not_known(document: dict[str, Any], zone: ZoneInfo) -> None:
    document["complete"] = False
    assert "incomplete" in shell.painted(shell.INDEX, Sheet(document, zone))
    starting = shell.painted(shell.INDEX, Sheet(None, zone))
    assert "starting" in starting
    assert "$" not in starting


def test_live_figures_carry_no_demo_label(document: dict[str, Any], zone: ZoneInfo) -> None:
    document["mode"] = "live"
    assert "Demo" not in shell.painted(shell.INDEX, Sheet(document, zone))
