"""The overview: figures already in it, in every state."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import flask

from components import ids
from ledger import moment
from ledger.bucket import Row
from ledger.moment import MINUTE
from storage import text
from tests.components import trees
from tests.pages.conftest import Database

DAY = moment.parse("2026-11-21T08:00:00Z")
NOW = DAY + 2 * MINUTE + 10 * moment.MICROS
LEVEL = 10**9
ROWS = [
    Row(DAY, 0, LEVEL, 0, LEVEL, LEVEL // 2, 0, 0, 0, 0, 0),
    Row(DAY + MINUTE, LEVEL, 3 * LEVEL, LEVEL, 2 * LEVEL, LEVEL, 0, 0, 0, 0, 0),
    Row(DAY + 2 * MINUTE, 2 * LEVEL, 3 * LEVEL, LEVEL, 3 * LEVEL, LEVEL, 0, 0, 0, 0, 0),
]

Render = Callable[[], Any]


def figure(tree: Any) -> dict[str, Any]:
    found: dict[str, Any] = trees.having(tree, "id", ids.CURVE)[0].figure
    return found


def live(tree: Any, path: str) -> set[str]:
    return {node.children for node in trees.having(tree, "data-live", path)}


def test_card_waterfall_and_end_of_the_curve_show_one_net(
    database: Database, overview: Render
) -> None:
    net = Decimal("3.125")
    database.append(NOW, ROWS, net_pnl=net)
    page = overview()
    assert live(page, "net_pnl") == {"$3.12"}
    assert figure(page)["data"][3]["y"][-1] == float(net)


def test_the_page_hands_over_the_very_text_of_its_document(
    database: Database, overview: Render
) -> None:
    seq = database.append(NOW, ROWS)
    handed = trees.having(overview(), "id", ids.SERVED)[0].data
    assert handed.encode() == database.reader.head().text
    assert text.decode(handed)["seq"] == seq


def test_the_curve_holds_the_minutes_that_are_over(database: Database, overview: Render) -> None:
    database.append(NOW, ROWS)
    net, tail = figure(overview())["data"][1], figure(overview())["data"][3]
    offset = -8 * 3_600_000
    assert net["x0"] == (DAY + MINUTE) // 1000 + offset
    assert tail["x"] == [(DAY + 2 * MINUTE) // 1000 + offset, NOW // 1000 + offset]


def test_every_component_of_the_net_is_shown_with_its_parts(
    database: Database, overview: Render
) -> None:
    database.append(NOW, ROWS)
    page = overview()
    for path, shown in {
        "trading.total": "−$903.60",
        "trading.fees": "−$900.35",
        "revenue.recognized": "$18,450.00",
        "revenue.pending": "$6,200.00",
        "revenue.pipeline": "$41,250.00",
        "costs.billed": "$9,679.62",
        "costs.estimated": "$147.55",
        "cash.equity": "$11,430.45",
        "change.today": "+$1,148.84",
        "change.month": "−$341.12",
        "since": "23 Aug 2026",
    }.items():
        assert shown in live(page, path), path


def test_there_is_one_heading_of_the_first_rank(database: Database, overview: Render) -> None:
    database.append(NOW, ROWS)
    assert len(trees.kind(overview(), "H1")) == 1


def test_before_the_first_snapshot_the_page_stands_and_shows_no_amount(overview: Render) -> None:
    page = overview()
    assert live(page, "net_pnl") == {"–"}
    assert "$" not in trees.text(page)
    assert trees.having(page, "id", ids.SERVED)[0].data is None


def test_incomplete_figures_show_no_net_no_change_and_no_curve(
    database: Database, overview: Render
) -> None:
    database.append(NOW, ROWS, complete=False)
    page = overview()
    assert live(page, "net_pnl") == {"incomplete"}
    assert live(page, "change.today") == {"–"}
    assert live(page, "revenue.recognized") == live(page, "trading.fills") == {"–"}
    assert figure(page)["data"][3]["x"] == []


def test_cash_is_not_shown_while_it_is_unknown(database: Database, overview: Render) -> None:
    database.append(NOW, ROWS, cash={})
    hidden = trees.having(overview(), "data-show", "cash.balance")[0]
    assert hidden.hidden is True


def test_the_csv_beside_the_curve_has_the_same_span(database: Database, overview: Render) -> None:
    database.append(NOW, ROWS)
    link = trees.having(overview(), "data-day-csv")[0]
    assert link.href == "/api/pnl/series.csv?period=1m&from=2026-11-21T08:00:00.000000Z"


def test_a_hostile_query_does_not_disturb_the_page(server: flask.Flask) -> None:
    assert server.test_client().get("/?range=%3Cscript%3E&from=x").status_code == 200


def test_the_html_of_the_page_already_holds_its_net(
    database: Database, server: flask.Flask
) -> None:
    database.append(NOW, ROWS)
    assert "$7,719.23" in server.test_client().get("/").text


def test_the_html_of_other_paths_does_not(database: Database, server: flask.Flask) -> None:
    database.append(NOW, ROWS)
    assert "$7,719.23" not in server.test_client().get("/elsewhere").text


def test_the_curve_is_drawn_in_the_colours_the_visitor_saw_last(
    database: Database, server: flask.Flask, overview: Render
) -> None:
    database.append(NOW, ROWS)
    assert figure(overview())["layout"]["meta"]["scheme"] == "light"
    body = {
        "output": ".._pages_content.children..._pages_store.data..",
        "outputs": [
            {"id": "_pages_content", "property": "children"},
            {"id": "_pages_store", "property": "data"},
        ],
        "inputs": [
            {"id": "_pages_location", "property": "pathname", "value": "/"},
            {"id": "_pages_location", "property": "search", "value": ""},
        ],
        "changedPropIds": ["_pages_location.pathname"],
    }
    client = server.test_client()
    client.get("/")
    client.set_cookie("northstar-scheme", "dark")
    answer = client.post("/_dash-update-component", json=body)
    assert answer.status_code == 200
    assert '"scheme":"dark"' in answer.text
