"""Read a whole account with Kalshi's own client, in an interpreter of its own; print the sums.

Arguments: base URL, key id, file of the private key. Output: one JSON object.
"""

import json
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import kalshi_python_sync as kalshi

Rows = list[dict[str, Any]]
ZERO = Decimal(0)
_MANY = 250


def pages(call: Callable[..., Any], member: str, **params: Any) -> Iterator[dict[str, Any]]:
    """Yield every row of a paged list."""
    cursor = None
    while True:
        body = call(limit=_MANY, cursor=cursor, **params)
        yield from (row.to_dict() for row in getattr(body, member))
        cursor = body.cursor
        if not cursor:
            return


class Account:
    """One account, as the client reads it."""

    def __init__(self, url: str, key_id: str, key: str) -> None:
        """Sign in."""
        configuration = kalshi.Configuration(host=url)
        configuration.api_key_id = key_id
        configuration.private_key_pem = key
        client = kalshi.KalshiClient(configuration)
        self.portfolio = kalshi.PortfolioApi(client)
        self.historical = kalshi.HistoricalApi(client)
        self.orders = kalshi.OrdersApi(client)
        self.markets = kalshi.MarketApi(client)
        self.events = kalshi.EventsApi(client)
        self.exchange = kalshi.ExchangeApi(client)
        self.account = kalshi.AccountApi(client)

    def fills(self) -> Rows:
        """Return all fills, live and historical."""
        live = pages(self.portfolio.get_fills, "fills")
        return [*live, *pages(self.historical.get_fills_historical, "fills")]

    def positions(self, subaccount: int) -> Rows:
        """Return all positions of a subaccount: unsettled, settled, historical."""
        live = pages(
            self.portfolio.get_positions, "market_positions",
            settlement_status="all", subaccount=subaccount,
        )  # fmt: skip
        old = pages(
            self.historical.get_historical_positions, "market_positions", subaccount=subaccount
        )
        return [*live, *old]

    def transfers(self) -> Decimal:
        """Return what was paid in less what was paid out."""
        paid_in = pages(self.portfolio.get_deposits, "deposits")
        paid_out = pages(self.portfolio.get_withdrawals, "withdrawals")
        cents = sum(row["amount_cents"] for row in paid_in)
        return Decimal(cents - sum(row["amount_cents"] for row in paid_out)) / 100

    def balance(self, subaccounts: list[int]) -> Decimal:
        """Return the cash of several subaccounts."""
        answers = (self.portfolio.get_balance(subaccount=one) for one in subaccounts)
        return sum((Decimal(answer.balance_dollars) for answer in answers), ZERO)


def held(account: Account, subaccounts: list[int]) -> dict[str, Decimal]:
    """Return the contracts of each market not yet settled, of all subaccounts together."""
    found: dict[str, Decimal] = {}
    for one in subaccounts:
        for row in pages(account.portfolio.get_positions, "market_positions", subaccount=one):
            found[row["ticker"]] = found.get(row["ticker"], ZERO) + Decimal(row["position_fp"])
    return found


def leg(fill: dict[str, Any]) -> Decimal:
    """Return what a fill paid for its own side."""
    side = "yes" if fill["book_side"] == "bid" else "no"
    return Decimal(fill["count_fp"]) * Decimal(fill[f"{side}_price_dollars"])


def pairs(fills: Rows) -> Decimal:
    """Return the dollars paid out when YES and NO met, per market and subaccount."""
    legs: dict[tuple[str, int], list[Decimal]] = {}
    for fill in fills:
        both = legs.setdefault((fill["ticker"], fill["subaccount_number"]), [ZERO, ZERO])
        both[fill["book_side"] == "bid"] += Decimal(fill["count_fp"])
    return sum((min(both) for both in legs.values()), ZERO)


def net(row: dict[str, Any]) -> Decimal:
    """Return a settlement's P&L before fees, by the formula of both legs."""
    value = Decimal(row["value"]) / 100
    paid = Decimal(row["yes_count_fp"]) * value + Decimal(row["no_count_fp"]) * (1 - value)
    cost = Decimal(row["yes_total_cost_dollars"]) + Decimal(row["no_total_cost_dollars"])
    return paid - cost


def candles(account: Account, market: Any) -> int:
    """Return how many hourly candles a market has, alone and in a batch."""
    opened, closed = int(market.open_time.timestamp()), int(market.close_time.timestamp())
    span = {"start_ts": opened, "end_ts": min(closed, opened + 86_400), "period_interval": 60}
    series = account.events.get_event(event_ticker=market.event_ticker).event.series_ticker
    alone = account.markets.get_market_candlesticks(
        series_ticker=series, ticker=market.ticker, **span
    ).candlesticks
    batch = account.markets.batch_get_market_candlesticks(market_tickers=market.ticker, **span)
    assert batch.markets[0].candlesticks == alone
    return len(alone)


def old_candles(account: Account, market: dict[str, Any]) -> int:
    """Return how many hourly candles an archived market has."""
    closed = int(market["close_time"].timestamp())
    body = account.historical.get_market_candlesticks_historical(
        ticker=market["ticker"], start_ts=closed - 86_400, end_ts=closed, period_interval=60
    )
    return len(body.candlesticks)


def public(account: Account) -> dict[str, int]:
    """Return how much there is of everything public."""
    rows = list(pages(account.markets.get_markets, "markets", status="open"))
    old = list(pages(account.historical.get_historical_markets, "markets"))
    market = account.markets.get_market(ticker=rows[-1]["ticker"]).market
    book = account.markets.get_market_orderbook(ticker=market.ticker).orderbook_fp
    books = account.markets.get_market_orderbooks(tickers=[market.ticker]).orderbooks
    series = account.markets.get_series_list().series
    return {
        "markets": len(rows),
        "historical_markets": len(old),
        "events": len(list(pages(account.events.get_events, "events"))),
        "series": len(series),
        "one_series": len(account.markets.get_series(series_ticker=series[0].ticker).series.title),
        "candles": candles(account, market),
        "historical_candles": old_candles(account, old[0]),
        "levels": len(book.yes_dollars) + len(book.no_dollars),
        "books": len(books),
        "trades": len(account.markets.get_trades(limit=50).trades),
        "historical_trades": len(account.historical.get_trades_historical(limit=50).trades),
        "fee_changes": len(
            account.exchange.get_series_fee_changes(show_historical=True).series_fee_change_arr
        ),
        "event_fee_changes": len(account.events.get_event_fee_changes(limit=5).event_fee_changes),
        "hours": len(account.exchange.get_exchange_schedule().schedule.standard_hours),
        "active": int(account.exchange.get_exchange_status().trading_active),
        "tokens": account.account.get_account_api_limits().read.refill_rate,
        "cost": account.account.get_account_endpoint_costs().default_cost,
    }


def private(account: Account) -> dict[str, Any]:
    """Return the account's sums."""
    fills = account.fills()
    subaccounts = sorted({fill["subaccount_number"] for fill in fills})
    positions = [row for one in subaccounts for row in account.positions(one)]
    settled = list(pages(account.portfolio.get_settlements, "settlements"))
    orders = [
        *pages(account.orders.get_orders, "orders"),
        *pages(account.historical.get_historical_orders, "orders"),
    ]
    fees = sum((Decimal(fill["fee_cost"]) for fill in fills), ZERO)
    revenue = Decimal(sum(row["revenue"] for row in settled)) / 100
    cash = account.transfers() - sum(leg(fill) for fill in fills) - fees
    order = account.orders.get_order(order_id=orders[0]["order_id"]).order
    return {
        "fills": len({fill["fill_id"] for fill in fills}),
        "rows": len(fills),
        "orders": len(orders),
        "one_order": order.order_id == orders[0]["order_id"],
        "fees": fees,
        "position_fees": sum((Decimal(row["fees_paid_dollars"]) for row in positions), ZERO),
        "realized": sum((Decimal(row["realized_pnl_dollars"]) for row in positions), ZERO),
        "held": held(account, subaccounts),
        "settlements": len(settled),
        "settled": sum((net(row) for row in settled), ZERO),
        "balance": account.balance(subaccounts),
        "identity": cash + pairs(fills) + revenue,
        "cutoff": account.historical.get_historical_cutoff().trades_created_ts,
        "as_of": account.exchange.get_user_data_timestamp().as_of_time,
    }


def main() -> None:
    """Read everything and print it."""
    url, key_id, file = sys.argv[1:4]
    account = Account(url, key_id, Path(file).read_text(encoding="utf-8"))
    found = {**private(account), "public": public(account)}
    sys.stdout.write(json.dumps(found, default=str) + "\n")


if __name__ == "__main__":
    main()
