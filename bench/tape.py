"""The tape: seeded fills, levels and documents that every contender gets."""

from collections.abc import Iterator
from random import Random

from ledger.facts import Fill, Side
from ledger.moment import HOUR, MICROS
from ledger.money import CENT, NANO
from ledger.pnl import Level
from ledger.revenue import Revenue
from ledger.snapshot import Cash, Change, Costs, Snapshot, SourceState, Trading

SEED = 20_261_121
START = 494_000 * HOUR
"""A whole hour in 2026."""

_MARKETS = 40
_COUNTS = (37, 100, 200, 500, 1_000, 1_050)


def fills(count: int) -> list[Fill]:
    """Return fills of 40 markets in both directions, some of fractional counts."""
    return list(_fills(count, _random()))


def _random() -> Random:
    return Random(SEED)  # noqa: S311 -- data that can be made again, no secret


def _fills(count: int, chance: Random) -> Iterator[Fill]:
    for number in range(count):
        yield Fill(
            fill_id=f"fill-{number:07}",
            time=START + number * 20 * MICROS,
            ticker=f"MARKET-{chance.randrange(_MARKETS):02}",
            side=chance.choice((Side.YES, Side.NO)),
            count=chance.choice(_COUNTS),
            price=chance.randrange(1, 100) * CENT,
            fee=chance.randrange(1, 200) * 100_000,
            is_taker=chance.choice((True, False)),
        )


def levels(count: int) -> list[Level]:
    """Return levels about 20 s apart with quiet stretches of minutes and, at times, hours."""
    return list(_levels(count, _random()))


def _levels(count: int, chance: Random) -> Iterator[Level]:
    time, realized, fees = START, 0, 0
    for number in range(count):
        filled = not chance.randrange(4)
        gain = chance.randrange(-5_000, 5_000) * CENT if filled else 0
        fee = chance.randrange(1, 200) * 100_000 if filled else 0
        realized, fees = realized + gain, fees + fee
        unrealized = chance.randrange(-50_000, 50_000) * CENT
        yield Level(time, realized + unrealized - fees, unrealized, gain, fee, int(filled))
        quiet = chance.choice((5 * 60, 3 * 3600)) if not (number + 1) % 1_000 else 0
        time += chance.randrange(1, 40 * MICROS) + quiet * MICROS


def snapshots(count: int) -> list[Snapshot]:
    """Return neighbouring snapshots as a trading day makes them, a tick apart."""
    return list(_snapshots(count, _random()))


def _snapshots(count: int, chance: Random) -> Iterator[Snapshot]:
    realized, fees, booked = 48_211 * NANO + 372_500_000, 912 * NANO + 41_700_000, 15_000
    billed, before = 3_120 * NANO + 778_912_300, 0
    for number in range(count):
        if not chance.randrange(3):
            realized += chance.randrange(-2_000, 2_500) * CENT
            fees += chance.randrange(1, 200) * 100_000
            booked += 1
        unrealized = 1_000 * NANO + chance.randrange(-40_000, 40_000) * CENT // 2
        trading = Trading(realized, unrealized, fees, 12, booked)
        yield _snapshot(START + number * 10 * MICROS, trading, Costs(billed, 0), before)
        before = trading.total


def _snapshot(as_of: int, trading: Trading, costs: Costs, before: int) -> Snapshot:
    tick = trading.total - before
    feed = SourceState("ok", as_of - 180_000, 62)
    return Snapshot(
        as_of=as_of,
        since=START - 90 * 24 * HOUR,
        mode="live",
        complete=True,
        trading=trading,
        revenue=Revenue(184_250 * NANO, 32_000 * NANO, 12_500 * NANO, 96_000 * NANO, 41_300 * NANO),
        costs=costs,
        cash=Cash(25_310 * NANO, 8_120 * NANO + 5 * CENT),
        change=Change(
            tick, 812 * NANO + tick, 3_004 * NANO + tick, 9_870 * NANO + tick, 60_120 * NANO
        ),
        sources={
            "kalshi": feed,
            "anthropic": SourceState("ok", as_of - as_of % (60 * MICROS), 48),
            "revenue": SourceState("ok", as_of - as_of % (60 * MICROS), 91),
        },
    )
