"""Fold: what a fill costs until its P&L is known."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from bench import tape
from bench.harness import Benchmark, Case, Contender, Goal, Scale
from ledger.book import Book, Key
from ledger.facts import Fill, Side
from ledger.pnl import Account, Policy

State = tuple[int, int, int, int]
"""Count, cost, realized, fees."""

_SIZES = {Scale.QUICK: 5_000, Scale.USUAL: 200_000, Scale.FULL: 1_000_000}
_COLUMNS = ["count", "price", "fee"]


def prepare(scale: Scale) -> list[Case]:
    """Return the one case: all fills, from nothing held to every position's P&L."""
    facts = tape.fills(_SIZES[scale])
    return [
        Case(
            title=f"average-cost P&L of {len(facts):,} fills in 40 markets",
            operation="fill",
            operations=len(facts),
            contenders=(
                Contender("ledger.book.Book", lambda: _book(facts), _states),
                Contender("ledger.pnl.Account", lambda: _account(facts), _states),
                Contender("plain integer loop", lambda: _plain(facts)),
                Contender("pandas groupby-apply", lambda: _grouped(facts, _by_lists)),
                Contender("pandas, itertuples", lambda: _grouped(facts, _by_tuples)),
            ),
            goals=(Goal(3), Goal(0.7, "pandas groupby-apply")),
            note=(
                "All begin with the same list of fills and end with every position, equal to the "
                "nano-dollar. The pandas peers build their frame, group it and fold each group in "
                "integers, one over lists of its columns, one over itertuples; neither can answer "
                "after a single fill. Account also keeps the running totals and marks."
            ),
        )
    ]


BENCHMARK = Benchmark("fold", "What does a fill cost until its P&L is known?", prepare)


def _book(fills: Sequence[Fill]) -> Book:
    book = Book()
    for fill in fills:
        book.fill(fill)
    return book


def _account(fills: Sequence[Fill]) -> Book:
    account = Account(Policy.BID)
    for fill in fills:
        account.apply(fill)
    return account.book


def _states(book: Book) -> dict[Key, State]:
    return {
        key: (held.count, held.cost, held.realized, held.fees)
        for key, held in book.positions.items()
    }


def _plain(fills: Iterable[Fill]) -> dict[Key, State]:
    """Fold with nothing but a dict of tuples: the floor of what Python can do."""
    books: dict[Key, State] = {}
    for fill in fills:
        key = (fill.ticker, fill.subaccount)
        count = fill.count if fill.side is Side.YES else -fill.count
        books[key] = _step(books.get(key, (0, 0, 0, 0)), count, fill.price, fill.fee)
    return books


def _step(state: State, count: int, price: int, fee: int) -> State:
    held, cost, realized, fees = state
    if held * count >= 0:
        return held + count, cost + price * count // 100, realized, fees + fee
    if abs(count) > abs(held):
        opened, closed = price * (held + count) // 100, price * held // 100
        return held + count, opened, realized + closed - cost, fees + fee
    taken, over = abs(cost * count), abs(held)
    released = taken // over
    rest = 2 * (taken % over)
    released += rest > over or (rest == over and released % 2 == 1)
    released = released if cost > 0 else -released
    return held + count, cost - released, realized - price * count // 100 - released, fees + fee


def _grouped(fills: Sequence[Fill], fold: Any) -> dict[Key, State]:  # noqa: ANN401 -- frame → state
    frame = pd.DataFrame(
        {
            "ticker": [fill.ticker for fill in fills],
            "subaccount": [fill.subaccount for fill in fills],
            "count": [fill.count if fill.side is Side.YES else -fill.count for fill in fills],
            "price": [fill.price for fill in fills],
            "fee": [fill.fee for fill in fills],
        }
    )
    groups = frame.groupby(["ticker", "subaccount"], sort=False)[_COLUMNS]
    return dict(groups.apply(fold).to_dict())


def _by_lists(group: pd.DataFrame) -> State:
    return _folded(zip(*(group[name].tolist() for name in _COLUMNS), strict=True))


def _by_tuples(group: pd.DataFrame) -> State:
    return _folded(group.itertuples(index=False))


def _folded(rows: Iterable[Any]) -> State:
    state: State = (0, 0, 0, 0)
    for count, price, fee in rows:
        state = _step(state, count, price, fee)
    return state
