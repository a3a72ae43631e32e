"""Kalshi's rows as facts: fills, settlements, quotes, reported positions."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ledger import moment, money
from ledger.facts import Fill, Mark, Market, Settlement, Side
from pipeline.sources.fields import FieldError, Fields

SIDES = {"bid": Side.YES, "yes": Side.YES, "ask": Side.NO, "no": Side.NO}
RESULTS = {"yes": money.NANO, "no": 0}
DETERMINED = {"determined", "disputed", "amended", "finalized", "settled"}
UNDETERMINED = {"initialized", "unopened", "inactive", "active", "open", "paused", "closed"}

PARTS = 100
"""Parts of a contract that are traded on their own."""
NEVER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Report:
    """What Kalshi itself says of one market, subaccount 0: + YES, nano-dollars, never booked."""

    ticker: str
    position: int
    fees: int
    realized: int
    traded: int = 0
    exposure: int = 0
    settled: bool = False
    updated: int = 0

    def __add__(self, other: "Report") -> "Report":
        """Return both shards of one market as one."""
        return Report(
            self.ticker,
            self.position + other.position,
            self.fees + other.fees,
            self.realized + other.realized,
            self.traded + other.traded,
            self.exposure + other.exposure,
            self.settled and other.settled,
            max(self.updated, other.updated),
        )


@dataclass(frozen=True, slots=True)
class Balance:
    """Cash and what the positions are worth at last prices, nano-dollars; `at` µs."""

    cash: int
    positions: int
    at: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money that came in (+) or went out (−), its fee beside, nano-dollars; times µs.

    `status` is the exchange's own word: only `applied` has moved the balance.
    """

    id: str
    status: str
    amount: int
    fee: int
    created: int
    finalized: int | None


def fill(row: Fields, until: int = NEVER) -> Fill:
    """Return one execution; direction only from book_side and outcome_side.

    What is dated after `until` (µs) is refused; delivered again once its time has come, it counts.
    """
    price = row.dollars("yes_price_dollars", 0, money.NANO)
    count = row.contracts("count_fp", 1)
    _bounded(price, count)
    return Fill(
        fill_id=row.text("fill_id"),
        time=_created(row, until),
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


def settlement(
    row: Fields, market_value: Callable[[str], int | None], until: int = NEVER
) -> Settlement:
    """Return one market's end; `market_value` is asked when a scalar row names no value."""
    return Settlement(
        ticker=row.text("ticker"),
        time=_past("settled_time", row.instant("settled_time"), until),
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
    status = row.text("status", "")
    if status in UNDETERMINED or (status not in DETERMINED and not row.has("result")):
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
    """Return a position as the stream and the lists report it alike."""
    return Report(
        ticker=row.text("ticker"),
        position=row.contracts("position_fp"),
        fees=row.dollars("fees_paid_dollars"),
        realized=row.dollars("realized_pnl_dollars"),
    )


def listed(row: Fields, *, settled: bool) -> Report:
    """Return one row of the reported positions."""
    return replace(
        report(row),
        traded=row.dollars("total_traded_dollars"),
        exposure=row.dollars("market_exposure_dollars"),
        settled=settled,
        updated=row.instant("last_updated_ts") if row.has("last_updated_ts") else 0,
    )


def balance(row: Fields, received: int) -> Balance:
    """Return cash and the value of positions."""
    exact = row.has("balance_dollars")
    cash = row.dollars("balance_dollars") if exact else row.cents("balance")
    return Balance(cash, row.cents("portfolio_value"), received)


def transfer(row: Fields, sign: int) -> Transfer:
    """Return a deposit (`sign` 1) or a withdrawal (−1)."""
    return Transfer(
        id=row.text("id"),
        status=row.text("status"),
        amount=sign * row.cents("amount_cents", 0),
        fee=row.cents("fee_cents", 0),
        created=moment.seconds(row.whole("created_ts")),
        finalized=moment.seconds(row.whole("finalized_ts")) if row.has("finalized_ts") else None,
    )


def bucket(row: Fields) -> tuple[int, int]:
    """Return tokens a second and tokens saved up for reading, of the account's limits."""
    return row.whole("refill_rate"), row.whole("bucket_capacity")


def tariff(row: Fields) -> tuple[int, dict[str, float]]:
    """Return the tokens of a GET, and of those with a cost of their own by path."""
    prices: dict[str, float] = {}
    for listed in row.row.get("endpoint_costs") or ():
        priced = Fields(listed if isinstance(listed, dict) else {})
        if priced.text("method").upper() == "GET":
            prices[priced.text("path")] = priced.whole("cost")
    return row.whole("default_cost"), prices


def closed(row: Fields) -> str:
    """Return what the exchange says of being closed, "" while it trades."""
    if row.flag("exchange_active") and row.flag("trading_active"):
        return ""
    what = "trading is paused" if row.flag("exchange_active") else "the exchange is closed"
    until = "exchange_estimated_resume_time"
    return f"{what}, until about {moment.text(row.instant(until))}" if row.has(until) else what


def _created(row: Fields, until: int) -> int:
    if row.has("created_time") or not row.has("ts"):
        return _past("created_time", row.instant("created_time"), until)
    return _past("ts", moment.seconds(row.whole("ts")), until)


def _past(name: str, instant: int, until: int) -> int:
    if instant > until:
        raise FieldError(name, f"is in the future: {moment.text(instant)}")
    return instant


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
    if _settled("yes_price_dollars", price) * count // PARTS > money.LIMIT:
        raise FieldError("count_fp", "is beyond what an account can hold")


def _settled(name: str, price: int) -> int:
    """Return a price that any part of a contract can be paid at, to the nano-dollar."""
    if price % PARTS:
        raise FieldError(name, f"is finer than a part of a contract can be paid: {price}e-9")
    return price


def _value(row: Fields, market_value: Callable[[str], int | None]) -> int:
    if row.has("value"):
        return _settled("value", row.cents("value", 0, money.NANO))
    result = row.text("market_result")
    value = RESULTS.get(result)
    if value is None and result == "scalar":
        value = market_value(row.text("ticker"))
    if value is None:
        raise FieldError("value", f"is missing, and {result!r} does not say it")
    return _settled("settlement_value_dollars", value)


def _price(row: Fields, name: str) -> int | None:
    return row.dollars(name, 0, money.NANO) if row.has(name) else None
