"""Tallies: what our fills come to per book, in the terms of the exchange's own rows."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ledger.book import Key, Position, after, settled
from ledger.facts import Fill, Settlement
from ledger.money import CENT, NANO, notional
from ledger.pnl import ordered

MICRO = NANO // 1_000_000
"""The exchange shows six decimals of a dollar."""

_FLAT = Position()


@dataclass(frozen=True, slots=True)
class Tally:
    """One book with the lifetime totals of both legs; 1/100 contracts and nano-dollars.

    `dust` is what settlements paid by the formula beyond whole cents, `rounded` how many closes
    did not divide to the micro-dollar, `last` the newest instant.
    """

    position: Position = _FLAT
    yes: int = 0
    yes_cost: int = 0
    no: int = 0
    no_cost: int = 0
    dust: int = 0
    rounded: int = 0
    last: int = 0

    @property
    def traded(self) -> int:
        """What both legs cost over the life."""
        return self.yes_cost + self.no_cost

    @property
    def exposure(self) -> int:
        """What the open position cost, a NO at 1 − p."""
        held = self.position
        return held.cost if held.count >= 0 else held.cost + notional(NANO, -held.count)

    @property
    def pairs(self) -> int:
        """What YES and NO that met are worth: a dollar each pair."""
        return notional(NANO, min(self.yes, self.no))

    @property
    def cash(self) -> int:
        """What the account's cash gained by it, settlements in whole cents, pairs netted."""
        return self.position.realized - self.position.fees - self.exposure - self.dust

    @property
    def net(self) -> int:
        """Realized − fees."""
        return self.position.realized - self.position.fees

    def filled(self, fill: Fill) -> "Tally":
        """Return it with one more fill."""
        bought = fill.signed > 0
        cost = notional(fill.price if bought else NANO - fill.price, fill.count)
        return replace(
            self,
            position=after(self.position, fill),
            yes=self.yes + (fill.count if bought else 0),
            yes_cost=self.yes_cost + (cost if bought else 0),
            no=self.no + (0 if bought else fill.count),
            no_cost=self.no_cost + (0 if bought else cost),
            rounded=self.rounded + _uneven(self.position, fill),
            last=max(self.last, fill.time),
        )

    def ended(self, settlement: Settlement) -> "Tally":
        """Return it with its position paid out."""
        return replace(
            self,
            position=settled(self.position, settlement.value),
            dust=self.dust + payout(self.position.count, settlement.value) % CENT,
            last=max(self.last, settlement.time),
        )


def payout(count: int, value: int) -> int:
    """Return what a net position pays at `value` per YES: Kalshi's `revenue` before its floor."""
    return notional(value, count) if count >= 0 else notional(NANO - value, -count)


def tallied(fills: Iterable[Fill], settlements: Iterable[Settlement]) -> dict[Key, Tally]:
    """Fold fills, sorted by (time, fill_id), and settlements into one tally a book."""
    tallies: dict[Key, Tally] = {}
    books: dict[str, list[Key]] = {}
    for event in ordered(fills, settlements, ()):
        if isinstance(event, Fill):
            key = event.ticker, event.subaccount
            if key not in tallies:
                books.setdefault(event.ticker, []).append(key)
            tallies[key] = tallies.get(key, _EMPTY).filled(event)
        elif isinstance(event, Settlement):
            for key in books.get(event.ticker, ()):
                if event.subaccount in (None, key[1]):
                    tallies[key] = tallies[key].ended(event)
    return tallies


def _uneven(held: Position, fill: Fill) -> int:
    """Return 1 when the fill closes a part whose cost is no whole micro-dollar."""
    closes = held.count * fill.signed < 0 and fill.count < abs(held.count)
    return int(closes and bool(held.cost * fill.count % (abs(held.count) * MICRO)))


_EMPTY = Tally()
