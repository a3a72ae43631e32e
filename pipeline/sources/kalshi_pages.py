"""Answers of Kalshi as pages of facts, and what those facts say about where a list stands."""

from collections.abc import Iterable
from functools import partial

from ledger import moment
from ledger.facts import Fact, Fill, Settlement
from pipeline.sources import kalshi_rows
from pipeline.sources.fields import Fields, collect
from pipeline.sources.kalshi_exchange import SETTLEMENTS, Exchange, Listing
from pipeline.sources.kalshi_rows import Report
from pipeline.sources.paging import Batch
from pipeline.sources.source import Deadline
from storage.facts import Page

NAME = "kalshi"
AHEAD = 5 * moment.MINUTE
"""How far ahead of both clocks a fact may be dated; what is further is no clock's fault."""


def page(exchange: Exchange, listing: Listing, batch: Batch, deadline: Deadline) -> Page:
    """Return the fills or settlements of one answer, rows that cannot be read apart."""
    until = batch.clock + AHEAD
    if listing is SETTLEMENTS:
        read = partial(_settlement, exchange, deadline, batch.received, until)
        ends, rejects = collect(NAME, "ticker", batch.rows, read)
        return Page(NAME, ends, rejects=rejects)
    fills, rejects = collect(NAME, "fill_id", batch.rows, partial(kalshi_rows.fill, until=until))
    return Page(NAME, fills, rejects=rejects)


def trades(facts: Iterable[Fact]) -> list[Fill | Settlement]:
    """Return what happened to the account, without quotes."""
    return [fact for fact in facts if isinstance(fact, Fill | Settlement)]


def traded_after(facts: Iterable[Fact], instant: int) -> set[str]:
    """Return the markets of the fills after an instant."""
    return {fact.ticker for fact in facts if isinstance(fact, Fill) and fact.time > instant}


def subaccounts(facts: Iterable[Fact]) -> set[int]:
    """Return where the fills were made."""
    return {fact.subaccount for fact in facts if isinstance(fact, Fill)}


def head_key(listing: Listing) -> str:
    """Return the cursor's key for the newest time of a list read to its end, in µs."""
    return f"{listing.name}_head"


def newest(facts: Iterable[Fact], least: int, now: int) -> int:
    """Return the newest time among fills and settlements, from `least` to now at most."""
    return max([least, *(min(fact.time, now) for fact in trades(facts))])


def head(listing: Listing, facts: Iterable[Fact], began: int) -> dict[str, str]:
    """Return where the tail of a list begins: its newest fact, else when it was first read."""
    found = trades(facts)
    return {head_key(listing): str(newest(found, 0, began) if found else began)}


def reports(batches: Iterable[Batch], *, settled: bool = False) -> tuple[dict[str, Report], Page]:
    """Return each market's report, shards summed, and the rows that cannot be read.

    A page that shifted may bring a row twice: a shard counts once, as it was said last.
    """
    rows = [row for batch in batches for row in batch.rows]
    read, rejects = collect(NAME, "ticker", rows, partial(_shard, settled=settled))
    summed: dict[str, Report] = {}
    for (ticker, _), row in dict(read).items():
        known = summed.get(ticker)
        summed[ticker] = known + row if known else row
    return summed, Page(NAME, rejects=rejects)


def _shard(row: Fields, *, settled: bool) -> tuple[tuple[str, int], Report]:
    report = kalshi_rows.listed(row, settled=settled)
    return (report.ticker, row.whole("exchange_index", 0)), report


def _settlement(
    exchange: Exchange, deadline: Deadline, now: int, until: int, row: Fields
) -> Settlement:
    value = partial(exchange.settlement_value, now=now, deadline=deadline)
    return kalshi_rows.settlement(row, value, until)
