"""The door behind the stage: what is told shows on the wire and in the totals, and lasts."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from emulators.admin import local, service
from emulators.server import Request
from emulators.world import instant
from emulators.world.instant import DAY, HOUR, SECOND
from emulators.world.replay import Replayed
from tests.emulators.stage import START, Make, Stage

COLUMNS = ",trade_id,ticker,count,created_time,yes_price,no_price,taker_side"


def dollars(row: dict[str, Any], name: str) -> Decimal:
    return Decimal(row[f"{name}_price_dollars"]) * Decimal(row["count_fp"])


@pytest.mark.parametrize(
    ("peer", "welcome"),
    [("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("10.0.0.7", False)],
)
def test_only_loopback_may_come_in(peer: str, *, welcome: bool) -> None:
    assert local(peer) == welcome


def test_others_are_turned_away(stage: Stage) -> None:
    request = Request("GET", "/totals", {}, {}, peer="10.0.0.7")
    assert service(stage.world)(request).status == 403


def test_a_fill_is_answered_as_the_account_will_show_it(stage: Stage) -> None:
    told = stage.tell("fill", book_side="ask", count="7.77")
    assert told.status_code == 200
    assert stage.kalshi("/portfolio/fills", limit=1).json()["fills"] == [told.json()]
    assert told.json()["count_fp"] == "7.77"
    assert Decimal(told.json()["fee_cost"]) > 0


def test_golden_fees_show_in_the_fill(stage: Stage) -> None:
    ticker = stage.untouched()
    for count, price, fee in (
        ("1", "0.52", "0.017500"), ("1", "0.99", "0.000700"), ("10", "0.01", "0.007000"),
        ("114.49", "0.23", "1.419400"), ("2", "0.33", "0.031000"),
    ):  # fmt: skip
        told = stage.tell("fill", ticker=ticker, book_side="bid", count=count, yes_price=price)
        assert told.json()["fee_cost"] == fee
    maker = stage.tell("fill", ticker=ticker, book_side="bid", count=1, is_taker=False)
    assert maker.json()["fee_cost"] == "0.000000"


def test_a_late_fill_is_booked_where_it_belongs(stage: Stage) -> None:
    ticker = stage.untouched()
    early = instant.text(START - 2 * HOUR)
    stage.tell("fill", ticker=ticker, book_side="bid", count=1, yes_price=".60")
    stage.tell("fill", ticker=ticker, book_side="ask", count=2, yes_price=".50", time=early)
    row = stage.totals()["positions"][ticker]
    assert (row["position"], row["realized"], row["cost"]) == ("-1.00", "-0.1", "0.5")
    fills = stage.all_of("/portfolio/fills", "fills", ticker=ticker)
    assert [fill["created_time"] for fill in fills] == [instant.text(START), early]


def test_a_fill_to_come_waits_for_its_time(stage: Stage) -> None:
    later = instant.text(START + 10 * SECOND)
    told = stage.tell("fill", ticker=stage.untouched(), book_side="bid", count=1, time=later)
    first = stage.kalshi("/portfolio/fills", limit=1).json()["fills"][0]
    assert first["fill_id"] != told.json()["fill_id"]
    stage.now[0] += 11 * SECOND
    fills = stage.kalshi("/portfolio/fills", limit=5).json()["fills"]
    assert told.json() in fills


@pytest.mark.parametrize(
    ("kind", "wish"),
    [
        ("fill", {"book_side": "buy", "count": 1}),
        ("fill", {"book_side": "bid"}),
        ("fill", {"book_side": "bid", "count": "NaN"}),
        ("fill", {"book_side": "bid", "count": "0.001"}),
        ("fill", {"book_side": "bid", "count": 1, "yes_price": "1.2"}),
        ("fill", {"book_side": "bid", "count": 1, "ticker": "NONE"}),
        ("fill", {"book_side": "bid", "count": 1, "time": "2020-01-01T00:00:00Z"}),
        ("settlement", {"result": "perhaps"}),
        ("settlement", {"result": "yes", "value": 101}),
        ("settlement", {"result": "yes", "time": "2020-01-01T00:00:00Z"}),
        ("cost", {}),
        ("cost", {"amount_cents": "Infinity"}),
        ("deal", {"amount": "ten"}),
        ("fault", {"source": "bank"}),
        ("fault", {"volcano": 1}),
        ("fault", {"analytics": 500}),
        ("trader", {}),
        ("marks", {"ticker": "A", "yes_bid": "2"}),
    ],
)
def test_what_does_not_fit_is_refused_and_not_kept(
    stage: Stage, kind: str, wish: dict[str, Any]
) -> None:
    before = stage.totals()
    answer = stage.tell(kind, **wish)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]
    assert stage.totals() == before


def test_only_known_words_are_answered(stage: Stage) -> None:
    assert stage.tell("magic").status_code == 404
    answer = stage.session.post(f"{stage.urls['admin']}/fill", data="[1]", timeout=10)
    assert answer.status_code == 400


def test_frozen_marks_and_a_resting_trader_make_totals_stand_still(stage: Stage) -> None:
    stage.tell("trader", active=False)
    stage.tell("marks", frozen=True)
    before = stage.totals()
    stage.now[0] += 5 * SECOND * 60
    after = stage.totals()
    for name in ("fills", "realized", "fees", "unrealized_bid", "positions", "balance"):
        assert after[name] == before[name]
    stage.tell("trader", active=True)
    stage.now[0] += 60 * SECOND
    assert stage.totals()["fills"] > before["fills"]


def test_a_pinned_mark_moves_the_unrealized_by_its_own_amount(stage: Stage) -> None:
    ticker = stage.untouched()
    stage.tell("trader", active=False)
    stage.tell("marks", frozen=True)
    stage.tell("marks", ticker=ticker, yes_bid="0.40", yes_ask="0.45", last="0.42")
    before = Decimal(stage.totals()["unrealized_bid"])
    stage.tell("fill", ticker=ticker, book_side="bid", count=10, yes_price="0.45")
    assert Decimal(stage.totals()["unrealized_bid"]) - before == Decimal("-0.50")
    stage.tell("marks", ticker=ticker, yes_bid="0.00", yes_ask="1.00", last="0.60")
    assert Decimal(stage.totals()["unrealized_bid"]) - before == Decimal("1.50")
    market = stage.kalshi(f"/markets/{ticker}").json()["market"]
    assert (market["yes_bid_dollars"], market["yes_ask_dollars"]) == ("0.0000", "1.0000")
    stage.tell("fill", ticker=ticker, book_side="ask", count=30, yes_price="0.50")
    stage.tell("marks", ticker=ticker, yes_bid="0.40", yes_ask="0.45")
    row = stage.totals()["positions"][ticker]
    assert (row["position"], row["mark"], row["unrealized"]) == ("-20.00", "0.5500", "1")


def test_realized_and_unrealized_are_the_cash_flow_and_the_value(season: Stage) -> None:
    """The identity over everything the wire shows: what came in, what went out, what is left."""
    fills = season.all_of("/portfolio/fills", "fills", limit=1000)
    fills += season.all_of("/historical/fills", "fills", limit=1000)
    paid = season.all_of("/portfolio/settlements", "settlements", limit=1000)
    totals = season.totals()
    flow = -sum(dollars(f, "yes") if f["book_side"] == "bid" else dollars(f, "no") for f in fills)
    by_ticker: dict[str, list[Decimal]] = {}
    for fill in fills:
        legs = by_ticker.setdefault(fill["ticker"], [Decimal(0), Decimal(0)])
        legs[fill["book_side"] == "bid"] += Decimal(fill["count_fp"])
    flow += sum(min(legs) for legs in by_ticker.values())
    for row in paid:
        left = Decimal(row["yes_count_fp"]) - Decimal(row["no_count_fp"])
        each = Decimal(row["value"] if left > 0 else 100 - row["value"]) / 100
        flow += abs(left) * each
    value = sum(Decimal(row["value"]) for row in totals["positions"].values())
    assert Decimal(totals["realized"]) + Decimal(totals["unrealized_bid"]) == flow + value
    assert Decimal(totals["fees"]) == sum(Decimal(fill["fee_cost"]) for fill in fills)
    assert totals["fills"] == len(fills)
    assert totals["settlements"] == len(paid)


def test_the_marks_of_the_totals_are_the_quotes_of_the_wire(season: Stage) -> None:
    markets = {m["ticker"]: m for m in season.all_of("/markets", "markets", limit=1000)}
    rows = season.totals()["positions"]
    compared = 0
    for ticker, row in rows.items():
        position, market = Decimal(row["position"]), markets[ticker]
        if not position or market["status"] != "active":
            continue
        side = "yes" if position > 0 else "no"
        bid = Decimal(market[f"{side}_bid_dollars"])
        if bid:
            assert Decimal(row["value"]) == abs(position) * bid
            compared += 1
    assert compared > 20


def test_from_determined_on_the_result_is_the_mark(stage: Stage) -> None:
    stage.world.advance()
    account, catalog = stage.world.account, stage.world.catalog
    held = [m for m, holding in account.holdings() if holding.position and m.close > START]
    market = min(held, key=lambda m: (m.determined, m.ticker))
    stage.now[0] = market.determined
    row = stage.totals()["positions"][market.ticker]
    value = Decimal(catalog.outcome(market).value) / 100
    position = Decimal(row["position"])
    assert Decimal(row["value"]) == abs(position) * (value if position > 0 else 1 - value)
    shown = stage.kalshi(f"/markets/{market.ticker}").json()["market"]
    assert (shown["status"], Decimal(shown["settlement_value_dollars"])) == ("determined", value)
    assert (shown["yes_bid_dollars"], shown["yes_ask_dollars"]) == ("0.0000", "1.0000")
    assert stage.kalshi("/portfolio/balance").json()["portfolio_value"] > 0


def test_without_a_ticker_some_lively_open_market_is_taken(stage: Stage) -> None:
    told = stage.tell("fill", book_side="bid", count=1).json()
    assert "0.1000" < told["yes_price_dollars"] < "0.9000"


def test_without_any_open_market_there_is_no_fill(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text(f"{COLUMNS}\n0,a,A-B,5,2022-12-25T14:00:00Z,61,39,yes\n")
    stage = make(listing=Replayed(path, START))
    stage.now[0] += HOUR
    answer = stage.tell("fill", book_side="bid", count=1)
    assert answer.status_code == 400
    assert "no market is open" in answer.json()["error"]["message"]


def test_costs_and_deals_move_the_totals_by_what_was_told(stage: Stage) -> None:
    before = stage.totals()
    stage.tell("cost", amount_cents="123.78912", workspace="Research", model="claude-opus-5")
    stage.tell("deal", amount="1000.25", status="recognized", recognized_at="2026-11-20")
    stage.tell("deal", amount="70", status="recognized", recognized_at="2026-11-22")
    stage.tell("deal", amount="5.5", status="pipeline")
    after = stage.totals()

    def moved(name: str, part: str | None = None) -> Decimal:
        pair = [totals[name][part] if part else totals[name] for totals in (before, after)]
        return Decimal(pair[1]) - Decimal(pair[0])

    assert moved("cost_total") == Decimal("1.2378912")
    assert moved("recognized") == Decimal("1000.25")
    assert moved("deals", "recognized") == Decimal("1070.25")
    assert moved("deals", "pipeline") == Decimal("5.5")


def test_what_was_told_outlives_a_restart(make: Make) -> None:
    first = make()
    ticker = first.untouched()
    first.tell("fill", ticker=ticker, book_side="bid", count=5, yes_price=".5")
    first.tell("marks", ticker=ticker, yes_bid=".4")
    first.tell("cost", amount_cents="12.5")
    first.tell("deal", amount="10", status="pending", id="mine")
    first.tell("fault", analytics=404, cutoff=instant.text(START - DAY))
    first.now[0] += HOUR
    first.tell("settlement", ticker=ticker, result="no")
    first.tell("trader", active=False)
    first.now[0] += HOUR
    second = make()
    second.now[0] = first.now[0]
    assert second.totals() == first.totals()
    path = "/portfolio/fills"
    assert second.all_of(path, "fills") == first.all_of(path, "fills")
    assert second.anthropic("/analytics/cost").status_code == 404
