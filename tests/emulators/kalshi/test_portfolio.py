"""The account over the wire: pages, the cutoff, positions, settlements, balance."""

import re
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from emulators.world import instant
from emulators.world.instant import DAY, HOUR, MINUTE, SECOND
from tests.emulators.stage import START, Make, Stage

Row = dict[str, Any]


def signed(fill: Row) -> Decimal:
    count = Decimal(fill["count_fp"])
    return count if fill["book_side"] == "bid" else -count


def leg(fill: Row) -> Decimal:
    side = "yes" if fill["book_side"] == "bid" else "no"
    return Decimal(fill[f"{side}_price_dollars"]) * Decimal(fill["count_fp"])


def test_pages_lose_nothing_and_double_nothing(season: Stage) -> None:
    live = season.all_of("/portfolio/fills", "fills", limit=777)
    old = season.all_of("/historical/fills", "fills", limit=1000)
    assert len({fill["fill_id"] for fill in live + old}) == len(live) + len(old) == 15_000
    times = [fill["created_time"] for fill in live + old]
    assert times == sorted(times, reverse=True)


def test_the_cutoff_parts_live_from_historical(season: Stage) -> None:
    cutoff = season.kalshi("/historical/cutoff").json()["trades_created_ts"]
    assert cutoff == instant.text(START - START % DAY - 60 * DAY)
    live = season.all_of("/portfolio/fills", "fills", limit=1000)
    old = season.all_of("/historical/fills", "fills", limit=1000)
    assert min(fill["created_time"] for fill in live) >= cutoff
    assert max(fill["created_time"] for fill in old) < cutoff


def test_a_moved_cutoff_moves_fills_into_history(stage: Stage) -> None:
    stage.tell("fault", cutoff=instant.text(START - DAY))
    live = stage.all_of("/portfolio/fills", "fills")
    old = stage.all_of("/historical/fills", "fills")
    assert live
    assert old
    assert min(fill["created_time"] for fill in live) >= instant.text(START - DAY)
    assert len(live) + len(old) == 500


def test_new_fills_disturb_no_page_that_follows(stage: Stage) -> None:
    first = stage.kalshi("/portfolio/fills", limit=10).json()
    stage.now[0] += HOUR
    second = stage.kalshi("/portfolio/fills", limit=10, cursor=first["cursor"]).json()
    assert first["fills"][-1]["created_time"] >= second["fills"][0]["created_time"]
    stage.now[0] -= HOUR
    whole = stage.kalshi("/portfolio/fills", limit=500).json()["fills"]
    newest = [fill for fill in whole if fill["created_time"] <= instant.text(START)]
    assert [*first["fills"], *second["fills"]] == newest[:20]


def test_a_cursor_of_nothing_gives_the_first_page(stage: Stage) -> None:
    for cursor in ("garbage", "bm8=", "WzEsMl0="):
        first = stage.kalshi("/portfolio/fills", limit=5).json()
        if cursor == "WzEsMl0=":
            continue
        assert stage.kalshi("/portfolio/fills", limit=5, cursor=cursor).json() == first


def test_times_and_tickers_narrow_the_fills(stage: Stage) -> None:
    since, until = (START - 20 * HOUR) // SECOND, (START - 2 * HOUR) // SECOND
    some = stage.all_of("/portfolio/fills", "fills", min_ts=since, max_ts=until)
    assert some
    assert all(since <= fill["ts"] <= until for fill in some)
    ticker, order = some[0]["ticker"], some[0]["order_id"]
    own = stage.all_of("/portfolio/fills", "fills", ticker=ticker)
    assert {fill["ticker"] for fill in own} == {ticker}
    assert stage.all_of("/portfolio/fills", "fills", order_id=order) == [some[0]]
    assert stage.all_of("/portfolio/fills", "fills", subaccount=3) == []
    assert stage.all_of("/portfolio/fills", "fills", ticker="NONE") == []
    crypto = stage.all_of("/portfolio/fills", "fills", exchange_index=2)
    assert {fill["ticker"].partition("-")[0] for fill in crypto} == {"KXBTCD"}
    assert stage.kalshi("/portfolio/positions", subaccount=3).json()["market_positions"] == []


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("/portfolio/fills", "GetFills"),
        ("/historical/fills", "GetFills"),
        ("/portfolio/positions", "GetPositions"),
        ("/portfolio/settlements", "GetSettlements"),
        ("/markets", "GetMarkets"),
    ],
)
def test_a_limit_beyond_a_thousand_is_refused_and_not_clamped(
    stage: Stage, path: str, call: str
) -> None:
    answer = stage.kalshi(path, limit=1001)
    where = f"Key: '{call}Params.Limit' Error:Field validation for 'Limit' failed on the 'lte' tag"
    assert answer.status_code == 400
    assert answer.json() == {"msg": f"Parameter validation failed for {call}: {where}"}


def test_a_limit_that_is_no_number_is_a_bad_request(stage: Stage) -> None:
    answer = stage.kalshi("/portfolio/fills", limit="many")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert stage.kalshi("/portfolio/fills", limit=0).status_code == 400


def test_positions_follow_from_the_fills_alone(season: Stage) -> None:
    fills = season.all_of("/portfolio/fills", "fills", limit=1000)
    fills += season.all_of("/historical/fills", "fills", limit=1000)
    rows = season.all_of("/portfolio/positions", "market_positions", limit=7)
    assert len(rows) > 20
    assert len({row["ticker"] for row in rows}) == len(rows)
    for row in rows:
        own = [fill for fill in fills if fill["ticker"] == row["ticker"]]
        assert Decimal(row["position_fp"]) == sum(map(signed, own))
        assert Decimal(row["fees_paid_dollars"]) == sum(Decimal(f["fee_cost"]) for f in own)
        assert Decimal(row["total_traded_dollars"]) == sum(map(leg, own))


def test_events_sum_their_markets(season: Stage) -> None:
    body = season.kalshi("/portfolio/positions", limit=1000).json()
    for name, sums in (
        ("realized_pnl_dollars", "realized_pnl_dollars"),
        ("market_exposure_dollars", "event_exposure_dollars"),
        ("total_traded_dollars", "total_cost_dollars"),
    ):
        markets = sum(Decimal(row[name]) for row in body["market_positions"])
        events = sum(Decimal(row[sums]) for row in body["event_positions"])
        assert abs(markets - events) < Decimal("0.0001")


def test_unsettled_is_the_default_and_the_rest_is_asked_for(season: Stage) -> None:
    def tickers(status: str) -> set[str]:
        path = "/portfolio/positions"
        rows = season.all_of(path, "market_positions", limit=500, settlement_status=status)
        return {row["ticker"] for row in rows}

    unsettled, settled = tickers("unsettled"), tickers("settled")
    body = season.kalshi("/portfolio/positions", limit=1000).json()
    assert {row["ticker"] for row in body["market_positions"]} == unsettled
    assert tickers("all") == unsettled | settled
    old = season.all_of("/historical/positions", "market_positions", limit=1000)
    archived = {row["ticker"] for row in old}
    assert not settled & archived
    paid = season.all_of("/portfolio/settlements", "settlements", limit=1000)
    assert {row["ticker"] for row in paid} == settled | archived
    assert season.kalshi("/portfolio/positions", settlement_status="odd").status_code == 400


def test_a_position_cursor_belongs_to_its_status(season: Stage) -> None:
    path = "/portfolio/positions"
    cursor = season.kalshi(path, limit=5).json()["cursor"]
    settled = season.kalshi(path, limit=5, settlement_status="settled").json()
    mixed = season.kalshi(path, limit=5, settlement_status="settled", cursor=cursor).json()
    assert mixed == settled


def test_flat_positions_can_be_left_out(stage: Stage) -> None:
    ticker = stage.untouched()
    for side in ("bid", "ask"):
        stage.tell("fill", ticker=ticker, book_side=side, count="3", yes_price="0.40")
    path = "/portfolio/positions"
    assert stage.kalshi(path, ticker=ticker).json()["market_positions"]
    assert not stage.kalshi(path, ticker=ticker, count_filter="position").json()["market_positions"]
    traded = stage.kalshi(path, ticker=ticker, count_filter="total_traded").json()
    assert traded["market_positions"][0]["position_fp"] == "0.00"


def test_average_cost_shows_in_the_position_row(stage: Stage) -> None:
    ticker = stage.untouched()
    for side, count, price in (
        ("ask", 1, ".30"), ("ask", 5, ".30"), ("ask", 3, ".31"),
        ("ask", 1, ".31"), ("bid", 5, ".32"), ("ask", 8, ".33"),
    ):  # fmt: skip
        stage.now[0] += SECOND
        answer = stage.tell("fill", ticker=ticker, book_side=side, count=count, yes_price=price)
        assert answer.status_code == 200
    row = stage.kalshi("/portfolio/positions", ticker=ticker).json()["market_positions"][0]
    assert row["position_fp"] == "-13.00"
    assert row["realized_pnl_dollars"] == "-0.080000"
    assert row["market_exposure_dollars"] == "8.840000"


def test_a_settlement_row_holds_both_legs_and_pays_what_survived(stage: Stage) -> None:
    ticker = stage.untouched()
    for side, count, price, fee in (
        ("bid", "38", ".42", "0"), ("bid", "1", ".30", "0"), ("ask", "17", ".15", "0.5"),
    ):  # fmt: skip
        stage.now[0] += SECOND
        stage.tell(
            "fill", ticker=ticker, book_side=side, count=count, yes_price=price, fee_cost=fee
        )
    stage.now[0] += SECOND
    told = stage.tell("settlement", ticker=ticker, result="yes").json()
    assert told["time"] == instant.text(stage.now[0])
    row = stage.kalshi("/portfolio/settlements", ticker=ticker).json()["settlements"][0]
    assert row == {
        "ticker": ticker, "event_ticker": ticker.rpartition("-")[0], "exchange_index": 0,
        "market_result": "yes", "yes_count_fp": "39.00", "yes_total_cost_dollars": "16.260000",
        "no_count_fp": "17.00", "no_total_cost_dollars": "14.450000", "revenue": 2_200,
        "fee_cost": "0.500000", "settled_time": instant.text(stage.now[0]), "value": 100,
    }  # fmt: skip
    assert not stage.kalshi("/portfolio/positions", ticker=ticker).json()["market_positions"]
    market = stage.kalshi(f"/markets/{ticker}").json()["market"]
    assert (market["status"], market["result"]) == ("finalized", "yes")


def test_a_scalar_settlement_pays_its_value(stage: Stage) -> None:
    ticker = stage.untouched()
    stage.tell("fill", ticker=ticker, book_side="ask", count="1", yes_price=".03")
    stage.tell("settlement", ticker=ticker, result="scalar", value=30)
    row = stage.kalshi("/portfolio/settlements", ticker=ticker).json()["settlements"][0]
    assert (row["market_result"], row["value"], row["revenue"]) == ("scalar", 30, 70)
    assert row["yes_total_cost_dollars"] == "0.000000"


def test_an_amended_settlement_replaces_the_first(stage: Stage) -> None:
    ticker = stage.untouched()
    stage.tell("fill", ticker=ticker, book_side="bid", count="10", yes_price=".50")
    stage.tell("settlement", ticker=ticker, result="yes")
    before = Decimal(stage.totals()["realized"])
    stage.now[0] += SECOND
    stage.tell("settlement", ticker=ticker, result="no")
    rows = stage.kalshi("/portfolio/settlements", ticker=ticker).json()["settlements"]
    assert [row["market_result"] for row in rows] == ["no"]
    assert rows[0]["settled_time"] == instant.text(stage.now[0])
    assert before - Decimal(stage.totals()["realized"]) >= 10


def test_settlements_come_newest_first_with_times_of_the_past(season: Stage) -> None:
    rows = season.all_of("/portfolio/settlements", "settlements", limit=300)
    times = [row["settled_time"] for row in rows]
    assert len(rows) > 1_000
    assert all(a >= b for a, b in pairwise(times))
    assert times[0] <= instant.text(START)
    assert {row["market_result"] for row in rows} == {"yes", "no", "scalar"}
    for row in rows:
        left = Decimal(row["yes_count_fp"]) - Decimal(row["no_count_fp"])
        each = row["value"] if left > 0 else 100 - row["value"]
        assert row["revenue"] == int(abs(left) * each)


def test_the_balance_is_what_came_in_less_what_went_out(season: Stage) -> None:
    fills = season.all_of("/portfolio/fills", "fills", limit=1000)
    fills += season.all_of("/historical/fills", "fills", limit=1000)
    legs: dict[str, list[Decimal]] = {}
    for fill in fills:
        pair = legs.setdefault(fill["ticker"], [Decimal(0), Decimal(0)])
        pair[fill["book_side"] == "bid"] += Decimal(fill["count_fp"])
    deposits = season.all_of("/portfolio/deposits", "deposits")
    withdrawals = season.all_of("/portfolio/withdrawals", "withdrawals")
    paid = season.all_of("/portfolio/settlements", "settlements", limit=1000)
    cash = Decimal(sum(row["amount_cents"] for row in deposits)) / 100
    cash -= Decimal(sum(row["amount_cents"] for row in withdrawals)) / 100
    cash += sum(min(pair) for pair in legs.values())
    cash += Decimal(sum(row["revenue"] for row in paid)) / 100
    cash -= sum(leg(fill) + Decimal(fill["fee_cost"]) for fill in fills)
    body = season.kalshi("/portfolio/balance").json()
    assert cash - Decimal("0.0001") < Decimal(body["balance_dollars"]) <= cash
    assert body["balance"] == int(cash * 100)
    assert cash > 0
    parts = sum(Decimal(part["balance"]) for part in body["balance_breakdown"])
    assert abs(parts - cash) <= Decimal("0.0002")


def test_the_portfolio_is_valued_at_the_last_price(stage: Stage) -> None:
    ticker = stage.untouched()
    stage.tell("marks", frozen=True)
    stage.tell("marks", ticker=ticker, yes_bid="0.47", yes_ask="0.99", last="0.99")
    before = stage.kalshi("/portfolio/balance").json()["portfolio_value"]
    stage.tell("fill", ticker=ticker, book_side="bid", count="2", yes_price=".99")
    assert stage.kalshi("/portfolio/balance").json()["portfolio_value"] - before == 198


def test_read_lag_holds_the_account_back_but_never_turns_it(stage: Stage) -> None:
    seen = stage.kalshi("/exchange/user_data_timestamp").json()["as_of_time"]
    assert seen == instant.text(START)
    stage.tell("fault", read_lag=60)
    stage.now[0] += 30 * SECOND
    assert stage.kalshi("/exchange/user_data_timestamp").json()["as_of_time"] == seen
    stage.tell("fill", book_side="bid", count=1)
    newest = stage.kalshi("/portfolio/fills", limit=1).json()["fills"][0]
    assert newest["created_time"] <= seen
    stage.now[0] += 60 * SECOND
    ids = [fill["created_time"] for fill in stage.all_of("/portfolio/fills", "fills")]
    assert instant.text(START + 30 * SECOND) in ids


def test_orders_stand_behind_the_fills(stage: Stage) -> None:
    fill = stage.kalshi("/portfolio/fills", limit=1).json()["fills"][0]
    order = stage.kalshi("/portfolio/orders", limit=1).json()["orders"][0]
    assert order["order_id"] == fill["order_id"]
    assert order["fill_count_fp"] == fill["count_fp"]
    assert stage.kalshi("/portfolio/orders", status="resting").json()["orders"] == []


def test_fills_carry_microseconds_and_uuids(stage: Stage) -> None:
    fills = stage.all_of("/portfolio/fills", "fills")
    uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
    assert all(uuid.fullmatch(fill["fill_id"]) for fill in fills)
    micros = {instant.parse(fill["created_time"]) % MINUTE for fill in fills}
    assert len(micros) > 490


def test_two_worlds_of_one_seed_are_one_world_at_any_time(make: Make) -> None:
    slow, fast = make(journal="a"), make(journal="b")
    for step in range(0, 120, 13):
        slow.now[0] = START + step * MINUTE
        slow.kalshi("/portfolio/positions")
    slow.now[0] = fast.now[0] = START + 2 * HOUR
    for path in ("/portfolio/fills", "/portfolio/positions", "/markets", "/portfolio/settlements"):
        assert slow.kalshi(path, limit=1000).json() == fast.kalshi(path, limit=1000).json()
    assert slow.totals() == fast.totals()
    assert make(journal="c", seed="8").totals() != fast.totals()
