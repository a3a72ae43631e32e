"""Fills and settlements at rest."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from ledger.facts import Fill, Settlement
from storage import rows, schema
from storage.kept import Kept
from storage.quarantine import refused

_CONTENT = ("ticker", "subaccount", "side", "count", "price", "fee")
_OUTCOME = ("result", "value")
_MILLI = 1_000


def keep_fills(
    connection: Connection, source: str, fills: Sequence[Fill], seen_at: int
) -> tuple[Kept[Fill], list[tuple[Fill, Fill]]]:
    """Append fills by fill_id; return also those whose stored time a later one replaced."""
    query = rows.chosen(schema.fills, Fill)
    found = rows.of_keys(connection, query, "fill_id", (fill.fill_id for fill in fills))
    stored = {fill.fill_id: fill for fill in (Fill(*row) for row in found)}
    kept, new = Kept[Fill](), dict[str, Fill]()
    for fill in fills:
        before = new.get(fill.fill_id) or stored.get(fill.fill_id)
        if before is None:
            new[fill.fill_id] = fill
        elif differing := _differing(before, fill, _CONTENT):
            kept.conflicts.append(refused(source, fill, differing, "differs from the first"))
        else:
            kept.duplicates += 1
            if _exactness(fill) > _exactness(before):
                new[fill.fill_id] = replace(before, time=fill.time)
    kept.new = [fill for fill in new.values() if fill.fill_id not in stored]
    moved = [(stored[name], fill) for name, fill in new.items() if name in stored]
    rows.put(connection, schema.fills, rows.dated(kept.new, seen_at))
    rows.put(connection, schema.fills, [rows.row(fill) for _, fill in moved])
    kept.since = [fill.time for fill in kept.new]
    kept.since += [min(before.time, now.time) for before, now in moved]
    return kept, moved


def _exactness(fill: Fill) -> tuple[bool, int]:
    """Rank the times told of one fill, so that the same one stays whatever comes first.

    The stream tells milliseconds, the exchange's own lists microseconds: those stay.
    """
    return fill.time % _MILLI != 0, fill.time


def keep_settlements(
    connection: Connection, source: str, settlements: Sequence[Settlement], seen_at: int
) -> Kept[Settlement]:
    """Append versions of settlements; new are those that now win, by their latest time."""
    query = rows.chosen(schema.settlements, Settlement)
    found = rows.of_keys(connection, query, "ticker", (fact.ticker for fact in settlements))
    stored = {_version(fact): fact for fact in (Settlement(*row) for row in found)}
    before, kept = latest(list(stored.values())), Kept[Settlement]()
    new, told = list[Settlement](), list[Settlement]()
    for fact in settlements:
        known = stored.get(_version(fact))
        if known and (differing := _differing(known, fact, _OUTCOME)):
            kept.conflicts.append(refused(source, fact, differing, "differs at the same time"))
            continue
        kept.duplicates += known is not None
        stored[_version(fact)] = fact
        new += [] if known else [fact]
        told += [fact] if known and fact != known else []
    rows.put(connection, schema.settlements, rows.dated(new, seen_at))
    rows.put(connection, schema.settlements, [rows.row(fact) for fact in told])
    _won(kept, before, latest(list(stored.values())))
    return kept


def latest(versions: Sequence[Settlement]) -> dict[object, Settlement]:
    """Return the winning version of each identity, in order of time."""
    ordered = sorted(versions, key=lambda fact: (fact.time, fact.ticker))
    winners = {fact.identity: fact for fact in ordered}
    return dict(sorted(winners.items(), key=lambda item: (item[1].time, item[1].ticker)))


def _won(
    kept: Kept[Settlement], before: dict[object, Settlement], now: dict[object, Settlement]
) -> None:
    for identity, fact in now.items():
        old = before.get(identity)
        if old is None or old.time != fact.time:
            kept.new.append(fact)
            # A restatement takes back what the old version booked at its own time.
            kept.since.append(fact.time if old is None else min(old.time, fact.time))


def _version(fact: Settlement) -> tuple[object, int]:
    return fact.identity, fact.time


def _differing(before: object, now: object, names: Sequence[str]) -> str:
    return ", ".join(name for name in names if getattr(before, name) != getattr(now, name))
