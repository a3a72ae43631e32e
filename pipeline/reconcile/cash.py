"""Cash: what the balance must be by all that is known, and what of it nobody explains.

balance = deposits − withdrawals − Σ fill cash − Σ fees + Σ netted pairs · $1 + Σ revenue.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.difference import Difference, Kind, Unit
from ledger.money import CENT, NANO, plain
from pipeline.sources.kalshi_rows import Transfer

UNEXPLAINED = "cash: unexplained"
"""Interest, incentives and collateral returned across markets are in no list."""

APPLIED = "applied"
STEP = NANO // 10_000
"""A balance is cut after the fourth decimal, or after the second where it has no more."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What the exchange says there is, in how many parts each cut, and when it is known.

    `room` is what payouts of trades that nobody lists may have been cut by.
    """

    cash: int
    parts: int
    touched: int
    room: int = 0


def transferred(transfers: Iterable[Transfer]) -> tuple[int, int]:
    """Return the money that came in less what went out, and the fees beside it."""
    applied = [each for each in transfers if each.status == APPLIED]
    return sum(each.amount for each in applied), sum(each.fee for each in applied)


def differences(balance: Balance, expected: int, either: Iterable[int]) -> list[Difference]:
    """Return the cents that `expected` does not explain, nor with any of the amounts `either`.

    `either` are what may or may not have been credited: revenues of rows that differ, and fees
    of transfers. Whichever explains the balance whole is taken.
    """
    step = STEP if balance.cash % CENT else CENT
    amounts = [0]
    for amount in either:
        amounts += [each + amount for each in amounts]
    room = step * balance.parts + balance.room
    if any(0 <= expected + each - balance.cash < room for each in amounts):
        return []
    ours = expected - expected % STEP
    return [
        Difference(
            UNEXPLAINED,
            plain(ours),
            plain(balance.cash),
            balance.cash - ours,
            Unit.USD,
            Kind.CHANGED,
            balance.touched,
        )
    ]
