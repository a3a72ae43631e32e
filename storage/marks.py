"""Marks at rest: dense rows by instant and market, a later delivery replacing the earlier."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Select, func, select

from ledger.facts import Mark
from storage import rows, schema
from storage.kept import Kept

_QUOTE = ("bid", "ask", "last", "value")
_table = schema.marks


def keep(connection: Connection, marks: Sequence[Mark]) -> Kept[Mark]:
    """Put marks in by (time, ticker); new are those that were not there or differ."""
    arrived = {(mark.time, mark.ticker): mark for mark in marks}
    ids = _ids(connection, {mark.ticker for mark in marks})
    keys = {(time, ids[ticker]): mark for (time, ticker), mark in arrived.items()}
    stored = {(time, number): tuple(quote) for time, number, *quote in _near(connection, keys)}
    new = {key: mark for key, mark in keys.items() if stored.get(key) != mark.quote}
    rows.put(connection, _table, [_row(key, mark) for key, mark in new.items()])
    duplicates = len(marks) - len(new)
    return Kept(list(new.values()), duplicates, since=[mark.time for mark in new.values()])


def between(since: int, before: int | None) -> Select[Any]:
    """Select marks of [since, before) by (time, ticker), as a Mark takes them."""
    query = (
        select(schema.tickers.c.ticker, _table.c.time, *_quote())
        .join_from(_table, schema.tickers, _table.c.ticker_id == schema.tickers.c.id)
        .where(_table.c.time >= since)
        .order_by(_table.c.time, schema.tickers.c.ticker)
    )
    return query if before is None else query.where(_table.c.time < before)


def newest_before(instant: int) -> Select[Any]:
    """Select each market's newest mark strictly before an instant: two seeks a market.

    A market without one comes as a row without time. The left join holds SQLite's planner to
    the few markets first; it would else walk over every mark there is.
    """
    tickers = schema.tickers
    newest = (
        select(func.max(_table.c.time))
        .where(_table.c.ticker_id == tickers.c.id, _table.c.time < instant)
        .scalar_subquery()
    )
    last = select(tickers.c.id, tickers.c.ticker, newest.label("time")).subquery("last")
    its = (_table.c.ticker_id == last.c.id) & (_table.c.time == last.c.time)
    return select(last.c.ticker, _table.c.time, *_quote()).select_from(last.outerjoin(_table, its))


def _near(connection: Connection, keys: Iterable[tuple[int, int]]) -> Iterator[Any]:
    """Yield stored marks of any of the instants and any of the markets: seeks, not a walk."""
    wanted = list(keys)
    query = select(_table.c.time, _table.c.ticker_id, *_quote())
    query = query.where(_table.c.ticker_id.in_({number for _, number in wanted}))
    return rows.of_keys(connection, query, "time", (time for time, _ in wanted))


def _quote() -> list[Column[Any]]:
    return [_table.c[name] for name in _QUOTE]


def _ids(connection: Connection, tickers: Iterable[str]) -> dict[str, int]:
    table = schema.tickers
    query = select(table.c.ticker, table.c.id)
    names = sorted(tickers)
    known = dict(rows.of_keys(connection, query, "ticker", names))
    missing = [{"ticker": name} for name in names if name not in known]
    if not missing:
        return known
    rows.add(connection, table, missing)
    return dict(rows.of_keys(connection, query, "ticker", names))


def _row(key: tuple[int, int], mark: Mark) -> dict[str, int | None]:
    return {"time": key[0], "ticker_id": key[1]} | {name: getattr(mark, name) for name in _QUOTE}
