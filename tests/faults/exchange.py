"""Kalshi as its reference describes it: one small account, every field of every row."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.moment import DAY, HOUR, MICROS, parse, text
from pipeline.sources.kalshi import Kalshi
from pipeline.sources.source import Timepiece
from tests.faults.clock import NOON
from tests.faults.upstream import Expected, Row, Upstream
from tests.faults.wire import Reply, Request

TICKER = "KXCPI-26NOV-T0.3"
KEY_ID = "11111111-2222-3333-4444-555555555555"
PEM = (
    Ed25519PrivateKey.generate()
    .private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    .decode()
)
QUOTE = {"yes_bid_dollars": "0.5000", "yes_ask_dollars": "0.5300", "last_price_dollars": "0.5200"}


def fill(name: str, at: int, side: str, count: str, price: str, fee: str, **more: Any) -> Row:
    """Return one execution: `side` bid or ask, `price` of YES."""
    row = {
        "fill_id": name,
        "trade_id": name,
        "order_id": f"order-{name}",
        "ticker": TICKER,
        "market_ticker": TICKER,
        "exchange_index": 0,
        "outcome_side": "yes" if side == "bid" else "no",
        "book_side": side,
        "count_fp": count,
        "yes_price_dollars": price,
        "no_price_dollars": f"{1 - Decimal(price):.4f}",
        "is_taker": True,
        "fee_cost": fee,
        "created_time": text(at),
        "ts": at // MICROS,
        "subaccount_number": 0,
    }
    return row | more


def settlement(at: int, result: str, value: int, **more: Any) -> Row:
    """Return the end of the market: `value` in cents per YES."""
    row = {
        "ticker": TICKER,
        "event_ticker": TICKER.rpartition("-")[0],
        "exchange_index": 0,
        "market_result": result,
        "yes_count_fp": "10.00",
        "yes_total_cost_dollars": "4.000000",
        "no_count_fp": "4.00",
        "no_total_cost_dollars": "1.800000",
        "revenue": 6 * value,
        "fee_cost": "0.120000",
        "settled_time": text(at),
        "value": value,
    }
    return row | more


class Exchange(Upstream):
    """Buys 10 at .40 and sells 4 at .55: .60 realized, 6 left, .60 unrealized at a bid of .50.

    Base: .60 + .60 − .12 fees. Fresh buys 2 at .45: 8 cost 3.30, .70 unrealized, .14 fees. The
    victim sells 3 at .56: of 6 it realizes .48, of 8 it realizes .4425.
    """

    name: ClassVar[str] = "kalshi"
    root: ClassVar[str] = "/trade-api/v2"
    primary: ClassVar[str] = "/portfolio/fills"
    identity: ClassVar[str] = "fill_id"
    expected: ClassVar[Expected] = Expected("1.08", "1.16", "1.31", "1.23")

    settlements: list[Row]
    markets: tuple[str, ...] = (TICKER,)

    def base(self) -> list[Row]:
        """Return two fills."""
        self.settlements = []
        return [
            fill("base-2", NOON - HOUR, "ask", "4.00", "0.5500", "0.050000"),
            fill("base-1", NOON - 2 * HOUR, "bid", "10.00", "0.4000", "0.070000"),
        ]

    def fresh(self) -> Row:
        """Return a purchase a moment ago."""
        at = self.clock.now - 5 * MICROS
        return fill("fresh", at, "bid", "2.00", "0.4500", "0.020000")

    def victim(self) -> Row:
        """Return a sale a moment ago, after the purchase."""
        at = self.clock.now - 4 * MICROS
        return fill("victim", at, "ask", "3.00", "0.5600", "0.030000")

    def source(self, timepiece: Timepiece, url: str = "") -> Kalshi:
        """Open the exchange without a stream."""
        return Kalshi(url or self.url, KEY_ID, PEM, cadence=0.0, timepiece=timepiece)

    def figure(self, document: Mapping[str, Any]) -> Decimal:
        """Return the trading total."""
        return Decimal(document["trading"]["total"])

    def secrets(self) -> Sequence[str]:
        """Return the key itself; it is never sent."""
        return PEM.splitlines()[1:-1]

    def error(self, status: int, message: str) -> Any:
        """Return the nested shape."""
        return {"error": {"code": f"status_{status}", "message": message}}

    def answer(self, request: Request) -> Reply | None:
        """Return what the account's and the market's endpoints say."""
        lists = {
            "/portfolio/fills": ("fills", self._since(self.rows, "created_time", request)),
            "/portfolio/settlements": (
                "settlements",
                self._since(self.settlements, "settled_time", request),
            ),
            "/portfolio/positions": ("market_positions", self._positions(request)),
            "/historical/fills": ("fills", []),
            "/historical/positions": ("market_positions", []),
            "/portfolio/deposits": ("deposits", []),
            "/portfolio/withdrawals": ("withdrawals", []),
            "/historical/markets": ("markets", []),
            "/markets": ("markets", self._markets(request)),
        }
        if request.path in lists:
            member, rows = lists[request.path]
            return self._listed(request, member, rows)
        single = self._singles().get(request.path)
        return None if single is None else Reply(single)

    def _listed(self, request: Request, member: str, rows: list[Row]) -> Reply:
        if request.path != self.primary:
            return Reply({member: rows, "cursor": ""})
        page, cursor = self.page(self.ordered(rows), request.arg("cursor"))
        return Reply({member: page, "cursor": cursor})

    def _since(self, rows: list[Row], time: str, request: Request) -> list[Row]:
        least = int(request.arg("min_ts") or 0) * MICROS
        wanted = [row for row in rows if parse(row[time]) >= least]
        return [row for row in wanted if request.arg("ticker") in {"", row["ticker"]}]

    def _markets(self, request: Request) -> list[Row]:
        return [self._market(name) for name in request.arg("tickers").split(",") if self._has(name)]

    def _has(self, ticker: str) -> bool:
        return ticker in self.markets

    def _market(self, ticker: str) -> Row:
        ended = next((row for row in self.settlements if row["ticker"] == ticker), None)
        value = None if ended is None else f"{ended['value'] / 100:.4f}"
        return {
            "ticker": ticker,
            "event_ticker": ticker.rpartition("-")[0],
            "title": "CPI above 0.3% in November?",
            "market_type": "binary",
            "status": "active" if ended is None else "finalized",
            "no_bid_dollars": "0.4700",
            "no_ask_dollars": "0.5000",
            "volume_fp": "100.00",
            "open_interest_fp": "10.00",
            "result": "" if ended is None else ended["market_result"],
            "settlement_value_dollars": value,
            "exchange_index": 0,
            **QUOTE,
        }

    def _positions(self, request: Request) -> list[Row]:
        """Return what the exchange itself counts: by the truth, whatever a row looks like."""
        tickers = dict.fromkeys(row["ticker"] for row in self.rows)
        ended = {row["ticker"] for row in self.settlements}
        wanted = {"unsettled": set(tickers) - ended, "settled": ended}
        status = request.arg("settlement_status") or "unsettled"
        return [self._position(name) for name in wanted.get(status, tickers) if name in tickers]

    def _position(self, ticker: str) -> Row:
        ours = {row["fill_id"]: row for row in self.rows if row["ticker"] == ticker}.values()
        signs = {"bid": 1, "ask": -1}
        held = sum(signs[row["book_side"]] * Decimal(row["count_fp"]) for row in ours)
        fees = sum(Decimal(row["fee_cost"]) for row in ours)
        return {
            "ticker": ticker,
            "exchange_index": 0,
            "position_fp": f"{held:.2f}",
            "total_traded_dollars": "0.000000",
            "market_exposure_dollars": "0.000000",
            "realized_pnl_dollars": "0.600000",
            "fees_paid_dollars": f"{fees:.6f}",
            "last_updated_ts": text(self.clock.now),
        }

    def _singles(self) -> dict[str, Any]:
        now, cutoff = self.clock.now, text(NOON - 90 * DAY)
        bucket = {"refill_rate": 200, "bucket_capacity": 200}
        markets = {f"/markets/{name}": {"market": self._market(name)} for name in self.markets}
        events = {name.rpartition("-")[0] for name in self.markets}
        return {
            "/exchange/status": {"exchange_active": True, "trading_active": True},
            "/exchange/user_data_timestamp": {"as_of_time": text(self.reached())},
            "/account/limits": {"usage_tier": "basic", "read": bucket, "write": bucket},
            "/account/endpoint_costs": {"default_cost": 10, "endpoint_costs": []},
            "/historical/cutoff": {
                "market_settled_ts": cutoff,
                "trades_created_ts": cutoff,
                "orders_updated_ts": cutoff,
            },
            "/portfolio/balance": {
                "balance": 9_801,
                "balance_dollars": "98.0186",
                "portfolio_value": 300,
                "updated_ts": now // MICROS,
            },
            **markets,
            **{
                f"/events/{name}": {"event": {"event_ticker": name, "series_ticker": "KXCPI"}}
                for name in events
            },
        }
