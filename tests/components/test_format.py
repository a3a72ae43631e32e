"""How figures read: the same cases as tests/assets/format.test.mjs."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from components import format as fmt
from ledger import moment

CASES = json.loads((Path(__file__).parents[1] / "assets" / "figures.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["value"])
def test_dollars_read_as_in_the_browser(case: dict[str, str]) -> None:
    value = Decimal(case["value"])
    assert fmt.dollars(value) == case["money"]
    assert fmt.dollars(value, plus=True) == case["signed"]
    assert fmt.sign(value) == case["sign"]


def test_nano_dollars_round_by_way_of_the_wires_six_decimals() -> None:
    assert fmt.nano_text(5_000_499) == "$0.00"
    assert fmt.nano_text(5_000_501) == "$0.01"
    assert fmt.nano_text(-1_234_560_000_000) == "−$1,234.56"
    assert fmt.nano_text(12 * 10**9, plus=True) == "+$12.00"


def test_whole_dollars_of_a_document_are_dollars_and_not_nano_dollars() -> None:
    assert fmt.dollars(18450) == "$18,450.00"


def test_counts_have_their_thousands_apart() -> None:
    assert fmt.count(15234) == "15,234"
    assert fmt.count(Decimal("-1234.5")) == "−1,234.5"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3600, "1 h"),
        (47 * 3600, "47 h"),
        (172_800, "2 d"),
    ],
)
def test_ages_are_in_the_largest_whole_unit(seconds: int, text: str) -> None:
    assert fmt.age(seconds) == text


def test_dates_and_clocks_are_those_of_the_display_zone(zone: ZoneInfo) -> None:
    instant = moment.parse("2026-09-03T06:05:09Z")
    assert fmt.date(instant, zone) == "2 Sep 2026"
    assert fmt.time(instant, zone) == "23:05:09"


def test_what_is_absent_is_a_dash_and_never_nought(zone: ZoneInfo) -> None:
    assert fmt.shown({"cash": {}}, "cash.equity", "money", zone) == "–"
    assert fmt.shown(None, "net_pnl", "money", zone) == "–"


def test_a_total_without_a_price_for_everything_is_a_lower_bound(
    document: dict[str, Any], zone: ZoneInfo
) -> None:
    assert fmt.shown(document, "costs.total", "atleast", zone) == "$9,827.17"
    document["costs"]["unpriced"] = True
    assert fmt.shown(document, "costs.total", "atleast", zone) == "≥\N{NO-BREAK SPACE}$9,827.17"


@pytest.mark.parametrize(
    ("path", "kind", "text"),
    [
        ("trading.fees", "minus", "−$900.35"),
        ("trading.fills", "count", "15,179"),
        ("sources.kalshi.latency_ms", "milliseconds", "43 ms"),
        ("sources.kalshi.status", "text", "ok"),
        ("since", "date", "23 Aug 2026"),
        ("as_of", "time", "10:40:10"),
        ("change.month", "signed", "−$341.12"),
    ],
)
def test_members_read_by_their_format(
    document: dict[str, Any], zone: ZoneInfo, path: str, kind: str, text: str
) -> None:
    assert fmt.shown(document, path, kind, zone) == text
