"""The whole book as a beancount file, which beancount books and balances by itself."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TextIO

from ledger.book import Key, Position
from ledger.facts import Mark
from ledger.money import plain
from ledger.pnl import Policy, unrealized, valued
from pipeline.export import flows
from pipeline.export.commodity import commodity
from pipeline.export.entry import (
    Posting,
    balanced,
    day,
    dollars,
    opened,
    priced,
    transaction,
    units,
)
from pipeline.export.trades import AVERAGING, FEES, REALIZED, Trades, held
from storage.facts import Facts

UNREALIZED = "Income:Kalshi:Unrealized"

HEAD = """\
; NorthStar's book: every fill, settlement, day of AI cost and recognized deal.
; Net P&L = −(Income + Expenses). Positions are contracts of YES, NO is held short.
option "title" "NorthStar"
option "operating_currency" "USD"
option "tolerance_multiplier" "0.51"

"""
"""Half of the ninth decimal, and a hair for an average of 28 digits."""


def write(facts: Facts, policy: Policy, until: int, out: TextIO) -> None:
    """Write all that is known through an instant, open positions valued by `policy`.

    Streamed: what is held in memory is a position a market, a cost an hour and the deals.
    """
    out.write(HEAD)
    out.writelines(entries(facts, policy, until))


def save(facts: Facts, policy: Policy, until: int, file: Path) -> None:
    """Write it to a file, which is there only once it is whole."""
    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with part.open("w", encoding="utf-8") as out:
            write(facts, policy, until, out)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def entries(facts: Facts, policy: Policy, until: int) -> Iterator[str]:
    """Yield the directives; beancount sorts them by day and, within one, as they stand here."""
    trades = Trades()
    ends = [end for end in facts.settlements() if end.time <= until]
    yield from trades.entries(facts.fills(before=until + 1), ends)
    yield from flows.costs(facts.cost_totals(before=until + 1), until)
    yield from flows.revenue(facts.deals(), until)
    positions = trades.book.positions
    yield from valuation(positions, facts.marks_before(until + 1), policy, until)
    yield from assertions(positions, until)


def valuation(
    positions: dict[Key, Position], marks: dict[str, Mark], policy: Policy, until: int
) -> Iterator[str]:
    """Yield what open positions are worth beyond their cost, with the prices that say so."""
    known: set[str] = set()
    for (ticker, subaccount), position in sorted(positions.items()):
        price, kind = valued(policy, marks.get(ticker), position.count)
        if not position.count or price is None:
            continue
        worth = unrealized(policy, marks.get(ticker), position)
        account = held("Unrealized", subaccount)
        for each in sorted({account, UNREALIZED} - known):
            known.add(each)
            yield opened(until, each)
        yield priced(day(until), commodity(ticker), dollars(price))
        legs = (Posting(account, dollars(worth)), Posting(UNREALIZED, dollars(-worth)))
        about = {"mark": plain(price), "kind": kind.value}
        yield transaction(until, f"valued {ticker}", legs, about)


def assertions(positions: dict[Key, Position], until: int) -> Iterator[str]:
    """Yield what beancount's own inventory must come to, to the last digit."""
    if not positions:
        return
    after = day(until) + timedelta(days=1)
    for (ticker, subaccount), position in sorted(positions.items()):
        amount = units(position.count, f"~ 0 {commodity(ticker)}")
        yield balanced(after, held("Positions", subaccount), amount)
    totals = {
        REALIZED: -sum(position.realized for position in positions.values()),
        FEES: sum(position.fees for position in positions.values()),
        AVERAGING: 0,
    }
    for account, nano in totals.items():
        yield balanced(after, account, dollars(nano).replace(" USD", " ~ 0 USD"))
