"""A document as the wire carries it, and the zone in which it is shown."""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest


def whole() -> dict[str, Any]:
    """Return a complete document: 18,450 − 9,827.17 + (−903.604321) = 7,719.225679."""
    return {
        "epoch": "e",
        "seq": 42,
        "as_of": "2026-11-21T18:40:10.000000Z",
        "since": "2026-08-23T07:00:00.000000Z",
        "currency": "USD",
        "mode": "demo",
        "complete": True,
        "net_pnl": Decimal("7719.225679"),
        "trading": {
            "total": Decimal("-903.604321"),
            "realized": Decimal("-610.32"),
            "unrealized": Decimal("607.065679"),
            "fees": Decimal("900.35"),
            "open_positions": 23,
            "fills": 15179,
        },
        "revenue": {
            "recognized": 18450,
            "pending": 6200,
            "deferred": 0,
            "pipeline": 41250,
            "pipeline_weighted": Decimal("17380.5"),
        },
        "costs": {
            "total": Decimal("9827.17"),
            "billed": Decimal("9679.62"),
            "estimated": Decimal("147.55"),
            "unpriced": False,
        },
        "cash": {"balance": 9120, "positions": Decimal("2310.45"), "equity": Decimal("11430.45")},
        "change": {
            "tick": Decimal("0.004"),
            "today": Decimal("1148.84"),
            "week": Decimal("1204.33"),
            "month": Decimal("-341.12"),
            "year": Decimal("7719.225679"),
        },
        "sources": {
            "kalshi": {"status": "ok", "as_of": "2026-11-21T18:40:09.000000Z", "latency_ms": 43},
            "anthropic": {"status": "stale", "as_of": "2026-11-21T18:39:39.000000Z"},
            "revenue": {"status": "off"},
        },
        "alerts": [],
    }


@pytest.fixture
def document() -> dict[str, Any]:
    return whole()


@pytest.fixture
def zone() -> ZoneInfo:
    return ZoneInfo("America/Los_Angeles")
