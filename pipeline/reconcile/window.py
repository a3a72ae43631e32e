"""The settling window: what is too new to judge is lag, unless it stood there before."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from ledger.difference import Difference, Kind, Unit
from ledger.moment import MINUTE

SETTLING = 5 * MINUTE
"""How long after a fact both sides must know it where theirs does not say how far it goes."""

MARGIN = MINUTE // 2
"""How exact what a side says of its own age is taken to be."""

APART = MINUTE
"""How far apart two runs must be for what both found to stand."""

Identity = tuple[str, Unit, str]


def horizon(now: int, theirs: int | None, ours: int | None = None) -> int:
    """Return up to which instant both sides are complete, by what each says of itself."""
    if theirs is None:
        return min(now, now if ours is None else ours) - SETTLING
    return min(now, theirs, now if ours is None else ours) - MARGIN


def settled(
    found: Iterable[Difference], horizon: int, before: Collection[Identity]
) -> list[Difference]:
    """Return the differences as they count: what touches later facts is lag.

    What a run before, a minute ago or more, had found the same to the last digit stands.
    """
    return [
        replace(each, kind=Kind.LAG)
        if each.touched >= horizon and each.identity not in before
        else each
        for each in found
    ]
