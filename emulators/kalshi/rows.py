"""The account's rows, field for field as the trade API shows them."""

from collections.abc import Iterable
from typing import Any

from emulators.world import instant
from emulators.world.amount import FULL, count, money, notional, price
from emulators.world.holding import Fill, Holding
from emulators.world.instant import SECOND
from emulators.world.market import Market, Outcome
from emulators.world.prints import Print
from emulators.world.transfer import Transfer

Row = dict[str, Any]
DEPRECATED = ("action", "side", "taker_side", "purchased_side", "is_yes")
"""What may vanish any time; direction is book_side and outcome_side."""


def fill(fill: Fill, exchange_index: int) -> Row:
    """Return a Fill; action and side as the real one shows them, which misleads on sells."""
    bought = fill.direction > 0
    return {
        "fill_id": fill.fill_id,
        "trade_id": fill.fill_id,
        "order_id": fill.order_id,
        "ticker": fill.ticker,
        "market_ticker": fill.ticker,
        "exchange_index": exchange_index,
        "outcome_side": "yes" if bought else "no",
        "book_side": "bid" if bought else "ask",
        "side": "yes" if bought else "no",
        "action": "buy" if bought else "sell",
        "count_fp": count(fill.count),
        "yes_price_dollars": price(fill.price),
        "no_price_dollars": price(FULL - fill.price),
        "is_taker": fill.is_taker,
        "fee_cost": money(fill.fee),
        "created_time": instant.text(fill.time),
        "ts": fill.time // SECOND,
        "subaccount_number": fill.subaccount,
    }


def order(fill: Fill, exchange_index: int, user: str) -> Row:
    """Return the executed Order behind a fill."""
    bought = fill.direction > 0
    cost = money(notional(fill.price if bought else FULL - fill.price, fill.count))
    nothing = money(0)
    time = instant.text(fill.time)
    return {
        "order_id": fill.order_id,
        "user_id": user,
        "client_order_id": fill.order_id,
        "ticker": fill.ticker,
        "exchange_index": exchange_index,
        "outcome_side": "yes" if bought else "no",
        "book_side": "bid" if bought else "ask",
        "side": "yes" if bought else "no",
        "action": "buy",
        "type": "limit",
        "status": "executed",
        "yes_price_dollars": price(fill.price),
        "no_price_dollars": price(FULL - fill.price),
        "initial_count_fp": count(fill.count),
        "fill_count_fp": count(fill.count),
        "remaining_count_fp": count(0),
        "taker_fill_cost_dollars": cost if fill.is_taker else nothing,
        "maker_fill_cost_dollars": nothing if fill.is_taker else cost,
        "taker_fees_dollars": money(fill.fee) if fill.is_taker else nothing,
        "maker_fees_dollars": nothing if fill.is_taker else money(fill.fee),
        "created_time": time,
        "last_update_time": time,
        "subaccount_number": fill.subaccount,
    }


def trade(one: Print) -> Row:
    """Return a public Trade."""
    return {
        "trade_id": one.trade_id,
        "ticker": one.ticker,
        "count_fp": count(one.count),
        "yes_price_dollars": price(one.price),
        "no_price_dollars": price(FULL - one.price),
        "taker_outcome_side": "yes" if one.bought else "no",
        "taker_book_side": "bid" if one.bought else "ask",
        "taker_side": "yes" if one.bought else "no",
        "created_time": instant.text(one.time),
        "is_block_trade": False,
    }


def position(market: Market, holding: Holding) -> Row:
    """Return a MarketPosition."""
    return {
        "ticker": market.ticker,
        "exchange_index": market.series.exchange_index,
        "position_fp": count(holding.position),
        "total_traded_dollars": money(holding.traded),
        "market_exposure_dollars": money(holding.exposure),
        "realized_pnl_dollars": money(holding.realized),
        "fees_paid_dollars": money(holding.fees),
        "last_updated_ts": instant.text(holding.updated),
    }


def event_positions(pairs: Iterable[tuple[Market, Holding]]) -> list[Row]:
    """Return one EventPosition per event of the pairs."""
    events: dict[str, list[Holding]] = {}
    for market, holding in pairs:
        events.setdefault(market.event.ticker, []).append(holding)
    return [_event_position(ticker, holdings) for ticker, holdings in events.items()]


def settlement(market: Market, holding: Holding, outcome: Outcome) -> Row:
    """Return a Settlement: lifetime totals per leg, revenue of what was left only."""
    return {
        "ticker": market.ticker,
        "event_ticker": market.event.ticker,
        "exchange_index": market.series.exchange_index,
        "market_result": outcome.result,
        "yes_count_fp": count(holding.yes_count),
        "yes_total_cost_dollars": money(holding.yes_cost),
        "no_count_fp": count(holding.no_count),
        "no_total_cost_dollars": money(holding.no_cost),
        "revenue": holding.revenue,
        "fee_cost": money(holding.fees),
        "settled_time": instant.text(market.finalized),
        "value": outcome.value,
    }


def transfer(transfer: Transfer) -> Row:
    """Return a Deposit or a Withdrawal."""
    return {
        "id": transfer.transfer_id,
        "amount_cents": abs(transfer.cents),
        "fee_cents": 0,
        "created_ts": transfer.time // SECOND,
        "finalized_ts": transfer.time // SECOND,
        "status": "applied",
        "type": transfer.kind,
    }


def _event_position(ticker: str, holdings: list[Holding]) -> Row:
    return {
        "event_ticker": ticker,
        "total_cost_dollars": money(sum(holding.traded for holding in holdings)),
        "total_cost_shares_fp": count(sum(h.yes_count + h.no_count for h in holdings)),
        "event_exposure_dollars": money(sum(holding.exposure for holding in holdings)),
        "realized_pnl_dollars": money(sum(holding.realized for holding in holdings)),
        "fees_paid_dollars": money(sum(holding.fees for holding in holdings)),
    }
