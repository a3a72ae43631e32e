"""Facts: what happened, frozen, each with the identity its source gave it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from ledger import money


class Side(StrEnum):
    """What a fill bought; buying NO at p is selling YES at 1 − p."""

    YES = "yes"
    NO = "no"


class Status(StrEnum):
    """Where a deal stands."""

    RECOGNIZED = "recognized"
    PENDING = "pending"
    PIPELINE = "pipeline"
    LOST = "lost"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution: `count` in 1/100 contracts, `price` of YES and `fee` in nano-dollars."""

    fill_id: str
    time: int
    ticker: str
    side: Side
    count: int
    price: int
    fee: int
    is_taker: bool
    order_id: str = ""
    subaccount: int = 0
    exchange_index: int = 0

    @property
    def identity(self) -> str:
        """What makes two deliveries the same fill."""
        return self.fill_id

    @property
    def signed(self) -> int:
        """Count with its direction: + buys YES, − buys NO."""
        return self.count if self.side is Side.YES else -self.count


@dataclass(frozen=True, slots=True)
class Settlement:
    """One market's end: `value` nano-dollars per YES; what the exchange reported beside it."""

    ticker: str
    time: int
    result: str
    value: int
    event: str = ""
    exchange_index: int = 0
    subaccount: int | None = None
    yes_count: int = 0
    yes_cost: int = 0
    no_count: int = 0
    no_cost: int = 0
    revenue: int = 0
    fee: int = 0

    @property
    def identity(self) -> tuple[str, int, int | None]:
        """Market and shard, plus the subaccount where the row or its query names one."""
        return self.ticker, self.exchange_index, self.subaccount


@dataclass(frozen=True, slots=True)
class Mark:
    """One market's quote at an instant, nano-dollars per YES; `value` once determined."""

    ticker: str
    time: int
    bid: int | None
    ask: int | None
    last: int | None
    value: int | None = None

    @property
    def quote(self) -> tuple[int | None, int | None, int | None, int | None]:
        """What is compared to tell whether a mark changed."""
        return self.bid, self.ask, self.last, self.value


@dataclass(frozen=True, slots=True)
class Cost:
    """One line of AI cost: `amount` nano-dollars of the bucket [start, start + width).

    `price_table` is the version of the table an estimate was made with, "" for a bill.
    """

    source: str
    start: int
    width: int
    group: tuple[tuple[str, str], ...]
    amount: int
    estimated: bool = False
    final: bool = False
    price_table: str = ""

    @property
    def unpriced(self) -> bool:
        """Whether it is an estimate of a model that no price table knows: it adds nothing."""
        return self.estimated and not self.price_table

    @property
    def identity(self) -> tuple[str, int, int, tuple[tuple[str, str], ...]]:
        """Every group field with the bucket's start and width."""
        return self.source, self.start, self.width, self.group


@dataclass(frozen=True, slots=True)
class Deal:
    """One deal: `amount` in nano-units of `currency`, `rate` USD per unit when not USD."""

    source: str
    id: str
    name: str
    status: Status
    amount: int
    updated_at: int
    currency: str = "USD"
    closed_date: date | None = None
    recognized_at: date | None = None
    service_start: date | None = None
    service_end: date | None = None
    probability: Decimal | None = None
    rate: Decimal | None = None
    rate_date: date | None = None
    customer: str = ""
    owner: str = ""
    stage: str = ""
    url: str = ""
    notes: str = ""

    @property
    def identity(self) -> tuple[str, str]:
        """Source and the source's own id."""
        return self.source, self.id

    @property
    def usd(self) -> int | None:
        """Nano-dollars; None for another currency without a rate: shown, not counted."""
        if self.currency == "USD":
            return self.amount
        return None if self.rate is None else money.converted(self.amount, self.rate)


@dataclass(frozen=True, slots=True)
class Market:
    """What a market is called: reference data beside the facts."""

    ticker: str
    event: str = ""
    series: str = ""
    title: str = ""
    status: str = ""


Fact = Fill | Settlement | Mark | Cost | Deal
