"""What one market holds: a fold over fills by average cost, as Kalshi's own figures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from emulators.world.amount import CENT, FULL, half_even, notional
from emulators.world.market import Outcome

_SUMS = (
    "position", "cost", "realized", "fees", "yes_count", "yes_cost", "no_count", "no_cost",
    "paired", "payout", "revenue", "fills",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution: direction + buys YES, − buys NO; `price` of YES, `fee` in nano-dollars."""

    time: int
    fill_id: str
    order_id: str
    ticker: str
    direction: int
    count: int
    price: int
    fee: int
    is_taker: bool
    subaccount: int = 0

    @property
    def book(self) -> tuple[str, int]:
        """Which position it changes: its market's, in its subaccount."""
        return self.ticker, self.subaccount

    @property
    def key(self) -> tuple[int, str]:
        """Its place among all fills."""
        return self.time, self.fill_id


@dataclass(slots=True)
class Holding:
    """Signed position (+ YES, − NO), the cost of what is open, and lifetime totals per leg."""

    position: int = 0
    cost: int = 0
    realized: int = 0
    fees: int = 0
    yes_count: int = 0
    yes_cost: int = 0
    no_count: int = 0
    no_cost: int = 0
    paired: int = 0
    """Nano-dollars paid out when YES and NO met."""
    payout: int = 0
    revenue: int = 0
    """Cents credited at settlement: the payout floored."""
    updated: int = 0
    fills: int = 0
    subaccount: int = 0
    netted: bool = True
    """Whether a YES and a NO are paid out when they meet, or kept until the end."""
    settled: bool = False

    @property
    def pairs(self) -> int:
        """Nano-dollars of YES and NO kept together: each pair is worth a dollar."""
        kept = 0 if self.netted or self.settled else min(self.yes_count, self.no_count)
        return notional(FULL, kept)

    @property
    def exposure(self) -> int:
        """The cost of all that is kept."""
        return self.cost if self.netted or self.settled else self.traded

    @property
    def traded(self) -> int:
        """The cost of both legs over the life."""
        return self.yes_cost + self.no_cost

    @property
    def cash(self) -> int:
        """What the account gained by it so far, fees included."""
        return self.paired + self.revenue * CENT - self.traded - self.fees

    def book(self, fill: Fill) -> None:
        """Add one fill; fills come in the order of their keys."""
        leg = fill.price if fill.direction > 0 else FULL - fill.price
        if fill.direction > 0:
            self.yes_count += fill.count
            self.yes_cost += notional(leg, fill.count)
        else:
            self.no_count += fill.count
            self.no_cost += notional(leg, fill.count)
        closed = min(fill.count, abs(self.position)) if self.position * fill.direction < 0 else 0
        if closed:
            self._close(closed, FULL - leg)
        self.position += fill.direction * fill.count
        self.cost += notional(leg, fill.count - closed)
        self.fees += fill.fee
        self.updated = fill.time
        self.fills += 1

    def settle(self, outcome: Outcome, time: int) -> None:
        """Pay the net position out and close it."""
        each = outcome.price if self.position > 0 else FULL - outcome.price
        self.payout = notional(each, abs(self.position))
        self.revenue = (self.payout + self.pairs) // CENT
        self.realized += self.payout - self.cost
        self.position = self.cost = 0
        self.settled = True
        self.updated = max(self.updated, time)

    def value(self, each: int | None) -> int:
        """Return the position's worth at a price of its own side; its cost without one."""
        return self.cost if each is None else notional(each, abs(self.position))

    def _close(self, closed: int, proceeds: int) -> None:
        share = half_even(self.cost * closed, abs(self.position))
        self.realized += notional(proceeds, closed) - share
        self.cost -= share
        if self.netted:
            self.paired += notional(FULL, closed)


def folded(fills: Iterable[Fill], subaccount: int = 0, *, netted: bool = True) -> Holding:
    """Return what a market holds after its fills, in their order."""
    holding = Holding(subaccount=subaccount, netted=netted)
    for fill in fills:
        holding.book(fill)
    return holding


def merged(holdings: Sequence[Holding]) -> Holding:
    """Return what several subaccounts hold of one market together, each settled by itself."""
    if len(holdings) == 1:
        return holdings[0]
    sums = {name: sum(getattr(one, name) for one in holdings) for name in _SUMS}
    first = holdings[0]
    latest = max(one.updated for one in holdings)
    return Holding(**sums, updated=latest, netted=first.netted, settled=first.settled)
