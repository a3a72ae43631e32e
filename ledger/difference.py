"""Differences: where a source's own figures and ours are not the same, by how much, and why."""

from dataclasses import dataclass
from enum import StrEnum

from ledger.money import plain, quantity


class Kind(StrEnum):
    """What makes the difference, seen from our side."""

    MISSING = "missing"
    """They have it and we do not."""
    EXTRA = "extra"
    """We have it and they do not."""
    CHANGED = "changed"
    """Both have it, and it is not the same."""
    DUPLICATE = "duplicate"
    """It is listed twice, or under two names."""
    LAG = "lag"
    """It is about something so new that one side may not know it yet: no error."""


class Unit(StrEnum):
    """What a difference is counted in."""

    USD = "usd"
    CONTRACTS = "contracts"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same: theirs − ours is `amount`.

    `amount` is in nano-dollars, 1/100 contracts or whole numbers, by `unit`; `ours` and `theirs`
    are for people, "" where there is nothing. `touched` is the newest instant (µs) of what it is
    about, 0 when that is long ago.
    """

    subject: str
    ours: str
    theirs: str
    amount: int
    unit: Unit
    kind: Kind
    touched: int = 0

    @property
    def difference(self) -> str:
        """Return the amount as an exact decimal."""
        return shown(self.amount, self.unit)

    @property
    def identity(self) -> tuple[str, Unit, str]:
        """What makes two runs find the same difference."""
        return self.subject, self.unit, self.difference


def shown(amount: int, unit: Unit) -> str:
    """Return an amount of a unit as an exact decimal."""
    if unit is Unit.USD:
        return plain(amount)
    return format(quantity(amount), "f") if unit is Unit.CONTRACTS else str(amount)
