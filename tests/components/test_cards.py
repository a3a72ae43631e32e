"""Cards: figures that are already written and stay live by their path."""

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from components import cards
from components.cards import Figure, Line, Sheet
from tests.components import trees

BARS = json.loads((Path(__file__).parents[1] / "assets" / "bars.json").read_text())
NET = Figure("net_pnl", "money", "complete", cards.INCOMPLETE)


@pytest.fixture
def sheet(document: dict[str, Any], zone: ZoneInfo) -> Sheet:
    return Sheet(document, zone)


def props(component: Any) -> dict[str, Any]:
    found: dict[str, Any] = component.to_plotly_json()["props"]
    return found


def test_a_figure_carries_its_text_and_its_path(sheet: Sheet) -> None:
    made = props(cards.figure(sheet, Figure("trading.realized", "signed")))
    assert made["children"] == "−$610.32"
    assert made["data-live"] == "trading.realized"
    assert made["data-format"] == "signed"
    assert made["data-sign"] == "loss"


def test_a_plain_amount_above_zero_is_no_gain(sheet: Sheet) -> None:
    assert "data-sign" not in props(cards.figure(sheet, Figure("revenue.recognized")))


def test_a_net_of_incomplete_figures_is_not_shown(sheet: Sheet, zone: ZoneInfo) -> None:
    assert isinstance(sheet.document, dict)
    partial = Sheet({**sheet.document, "complete": False}, zone)
    made = props(cards.figure(partial, NET))
    assert made["children"] == "incomplete"
    assert "data-unknown" in made
    assert "data-sign" not in made


def test_before_the_first_document_nothing_is_incomplete_and_nothing_is_nought(
    zone: ZoneInfo,
) -> None:
    empty = Sheet(None, zone)
    assert props(cards.figure(empty, NET))["children"] == "–"
    shown = trees.text([cards.waterfall(empty), cards.sources(empty, [("kalshi", "Kalshi")])])
    assert "0" not in shown


def test_a_card_lists_its_lines_as_terms_and_figures(sheet: Sheet) -> None:
    lines = [cards.line(sheet, Line("Fees", Figure("trading.fees", "minus")))]
    made = cards.card("Trading", cards.figure(sheet, Figure("trading.total", "signed")), lines)
    assert trees.text(made) == "Trading −$903.60 Fees −$900.35"
    assert [node.children for node in trees.kind(made, "Dt")] == ["Fees"]


@pytest.mark.parametrize("case", BARS)
def test_bars_stand_where_the_browser_puts_them(case: dict[str, Any]) -> None:
    document = {
        "revenue": {"recognized": case["revenue"]},
        "costs": {"total": case["cost"]},
        "trading": {"total": case["trading"]},
    }
    made = [[round(edge, 2) for edge in bar] for bar in cards.bars(document)]
    assert made == case["bars"]


def test_the_waterfall_reads_revenue_less_cost_and_trading_to_net(sheet: Sheet) -> None:
    assert trees.text(cards.waterfall(sheet)) == (
        "Recognized revenue $18,450.00 AI cost −$9,827.17 Trading −$903.60 Net P&L $7,719.23"
    )


def test_each_source_shows_its_status_and_what_it_does_not_know(sheet: Sheet) -> None:
    made = cards.sources(sheet, [("kalshi", "Kalshi"), ("revenue", "Revenue"), ("x", "Other")])
    statuses = [props(node)["data-status"] for node in trees.having(made, "data-status")]
    assert statuses == ["ok", "off", "unknown"]
    assert trees.text(made).endswith("Kalshi ok – 43 ms Revenue off – – Other – – –")


def test_no_alerts_are_said_only_when_there_are_none(sheet: Sheet, zone: ZoneInfo) -> None:
    assert not props(cards.alerts(sheet)[1])["hidden"]
    assert isinstance(sheet.document, dict)
    alarmed = Sheet({**sheet.document, "alerts": [{"id": "a"}]}, zone)
    assert props(cards.alerts(alarmed)[1])["hidden"]
