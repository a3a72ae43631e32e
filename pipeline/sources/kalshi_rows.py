"""Kalshi's rows as facts: fills, settlements, quotes, reported positions."""

from collections.abc import Callable
from dataclasses import dataclass

from ledger import moment, money
from ledger.facts import Fill, Mark, Market, Settlement, Side
from pipeline.sources.fields import FieldError, Fields

SIDES = {"bid": Side.YES, "yes": Side.YES, "ask": Side.NO, "no": Side.NO}
RESULTS = {"yes": money.NANO, "no": 0}
UNDETERMINED = {"initialized", "unopened", "inactive", "active", "open", "paused", "closed"}


@dataclass(frozen=True, slots=True)
class Report:
    """What Kalshi itself says of one market, subaccount 0: + YES, nano-dollars, never booked."""

    ticker: str
    position: int
    fees: int
    realized: int

    def __add__(self, other: "Report") -> "Report":
        """Return both shards of one market as one."""
        position, fees = self.position + other.position, self.fees + other.fees
        return Report(self.ticker, position, fees, self.realized + other.realized)


def fill(row: Fields) -> Fill:
    """Return one execution; direction only from book_side and outcome_side."""
    price = row.dollars("yes_price_dollars", 0, money.NANO)
    count = row.contracts("count_fp", 1)
    _bounded(price, count)
    return Fill(
        fill_id=row.text("fill_id"),
        time=_created(row),
        ticker=row.text("ticker"),
        side=_side(row),
        count=count,
        price=price,
        fee=row.dollars("fee_cost", 0),
        is_taker=row.flag("is_taker"),
        order_id=row.text("order_id", ""),
        subaccount=row.whole("subaccount_number", 0),
        exchange_index=row.whole("exchange_index", 0),
    )


def settlement(row: Fields, market_value: Callable[[str], int | None]) -> Settlement:
    """Return one market's end; `market_value` is asked when a scalar row names no value."""
    return Settlement(
        ticker=row.text("ticker"),
        time=row.instant("settled_time"),
        result=row.text("market_result"),
        value=_value(row, market_value),
        event=row.text("event_ticker", ""),
        exchange_index=row.whole("exchange_index", 0),
        subaccount=row.whole("subaccount_number") if row.has("subaccount_number") else None,
        yes_count=row.contracts("yes_count_fp", 0),
        yes_cost=row.dollars("yes_total_cost_dollars"),
        no_count=row.contracts("no_count_fp", 0),
        no_cost=row.dollars("no_total_cost_dollars"),
        revenue=row.cents("revenue"),
        fee=row.dollars("fee_cost"),
    )


def mark(row: Fields, time: int) -> Mark:
    """Return one market's quote as received at `time`; an empty side is None."""
    bid, ask = _price(row, "yes_bid_dollars"), _price(row, "yes_ask_dollars")
    return Mark(
        ticker=row.text("ticker"),
        time=time,
        bid=bid or None,
        ask=ask if ask and ask < money.NANO else None,
        last=_price(row, "last_price_dollars") or None,
        value=determined(row),
    )


def determined(row: Fields) -> int | None:
    """Return what the market pays per YES, nano-dollars, once that is known."""
    if row.text("status", "") in UNDETERMINED:
        return None
    if row.has("settlement_value_dollars"):
        return row.dollars("settlement_value_dollars", 0, money.NANO)
    return RESULTS.get(row.text("result", ""))


def market(row: Fields, series: str) -> Market:
    """Return what a market is called; `series` comes from its event, never from its ticker."""
    title = row.text("title", "") or row.text("yes_sub_title", "")
    event, status = row.text("event_ticker", ""), row.text("status", "")
    return Market(row.text("ticker"), event, series, title, status)


def report(row: Fields) -> Report:
    """Return one row of the reported positions."""
    return Report(
        ticker=row.text("ticker"),
        position=row.contracts("position_fp"),
        fees=row.dollars("fees_paid_dollars"),
        realized=row.dollars("realized_pnl_dollars"),
    )


def balance(row: Fields) -> dict[str, str]:
    """Return cash and the value of positions, in nano-dollars, as the cursor keeps them."""
    exact = row.has("balance_dollars")
    cash = row.dollars("balance_dollars") if exact else row.cents("balance")
    return {"balance": str(cash), "portfolio_value": str(row.cents("portfolio_value"))}


def _created(row: Fields) -> int:
    if row.has("created_time") or not row.has("ts"):
        return row.instant("created_time")
    return moment.seconds(row.whole("ts"))


def _side(row: Fields) -> Side:
    named = [name for name in ("book_side", "outcome_side") if row.has(name)]
    if not named:
        raise FieldError("book_side", "is missing")
    sides = {_known(name, row.text(name)) for name in named}
    if len(sides) > 1:
        raise FieldError("outcome_side", "contradicts book_side")
    return sides.pop()


def _known(name: str, word: str) -> Side:
    if word not in SIDES:
        raise FieldError(name, f"is no side we know: {word!r}")
    return SIDES[word]


def _bounded(price: int, count: int) -> None:
    try:
        cost = money.notional(price, count)
    except money.MoneyError as error:
        raise FieldError("count_fp", str(error)) from error
    if cost > money.LIMIT:
        raise FieldError("count_fp", "is beyond what an account can hold")


def _value(row: Fields, market_value: Callable[[str], int | None]) -> int:
    if row.has("value"):
        return row.cents("value", 0, money.NANO)
    result = row.text("market_result")
    value = RESULTS.get(result)
    if value is None and result == "scalar":
        value = market_value(row.text("ticker"))
    if value is None:
        raise FieldError("value", f"is missing, and {result!r} does not say it")
    return value


def _price(row: Fields, name: str) -> int | None:
    return row.dollars(name, 0, money.NANO) if row.has(name) else None
