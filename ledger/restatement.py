"""Restatements: what changed of the past, when it was learned, over which span, by how much."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from ledger.facts import Fill, Settlement
from ledger.moment import MINUTE, floor
from ledger.pnl import Worth

LATE = MINUTE
"""A fact seen this long after its minute closed restates it."""

Trade = Fill | Settlement


@dataclass(frozen=True, slots=True)
class Restatement:
    """A change of the past learned at `seen_at`: net moved by `amount` over [start, end).

    Instants in microseconds, `amount` in nano-dollars; `fact` names what came late.
    """

    seen_at: int
    source: str
    fact: str
    start: int
    end: int
    amount: int


def is_late(time: int, seen_at: int) -> bool:
    """Tell whether a fact of an instant was seen too late to be part of closing its minute."""
    return floor(time, MINUTE) + MINUTE + LATE < seen_at


def of_trades(
    source: str,
    late: Iterable[tuple[int, Trade]],
    before: Mapping[str, Worth],
    after: Mapping[str, Worth],
    seen_at: int,
) -> Iterator[Restatement]:
    """Yield one restatement a market, from where its late facts begin to the last closed minute.

    `late` are (since, fact), `since` when what the fact replaces took effect. `before` and
    `after` are what the markets were worth at the end without and with them, so the amounts sum
    to the shift of the trading level.
    """
    ordered = sorted(late, key=lambda pair: (pair[1].ticker, pair[0]))
    end, nothing = floor(seen_at, MINUTE), Worth()
    for ticker, group in groupby(ordered, key=lambda pair: pair[1].ticker):
        pairs = list(group)
        start, trades = floor(pairs[0][0], MINUTE), [trade for _, trade in pairs]
        amount = after.get(ticker, nothing).total - before.get(ticker, nothing).total
        yield Restatement(seen_at, source, _named(ticker, trades), start, end, amount)


def _named(ticker: str, trades: list[Trade]) -> str:
    fills = [trade.fill_id for trade in trades if isinstance(trade, Fill)]
    told = ["settlement"] if len(fills) < len(trades) else []
    told += [f"fill {fills[0]}"] if len(fills) == 1 else [f"{len(fills)} fills"] * bool(fills)
    return f"{ticker}: {' and '.join(told)}"
