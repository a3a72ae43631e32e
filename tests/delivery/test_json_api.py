"""Series and lists as JSON."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from ledger import moment
from ledger.bucket import PERIODS, Row, merged
from ledger.facts import Fill, Market, Side
from ledger.money import NANO
from storage import text
from storage.facts import Page
from tests.delivery.conftest import Database, Web, end

START = moment.parse("2026-11-20T00:00:00Z")
MINUTES = 700


def rollups() -> dict[str, list[Row]]:
    """Return three periods of a trading level that rises by a dollar a minute."""
    fine = [
        Row(START + n * moment.MINUTE, n * NANO, (n + 1) * NANO, n * NANO, (n + 1) * NANO, 0, NANO)
        for n in range(MINUTES)
    ]
    return {name: list(merged(fine, width)) for name, width in PERIODS.items()}


def fills() -> tuple[Fill, ...]:
    """Return fills of which three share an instant."""
    return tuple(
        Fill(
            f"f{n:03}",
            START + (n // 3) * moment.MINUTE,
            "KXA" if n % 2 else "KXB",
            Side.YES if n % 4 < 2 else Side.NO,
            150,
            333_333_000,
            n,
            n % 2 == 0,
        )
        for n in range(30)
    )


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """Serve a history of rollups and fills that no test changes."""
    folder = tmp_path_factory.mktemp("traded")
    database = Database(folder / "northstar.db")
    markets = (Market("KXA", "KXA-E", "KXA-S", "A", "open"),)
    database.facts.record(Page("kalshi", fills(), markets))
    database.append(MINUTES, rows=rollups(), meta={"complete": "1"})
    web = Web(folder, {"url": database.url})
    yield web
    end(web)
    database.close()


def series(web: Web, **given: Any) -> dict[str, Any]:
    answer = web.get("/api/pnl/series", params=given)
    assert answer.ok, answer.text
    assert answer.headers["X-Seq"] == "1"
    return dict(text.decode(answer.content))


@pytest.mark.parametrize(("period", "count"), [("1m", 700), ("5m", 140), ("1h", 12)])
def test_a_period_alone_gives_every_row(traded: Web, period: str, count: int) -> None:
    body = series(traded, period=period)
    assert set(body) == {"period", "from", "to", "rows"}
    assert (body["period"], body["from"]) == (period, "2026-11-20T00:00:00.000000Z")
    assert len(body["rows"]) == count
    assert body["rows"][-1]["net_close"] == MINUTES


def test_a_row_is_flat_and_complete(traded: Web) -> None:
    row = series(traded, period="5m")["rows"][1]
    assert row == {
        "time": "2026-11-20T00:05:00.000000Z",
        "net_open": 5,
        "net_high": 10,
        "net_low": 5,
        "net_close": 10,
        "trading_open": 5,
        "trading_high": 10,
        "trading_low": 5,
        "trading_close": 10,
        "unrealized": 0,
        "realized": 5,
        "fees": 0,
        "revenue": 0,
        "cost": 0,
        "fills": 0,
        "restated": 0,
    }


def test_a_span_is_half_open(traded: Web) -> None:
    given = {"from": "2026-11-20T00:01:00Z", "to": "2026-11-20T01:03:00+01:00"}
    rows = series(traded, period="1m", **given)["rows"]
    assert [row["time"][14:16] for row in rows] == ["01", "02"]


def test_points_bound_the_rows_and_pick_the_period(traded: Web) -> None:
    assert series(traded, points=100)["period"] == "5m"
    assert series(traded)["period"] == "1m"
    assert len(series(traded, period="1m", points=100)["rows"]) == 100


def test_an_empty_span_has_no_rows(traded: Web) -> None:
    assert series(traded, period="1m", **{"from": "2030-01-01T00:00:00Z"})["rows"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("period=2m", "period"),
        ("from=now", "from"),
        ("from=2026-11-20T00:00:00+00:00", "from"),
        ("to=2026-11-20", "to"),
        ("from=2026-11-20T00:00:00Z&to=2026-11-19T00:00:00Z", "to"),
        ("points=0", "points"),
    ],
)
def test_a_bad_question_names_its_field(traded: Web, query: str, field: str) -> None:
    for path in ("/api/pnl/series", "/api/pnl/series.csv"):
        answer = traded.get(f"{path}?{query}")
        assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_fills_come_newest_first_with_their_market(traded: Web) -> None:
    body = text.decode(traded.get("/api/trading/fills").content)
    assert [row["fill_id"] for row in body["rows"]] == [f"f{n:03}" for n in range(29, -1, -1)]
    assert body["seq"] == 1
    assert "next_cursor" not in body
    newest = dict(body["rows"][0])
    del newest["realized"]
    assert newest == {
        "time": "2026-11-20T00:09:00.000000Z",
        "fill_id": "f029",
        "ticker": "KXA",
        "event": "KXA-E",
        "series": "KXA-S",
        "side": "yes",
        "count": Decimal("1.5"),
        "price": Decimal("0.333333"),
        "fee": 0,
        "is_taker": False,
    }


@pytest.mark.parametrize("limit", [1, 2, 7, 29, 30])
def test_pages_together_are_the_whole_list(traded: Web, limit: int) -> None:
    found, given = [], {"limit": limit}
    while True:
        body = traded.get("/api/trading/fills", params=given).json()
        found += [row["fill_id"] for row in body["rows"]]
        assert len(body["rows"]) <= limit
        if "next_cursor" not in body:
            break
        given["cursor"] = body["next_cursor"]
    assert found == [f"f{n:03}" for n in range(29, -1, -1)]


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ("ticker=KXA", lambda n: n % 2),
        ("series=KXA-S", lambda n: n % 2),
        ("side=no", lambda n: n % 4 >= 2),
        ("from=2026-11-20T00:03:00Z&to=2026-11-20T00:05:00Z", lambda n: 9 <= n < 15),
        ("ticker=KXA&side=yes&to=2026-11-20T00:05:00Z", lambda n: n % 4 == 1 and n < 15),
    ],
)
def test_filters_combine(traded: Web, query: str, chosen: Callable[[int], bool]) -> None:
    rows = traded.get(f"/api/trading/fills?{query}").json()["rows"]
    assert [row["fill_id"] for row in rows] == [
        f"f{n:03}" for n in reversed(range(30)) if chosen(n)
    ]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=1001", "limit"),
        ("cursor=!", "cursor"),
        ("cursor=eDp5", "cursor"),
        ("side=x", "side"),
    ],
)
def test_a_bad_page_names_its_field(traded: Web, query: str, field: str) -> None:
    answer = traded.get(f"/api/trading/fills?{query}")
    assert (answer.status_code, answer.json()["field"]) == (400, field)
