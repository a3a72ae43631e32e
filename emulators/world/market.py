"""Series, events and markets: what can be traded, from when to when, and how it ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from emulators.world.amount import FULL

if TYPE_CHECKING:
    from emulators.world.prints import Print


@dataclass(frozen=True, slots=True)
class Series:
    """A recurring question; `tick` in 1/10,000 dollar."""

    ticker: str
    title: str
    category: str
    frequency: str
    fee_type: str = "quadratic"
    multiplier: Decimal = Decimal(1)
    exchange_index: int = 0
    tick: int = 100


@dataclass(frozen=True, slots=True)
class Event:
    """One instance of a series: an outcome that becomes known at `close`."""

    ticker: str
    series: Series
    title: str
    sub_title: str
    open: int
    close: int
    exclusive: bool = False
    scalar: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a market ended: yes, no or scalar, and the cents each YES is paid."""

    result: str
    value: int

    @property
    def price(self) -> int:
        """The value in 1/10,000 dollar."""
        return self.value * FULL // 100


@dataclass(frozen=True, slots=True)
class Strike:
    """What a market says yes to: the outcome, in standard deviations, lies in (low, high]."""

    suffix: str
    title: str
    label: str
    low: float
    high: float
    floor: float | None = None
    cap: float | None = None

    @property
    def kind(self) -> str:
        """Kalshi's word for the strike."""
        if self.floor is None and self.cap is None:
            return "custom"
        if self.cap is None:
            return "greater"
        return "less" if self.floor is None else "between"


@dataclass(frozen=True, slots=True)
class Market:
    """One contract: instants in microseconds; `ruling` is an end decided from outside."""

    ticker: str
    event: Event
    strike: Strike
    open: int
    close: int
    determined: int
    finalized: int
    ruling: Outcome | None = None

    @property
    def series(self) -> Series:
        """The series it belongs to."""
        return self.event.series

    @property
    def created(self) -> int:
        """When it was announced: six hours before it opens."""
        return self.open - 6 * 3_600_000_000

    def status(self, instant: int) -> str:
        """Return Kalshi's word for where it stands."""
        if instant < self.open:
            return "initialized"
        if instant < self.close:
            return "active"
        if instant < self.determined:
            return "closed"
        return "determined" if instant < self.finalized else "finalized"


class Listing(Protocol):
    """Where markets come from: made up, or replayed from a file of trades."""

    def listed(self, begin: int, end: int) -> Sequence[Market]:
        """Return the markets announced by `end` whose end is not before `begin`."""

    def tradable(self, instant: int) -> Sequence[Market]:
        """Return the markets open at an instant."""

    def probability(self, market: Market, instant: int) -> float:
        """Return the chance of yes as the crowd sees it."""

    def outcome(self, market: Market) -> Outcome:
        """Return how the market ends."""

    def last(self, market: Market, instant: int) -> int | None:
        """Return the price of the last trade, where trades are known."""

    def prints(self) -> "Sequence[Print] | None":
        """Return every known trade, oldest first; None where trades are made up."""
