"""Every answer of the emulated exchange is one that Kalshi's own description allows."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from emulators.kalshi.service import ROUTES
from emulators.world.instant import DAY, SECOND
from tests.emulators.stage import START, Stage
from tests.oracles.description import FILE, WHY, Description

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=WHY)

NOW = START // SECOND
WEEK = {"start_ts": NOW - 7 * 86_400, "end_ts": NOW, "period_interval": 60}
MARKET, EVENT, SERIES = "KXFED-26DEC-T3.75", "KXFED-26DEC", "KXFED"
NAMES = {
    "ticker": MARKET, "event_ticker": EVENT, "series_ticker": SERIES, "order_id": "an order",
}  # fmt: skip
QUERIES: dict[str, dict[str, Any]] = {
    "/markets/candlesticks": {"market_tickers": MARKET, **WEEK},
    "/markets/orderbooks": {"tickers": MARKET},
    "/series/{series_ticker}/markets/{ticker}/candlesticks": WEEK,
    "/historical/markets/{ticker}/candlesticks": WEEK,
    "/series/fee_changes": {"show_historical": "true"},
    "/portfolio/positions": {"settlement_status": "all"},
}
"""What a path needs to answer with rows."""
BARE = {
    "/account/limits": {"grants"},
}
"""Lists that may well be empty."""
VALUES: dict[str, Any] = {
    "limit": 7, "cursor": "", "depth": 3, "subaccount": 0, "exchange_index": 2,
    "settlement_status": "settled", "count_filter": "position,total_traded", "status": "executed",
    "ticker": MARKET, "event_ticker": EVENT, "series_ticker": SERIES, "tickers": MARKET,
    "market_tickers": MARKET, "order_id": "none", "is_block_trade": "false",
    "category": "Economics",
    "with_nested_markets": "true", "with_milestones": "true", "mve_filter": "exclude",
    "include_latest_before_start": "true", "include_volume": "true", "tags": "Inflation",
    "include_product_metadata": "true", "show_historical": "true", **WEEK,
}  # fmt: skip
STATUSES = {"/markets": "open", "/events": "open"}


@pytest.fixture(scope="session")
def described() -> Description:
    """Return the description."""
    return Description()


def templates() -> list[str]:
    """Return the emulator's paths, in the words of the description."""
    return sorted({template(route.pattern.pattern) for route in ROUTES})


def template(pattern: str) -> str:
    """Return a route's pattern with its parameters named."""
    kinds = {
        "markets": "ticker", "events": "event_ticker", "series": "series_ticker",
        "orders": "order_id",
    }  # fmt: skip
    return re.sub(
        r"/(\w+)/\(\[\^/\]\+\)", lambda found: f"/{found[1]}/{{{kinds[found[1]]}}}", pattern
    )


def filled(stage: Stage, path: str) -> str:
    """Return a path with real names in it."""
    names = dict(NAMES)
    if path.startswith("/historical/markets/"):
        rows = stage.kalshi("/historical/markets", limit=1).json()["markets"]
        names["ticker"] = rows[0]["ticker"]
    if "order_id" in path:
        rows = stage.kalshi("/portfolio/orders", limit=1).json()["orders"]
        names["order_id"] = rows[0]["order_id"]
    return path.format(**names)


def query(stage: Stage, path: str) -> dict[str, Any]:
    """Return what a path needs to answer with rows."""
    found = dict(QUERIES.get(path, {}))
    if path == "/historical/markets/{ticker}/candlesticks":
        row = stage.kalshi("/historical/markets", limit=1).json()["markets"][0]
        closed = seconds(row["close_time"])
        found |= {"start_ts": closed - 86_400, "end_ts": closed}
    return found


def seconds(text: str) -> int:
    """Return the Unix seconds of an RFC 3339 text."""
    return int(datetime.fromisoformat(text).timestamp())


def empties(body: dict[str, Any]) -> Iterator[str]:
    """Yield the lists of an answer, and of its first rows, that hold nothing."""
    for name, part in body.items():
        if part == []:
            yield name
        elif isinstance(part, dict):
            yield from empties(part)


@pytest.mark.parametrize("path", templates())
def test_a_path_is_described(described: Description, path: str) -> None:
    assert path in described


@pytest.mark.parametrize("path", templates())
def test_an_answer_fits_its_schema_and_has_rows(
    season: Stage, described: Description, path: str
) -> None:
    answer = season.kalshi(filled(season, path), **query(season, path))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert described.errors(path, body) == []
    assert described.strangers(path, body) == set()
    assert set(empties(body)) <= BARE.get(path, set())


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (path, name)
        for path in templates()
        if FILE.exists()
        for name in Description().parameters(path)
    ],
)
def test_every_parameter_is_taken(
    season: Stage, described: Description, path: str, name: str
) -> None:
    value = VALUES[name] if name in VALUES else NOW - 40 * DAY // SECOND
    if name == "status":
        value = STATUSES.get(path, value)
    answer = season.kalshi(filled(season, path), **{name: value, **query(season, path)})
    assert answer.status_code == 200, answer.text
    assert described.errors(path, answer.json()) == []


@pytest.mark.parametrize("path", ["/portfolio/fills", "/portfolio/orders", "/markets/trades"])
def test_without_what_is_deprecated_the_schema_still_holds(
    season: Stage, described: Description, path: str
) -> None:
    before = season.kalshi(path).json()
    season.tell("fault", kalshi={"deprecated": False})
    body = season.kalshi(path).json()
    season.tell("fault", kalshi="ok")
    assert described.errors(path, body) == []
    rows = next(part for part in body.values() if isinstance(part, list))
    assert not {"action", "side", "taker_side"} & set(rows[0])
    assert body != before


def test_a_wrong_answer_would_be_seen(season: Stage, described: Description) -> None:
    body = season.kalshi("/portfolio/fills").json()
    fill = body["fills"][0]
    for wrong in (
        {"book_side": "buy"}, {"count_fp": 1.5}, {"created_time": "yesterday"}, {"is_taker": None},
    ):  # fmt: skip
        assert described.errors("/portfolio/fills", {**body, "fills": [fill | wrong]})
    del fill["exchange_index"]
    assert described.errors("/portfolio/fills", {**body, "fills": [fill]})
    assert described.strangers("/portfolio/fills", {"fills": [{"price": 1}]}) == {"$.fills[].price"}
