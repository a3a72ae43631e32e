"""Explanations: the move between two instants as contributions that sum to it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain

from ledger.facts import Deal
from ledger.pnl import Account, Event, Policy, Worth
from ledger.revenue import earnings


class Kind(StrEnum):
    """What a contribution is of; `late` was learned in the span but is dated before it."""

    MARKET = "market"
    MODEL = "model"
    WORKSPACE = "workspace"
    DEAL = "deal"
    LATE = "late"


class View(StrEnum):
    """By what is known now, each fact at its own time; or by the snapshots as they were."""

    KNOWN = "known"
    OBSERVED = "observed"


@dataclass(frozen=True, slots=True)
class Spent:
    """AI cost that counts from an instant on: `id` is its model or workspace; nano-dollars."""

    time: int
    id: str
    amount: int


@dataclass(frozen=True, slots=True)
class State:
    """What every market, model or workspace, and deal has brought by an instant."""

    markets: Mapping[str, Worth] = field(default_factory=dict)
    costs: Mapping[str, int] = field(default_factory=dict)
    deals: Mapping[str, int] = field(default_factory=dict)

    @property
    def net(self) -> int:
        """Trading + revenue − cost, nano-dollars."""
        trading = sum(worth.total for worth in self.markets.values())
        return trading + sum(self.deals.values()) - sum(self.costs.values())


@dataclass(frozen=True, slots=True)
class Contribution:
    """One line of an explanation: what moved, and by how much; fees and cost are positive."""

    kind: Kind
    id: str
    realized: int = 0
    unrealized: int = 0
    fees: int = 0
    revenue: int = 0
    cost: int = 0

    @property
    def amount(self) -> int:
        """What it adds to the move."""
        return self.realized + self.unrealized - self.fees + self.revenue - self.cost


@dataclass(frozen=True, slots=True)
class Explanation:
    """The move of [start, end) and what made it, largest first; nano-dollars.

    Invariant: the contributions sum to the move.
    """

    start: int
    end: int
    view: View
    net_from: int
    net_to: int
    contributions: tuple[Contribution, ...]

    @property
    def move(self) -> int:
        """Net at the end − net at the start."""
        return self.net_to - self.net_from


@dataclass(frozen=True, slots=True)
class Known:
    """Everything known: `events` in the order of the fold, `first` the first row's instant.

    `spent` are the amounts that count (`ledger.cost`), by model or by workspace.
    """

    policy: Policy
    events: Sequence[Event]
    deals: Sequence[Deal]
    spent: Sequence[Spent]
    first: int | None


def known(facts: Known, start: int, end: int, by: Kind = Kind.MODEL) -> Explanation:
    """Explain [start, end) by what is known now, each fact at its own time, in one pass."""
    before, after = states(facts, (start, end))
    parts = _ranked(_moved(before, after, by))
    return Explanation(start, end, View.KNOWN, before.net, after.net, parts)


def observed(
    span: tuple[int, int], before: State, learned: State, after: State, by: Kind = Kind.MODEL
) -> Explanation:
    """Explain the snapshots of a span as they were.

    `before` and `after` are what was known and dated before each end; `learned` is what was
    known at the second end of all that is dated before the first: its difference is `late`.
    """
    parts = _ranked(chain(_late(_moved(before, learned, by)), _moved(learned, after, by)))
    return Explanation(*span, View.OBSERVED, before.net, after.net, parts)


def states(facts: Known, instants: Iterable[int]) -> Iterator[State]:
    """Yield the state strictly before each of the instants, which come in order.

    Nothing is there at or before the first row: what was earned earlier is its opening level.
    """
    account, index = Account(facts.policy), 0
    for instant in instants:
        while index < len(facts.events) and facts.events[index].time < instant:
            account.apply(facts.events[index])
            index += 1
        nothing = facts.first is None or instant <= facts.first
        yield State() if nothing else _state(account, facts, instant)


def _state(account: Account, facts: Known, instant: int) -> State:
    costs: dict[str, int] = {}
    for spent in facts.spent:
        if spent.time < instant:
            costs[spent.id] = costs.get(spent.id, 0) + spent.amount
    deals = {f"{deal.source}:{deal.id}": _earned(deal, instant) for deal in facts.deals}
    return State(account.worths(), costs, deals)


def _earned(deal: Deal, before: int) -> int:
    return sum(amount for time, amount in earnings(deal) if time < before)


def _moved(before: State, after: State, by: Kind) -> Iterator[Contribution]:
    none = Worth()
    for ticker in before.markets.keys() | after.markets.keys():
        old, new = before.markets.get(ticker, none), after.markets.get(ticker, none)
        yield Contribution(
            Kind.MARKET,
            ticker,
            new.realized - old.realized,
            new.unrealized - old.unrealized,
            new.fees - old.fees,
        )
    for name, amount in _differences(before.deals, after.deals):
        yield Contribution(Kind.DEAL, name, revenue=amount)
    for name, amount in _differences(before.costs, after.costs):
        yield Contribution(by, name, cost=amount)


def _differences(before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    for name in before.keys() | after.keys():
        yield name, after.get(name, 0) - before.get(name, 0)


def _late(parts: Iterable[Contribution]) -> Iterator[Contribution]:
    for part in parts:
        yield Contribution(Kind.LATE, f"{part.kind.value}:{part.id}", *_figures(part))


def _figures(part: Contribution) -> tuple[int, int, int, int, int]:
    return part.realized, part.unrealized, part.fees, part.revenue, part.cost


def _ranked(parts: Iterable[Contribution]) -> tuple[Contribution, ...]:
    """Return what moved, the largest amount first, ties by kind and id."""
    moved = (part for part in parts if any(_figures(part)))
    return tuple(sorted(moved, key=lambda part: (-abs(part.amount), part.kind, part.id)))
