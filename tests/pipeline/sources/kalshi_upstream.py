"""Rows as Kalshi sends them, and an account that answers with them."""

from collections.abc import Sequence
from typing import Any

from ledger import moment
from tests.pipeline.sources.conftest import NOON
from tests.pipeline.sources.upstream import Answer, Reply, Request, Upstream, paged

Row = dict[str, Any]


def fill_row(number: int, **changes: object) -> Row:
    """Return fill `number`, made that many minutes before noon."""
    ticker = "KXCPI-26NOV-T0.3"
    row: Row = {
        "fill_id": f"fill-{number}",
        "trade_id": f"fill-{number}",
        "order_id": f"order-{number}",
        "ticker": ticker,
        "market_ticker": ticker,
        "exchange_index": 0,
        "outcome_side": "yes",
        "book_side": "bid",
        "side": "no",
        "action": "sell",
        "count_fp": "7.77",
        "yes_price_dollars": "0.5200",
        "no_price_dollars": "0.4800",
        "is_taker": True,
        "fee_cost": "0.017500",
        "created_time": moment.text(NOON - number * moment.MINUTE),
        "ts": (NOON - number * moment.MINUTE) // moment.MICROS,
    }
    return row | changes


def settlement_row(**changes: object) -> Row:
    """Return the end of a market on the NO side, closed early: nothing survived to be paid."""
    row: Row = {
        "ticker": "KXGDP-26Q3-T2",
        "event_ticker": "KXGDP-26Q3",
        "exchange_index": 0,
        "market_result": "no",
        "yes_count_fp": "2.00",
        "yes_total_cost_dollars": "0.012000",
        "no_count_fp": "2.00",
        "no_total_cost_dollars": "1.600000",
        "revenue": 0,
        "fee_cost": "0.023300",
        "settled_time": moment.text(NOON - moment.HOUR),
        "value": 0,
    }
    return row | changes


def market_row(**changes: object) -> Row:
    """Return an open market with both sides quoted."""
    row: Row = {
        "ticker": "KXCPI-26NOV-T0.3",
        "event_ticker": "KXCPI-26NOV",
        "title": "CPI above 0.3% in November?",
        "market_type": "binary",
        "status": "active",
        "yes_bid_dollars": "0.5100",
        "yes_ask_dollars": "0.5300",
        "no_bid_dollars": "0.4700",
        "no_ask_dollars": "0.4900",
        "last_price_dollars": "0.5200",
        "result": "",
        "settlement_value_dollars": None,
    }
    return row | changes


def position_row(**changes: object) -> Row:
    """Return one reported position."""
    row: Row = {
        "ticker": "KXCPI-26NOV-T0.3",
        "exchange_index": 0,
        "total_traded_dollars": "4.040400",
        "position_fp": "-7.77",
        "market_exposure_dollars": "4.040400",
        "realized_pnl_dollars": "-0.080000",
        "fees_paid_dollars": "0.017500",
        "last_updated_ts": moment.text(NOON),
    }
    return row | changes


CUTOFF = {
    "market_settled_ts": "2026-08-20T00:00:00Z",
    "trades_created_ts": "2026-08-20T00:00:00Z",
    "orders_updated_ts": "2026-08-20T00:00:00Z",
}
BALANCE = {
    "balance": 9_801,
    "balance_dollars": "98.0186",
    "portfolio_value": 198,
    "updated_ts": NOON // moment.MICROS,
}


def since(key: str, rows: Sequence[Row], size: int) -> Answer:
    """Answer a list newer than min_ts, in pages, of one ticker when one is named."""

    def answer(request: Request) -> Reply:
        least = int(request.arg("min_ts") or 0) * moment.MICROS
        wanted = [
            row
            for row in rows
            if moment.parse(row.get("created_time") or row["settled_time"]) >= least
            and request.arg("ticker") in {"", row["ticker"]}
        ]
        return paged(key, "cursor", wanted, size)(request)

    return answer


def named(rows: Sequence[Row]) -> Answer:
    """Answer the markets that are asked for by their tickers."""

    def answer(request: Request) -> Reply:
        tickers = request.arg("tickers").split(",")
        return Reply({"markets": [r for r in rows if r["ticker"] in tickers], "cursor": ""})

    return answer


def account(
    exchange: Upstream,
    *,
    fills: Sequence[Row] = (),
    historical: Sequence[Row] = (),
    settlements: Sequence[Row] = (),
    markets: Sequence[Row] = (),
    positions: Sequence[Row] = (),
    size: int = 2,
) -> None:
    """Describe a whole account, its lists in pages of `size`."""
    exchange.on("/historical/cutoff", Reply(CUTOFF))
    exchange.on("/portfolio/fills", since("fills", fills, size))
    exchange.on("/historical/fills", since("fills", historical, size))
    exchange.on("/portfolio/settlements", since("settlements", settlements, size))
    exchange.on("/portfolio/positions", paged("market_positions", "cursor", positions, size))
    exchange.on("/portfolio/balance", Reply(BALANCE))
    exchange.on("/markets", named(markets))
    exchange.on("/historical/markets", named([]))
    for row in markets:
        event = row["event_ticker"]
        series = {"event": {"event_ticker": event, "series_ticker": event.split("-")[0]}}
        exchange.on(f"/events/{event}", Reply(series))
