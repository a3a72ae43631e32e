"""The order book of a market: bids of both sides, level by level."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from emulators.world.amount import FULL
from emulators.world.chance import draws
from emulators.world.instant import SECOND
from emulators.world.market import Market
from emulators.world.quotes import Quote

Levels = Mapping[int, int]
"""Price of the side's own contract in 1/10,000 dollar → contracts in 1/100."""
Sides = Mapping[str, Levels]
LEVELS = 5
_EVERY = 7 * SECOND


@dataclass(frozen=True, slots=True)
class Change:
    """So many contracts more, or less, bid for a side at a price of its own."""

    side: str
    price: int
    contracts: int


def depth(seed: str, market: Market, quote: Quote, now: int) -> Sides:
    """Return the bids for yes and for no; a side without a best price is empty."""
    cell = now // _EVERY
    yes = _side(f"{seed}|{market.ticker}|yes|{cell}", market, quote.bid, quote.bid_size)
    no = _side(f"{seed}|{market.ticker}|no|{cell}", market, FULL - quote.ask, quote.ask_size)
    return {"yes": yes, "no": no}


def changes(before: Sides, after: Sides) -> Iterator[Change]:
    """Yield what turns one book into another."""
    for side, levels in after.items():
        for price in sorted({*levels, *before[side]}):
            contracts = levels.get(price, 0) - before[side].get(price, 0)
            if contracts:
                yield Change(side, price, contracts)


def _side(key: str, market: Market, best: int, size: int) -> dict[int, int]:
    if not 0 < best < FULL:
        return {}
    luck = draws(key, "depth")
    tick = market.series.tick
    levels = {best: size or 100}
    for step, lucky in zip(range(1, LEVELS), luck, strict=False):
        if best - step * tick > 0:
            levels[best - step * tick] = 100 + int(90_000 * lucky)
    return levels
