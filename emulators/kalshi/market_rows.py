"""Markets, events and series, field for field as the trade API shows them."""

from typing import Any

from emulators.world import instant
from emulators.world.amount import DOLLAR, FULL, count, fixed, price
from emulators.world.chance import draws, identifier
from emulators.world.instant import DAY, HOUR, SECOND
from emulators.world.market import Event, Market, Series, Strike
from emulators.world.quotes import Quote
from emulators.world.world import World

Row = dict[str, Any]

_SOURCES = [{"name": "The source named in the rules", "url": "https://example.com/"}]
_STRUCTURES = {10: "deci_cent", 100: "linear_cent"}


def market(world: World, market: Market, now: int) -> Row:
    """Return a Market as it stands now; its result only once it is determined."""
    return {
        **names(market),
        **_times(market, now),
        **_prices(world, market, now),
        **_volumes(world, market, now),
        **_result(world, market, now),
    }


def event(event: Event) -> Row:
    """Return an EventData."""
    return {
        "event_ticker": event.ticker,
        "series_ticker": event.series.ticker,
        "title": event.title,
        "sub_title": event.sub_title,
        "category": event.series.category,
        "collateral_return_type": "",
        "mutually_exclusive": event.exclusive,
        "exchange_index": event.series.exchange_index,
        "settlement_sources": _SOURCES,
        "strike_date": instant.brief(event.close),
        "last_updated_ts": instant.text(event.open),
    }


def series(series: Series) -> Row:
    """Return a Series."""
    return {
        "ticker": series.ticker,
        "title": series.title,
        "category": series.category,
        "categories": [series.category],
        "frequency": series.frequency,
        "fee_type": series.fee_type,
        "fee_multiplier": float(series.multiplier),
        "exchange_index": series.exchange_index,
        "tags": [series.category],
        "settlement_sources": _SOURCES,
        "additional_prohibitions": ["Those who decide the outcome."],
        "contract_url": "",
        "contract_terms_url": "",
    }


def identity(ticker: str) -> str:
    """Return the UUID of a market."""
    return identifier(ticker, "market")


def names(market: Market) -> Row:
    """Return what is true of a market all its life."""
    strike, tick = market.strike, market.series.tick
    return {
        "ticker": market.ticker,
        "event_ticker": market.event.ticker,
        "exchange_index": market.series.exchange_index,
        "market_type": "binary",
        "title": strike.title,
        "subtitle": strike.label,
        "yes_sub_title": strike.label,
        "no_sub_title": strike.label,
        "strike_type": strike.kind,
        **_strikes(strike),
        "can_close_early": True,
        "rules_primary": f"If {strike.label} is the outcome, then the market resolves to Yes.",
        "rules_secondary": "",
        "notional_value_dollars": fixed(DOLLAR, 4),
        "price_level_structure": _STRUCTURES[tick],
        "price_ranges": [{"start": price(0), "end": price(FULL), "step": price(tick)}],
        "settlement_bounds_type": "default",
        "settlement_timer_seconds": (market.finalized - market.determined) // SECOND,
    }


def _strikes(strike: Strike) -> Row:
    found = {"floor_strike": strike.floor, "cap_strike": strike.cap}
    return {name: value for name, value in found.items() if value is not None}


def updated(market: Market, now: int) -> int:
    """Return when a market last became something else."""
    steps = (market.created, market.open, market.close, market.determined, market.finalized)
    return max(step for step in steps if step <= now)


def _times(market: Market, now: int) -> Row:
    return {
        "status": market.status(now),
        "created_time": instant.text(market.created),
        "open_time": instant.brief(market.open),
        "close_time": instant.brief(market.close),
        "expected_expiration_time": instant.brief(market.event.close),
        "expiration_time": instant.brief(market.event.close + 7 * DAY),
        "latest_expiration_time": instant.brief(market.event.close + 7 * DAY),
        "updated_time": instant.text(updated(market, now)),
    }


def _prices(world: World, market: Market, now: int) -> Row:
    quote = world.quote(market, now)
    ended = now >= market.determined
    before = quote if ended else world.quote(market, max(market.open, now - DAY))
    return {
        **_book(quote),
        "last_price_dollars": price(quote.last),
        "previous_price_dollars": price(before.last),
        "previous_yes_bid_dollars": price(before.bid),
        "previous_yes_ask_dollars": price(before.ask),
    }


def _book(quote: Quote) -> Row:
    return {
        "yes_bid_dollars": price(quote.bid),
        "yes_ask_dollars": price(quote.ask),
        "no_bid_dollars": price(FULL - quote.ask),
        "no_ask_dollars": price(FULL - quote.bid),
        "yes_bid_size_fp": count(quote.bid_size),
        "yes_ask_size_fp": count(quote.ask_size),
    }


def _volumes(world: World, market: Market, now: int) -> Row:
    size, share, *_ = draws(world.charter.seed, market.ticker, "volume")
    hours = max(0, min(now, market.close) - market.open) // HOUR
    hourly = int(100 * 40 ** (1 + size))
    return {
        "volume_fp": count(hours * hourly),
        "volume_24h_fp": count(min(hours, 24) * hourly if now < market.close else 0),
        "open_interest_fp": count(int(hours * hourly * (0.2 + 0.4 * share))),
    }


def _result(world: World, market: Market, now: int) -> Row:
    if now < market.determined:
        return {"result": "", "expiration_value": ""}
    outcome = world.catalog.outcome(market)
    row = {
        "result": outcome.result,
        "expiration_value": outcome.result,
        "settlement_value_dollars": price(outcome.price),
    }
    return row | (
        {"settlement_ts": instant.text(market.finalized)} if now >= market.finalized else {}
    )
