"""Netting: which subaccounts pay a YES and a NO out when they meet, and which keep them."""

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.money import NANO, notional
from pipeline.reconcile.tally import MICRO, Tally
from pipeline.sources.kalshi_rows import Report


@dataclass(frozen=True, slots=True)
class Legs:
    """What one book bought over its life, and whether it nets; None where no row shows it."""

    yes: int
    no: int
    nets: bool | None

    @property
    def net(self) -> int:
        """The position left, + YES."""
        return self.yes - self.no

    @property
    def pairs(self) -> int:
        """What its pairs are worth."""
        return notional(NANO, min(self.yes, self.no))


class Netting:
    """What the exposures of open books show of their subaccounts."""

    def __init__(self) -> None:
        """Know of none."""
        self._known: dict[int, bool] = {}

    def learn(self, subaccount: int, tallies: Iterable[Tally], report: Report) -> None:
        """Take note of a row that bears one of these tallies out."""
        for tally in tallies:
            shown = _shown(tally, report)
            if shown is not None:
                self._known[subaccount] = shown

    def of(self, subaccount: int) -> bool | None:
        """Return whether a subaccount nets; None where no row shows it."""
        return self._known.get(subaccount)

    def __call__(self, subaccount: int) -> bool:
        """Return whether a subaccount nets, as it does unless switched off."""
        return self._known.get(subaccount, True)


def _shown(tally: Tally, report: Report) -> bool | None:
    """Return what a row's exposure says: the cost of what is left, or of all that was bought."""
    if report.settled or not tally.pairs:
        return None
    if abs(report.exposure - tally.exposure) <= MICRO // 2 + tally.rounded * MICRO:
        return True
    return False if abs(report.exposure - tally.traded) <= MICRO // 2 else None
