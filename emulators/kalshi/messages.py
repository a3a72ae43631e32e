"""The stream's messages, field for field: names differ from the rows of the same things."""

from typing import Any

from emulators.kalshi import market_rows, rows
from emulators.world import instant
from emulators.world.amount import FULL, count, money, price
from emulators.world.depth import Change, Sides
from emulators.world.holding import Fill, Holding
from emulators.world.instant import SECOND
from emulators.world.market import Event, Market
from emulators.world.world import World

Body = dict[str, Any]
_TRADE_SIZE = 100


def fill(row: rows.Row, fill: Fill, position: int) -> Body:
    """Return a fill as its row has it; `position` is what the market holds after it."""
    names = (
        "trade_id", "order_id", "exchange_index", "is_taker", "outcome_side", "book_side", "side",
        "action", "yes_price_dollars", "count_fp", "fee_cost",
    )  # fmt: skip
    body = {name: row[name] for name in names if name in row}
    body["market_ticker"] = fill.ticker
    if "side" in row:
        body["purchased_side"] = row["outcome_side"]
    body["post_position_fp"] = count(position)
    return body | _times(fill.time) | _subaccount(row["subaccount_number"])


def position(market: Market, holding: Holding, user: str) -> Body:
    """Return a market_position."""
    return {
        "user_id": user,
        "market_ticker": market.ticker,
        "position_fp": count(holding.position),
        "position_cost_dollars": money(holding.exposure),
        "realized_pnl_dollars": money(holding.realized),
        "fees_paid_dollars": money(holding.fees),
        "position_fee_cost_dollars": money(holding.fees if holding.position else 0),
        "volume_fp": count(holding.yes_count + holding.no_count),
        **_subaccount(holding.subaccount),
    }


def order(row: rows.Row, fill: Fill) -> Body:
    """Return a user_order as its row has it."""
    return {
        "order_id": row["order_id"],
        "user_id": row["user_id"],
        "client_order_id": row["client_order_id"],
        "ticker": fill.ticker,
        "status": row["status"],
        "outcome_side": row["outcome_side"],
        "book_side": row["book_side"],
        "yes_price_dollars": row["yes_price_dollars"],
        "initial_count_fp": row["initial_count_fp"],
        "fill_count_fp": row["fill_count_fp"],
        "remaining_count_fp": row["remaining_count_fp"],
        "taker_fill_cost_dollars": row["taker_fill_cost_dollars"],
        "maker_fill_cost_dollars": row["maker_fill_cost_dollars"],
        "taker_fees_dollars": row["taker_fees_dollars"],
        "maker_fees_dollars": row["maker_fees_dollars"],
        "created_ts_ms": fill.time // 1_000,
        "last_updated_ts_ms": fill.time // 1_000,
        **_subaccount(row["subaccount_number"]),
    }


def ticker(world: World, market: Market, now: int) -> Body:
    """Return a ticker."""
    row = market_rows.market(world, market, now)
    volume, interest = (float(row[name]) for name in ("volume_fp", "open_interest_fp"))
    last = float(row["last_price_dollars"])
    return {
        "market_ticker": market.ticker,
        "market_id": market_rows.identity(market.ticker),
        "price_dollars": row["last_price_dollars"],
        "yes_bid_dollars": row["yes_bid_dollars"],
        "yes_ask_dollars": row["yes_ask_dollars"],
        "yes_bid_size_fp": row["yes_bid_size_fp"],
        "yes_ask_size_fp": row["yes_ask_size_fp"],
        "last_trade_size_fp": count(_TRADE_SIZE),
        "volume_fp": row["volume_fp"],
        "open_interest_fp": row["open_interest_fp"],
        "dollar_volume": int(volume * last),
        "dollar_open_interest": int(interest * last),
        **_times(now),
        "time": instant.text(now),
    }


def trade(row: rows.Row, time: int) -> Body:
    """Return a trade as its row has it."""
    names = (
        "trade_id", "yes_price_dollars", "no_price_dollars", "count_fp", "taker_outcome_side",
        "taker_book_side", "taker_side", "is_block_trade",
    )  # fmt: skip
    body = {name: row[name] for name in names if name in row}
    return {"market_ticker": row["ticker"]} | body | _times(time)


def snapshot(market: Market, sides: Sides, *, yes_price: bool) -> Body:
    """Return an orderbook_snapshot; the key of an empty side is absent."""
    found: Body = {"market_ticker": market.ticker, "market_id": market_rows.identity(market.ticker)}
    for side, levels in sides.items():
        if levels:
            pairs = sorted((_shown(side, at, yes_price=yes_price), n) for at, n in levels.items())
            found[f"{side}_dollars_fp"] = [[price(at), count(size)] for at, size in pairs]
    return found


def delta(market: Market, change: Change, now: int, *, yes_price: bool) -> Body:
    """Return an orderbook_delta."""
    return {
        "market_ticker": market.ticker,
        "market_id": market_rows.identity(market.ticker),
        "price_dollars": price(_shown(change.side, change.price, yes_price=yes_price)),
        "delta_fp": count(change.contracts),
        "side": change.side,
        **_times(now),
    }


def created(market: Market) -> Body:
    """Return what a lifecycle message says of a new market."""
    names = market_rows.names(market)
    told = (
        "title", "yes_sub_title", "no_sub_title", "rules_primary", "rules_secondary",
        "can_close_early", "event_ticker", "strike_type", "floor_strike", "cap_strike",
    )  # fmt: skip
    return {
        "open_ts": market.open // SECOND,
        "close_ts": market.close // SECOND,
        "price_level_structure": names["price_level_structure"],
        "additional_metadata": {
            "name": names["subtitle"],
            **{name: names[name] for name in told if name in names},
            "expected_expiration_ts": market.event.close // SECOND,
        },
    }


def event(event: Event) -> Body:
    """Return an event_lifecycle."""
    return {
        "event_ticker": event.ticker,
        "series_ticker": event.series.ticker,
        "title": event.title,
        "subtitle": event.sub_title,
        "collateral_return_type": "",
        "strike_date": event.close // SECOND,
    }


def _shown(side: str, at: int, *, yes_price: bool) -> int:
    return FULL - at if side == "no" and yes_price else at


def _times(time: int) -> Body:
    return {"ts": time // SECOND, "ts_ms": time // 1_000}


def _subaccount(number: int) -> Body:
    return {"subaccount": number} if number else {}
