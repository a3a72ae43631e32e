"""Marks of held markets: asked live, and where a market is archived, once an hour there."""

from collections.abc import Iterator
from functools import partial

from ledger import moment
from ledger.facts import Mark
from pipeline.sources import kalshi_rows
from pipeline.sources.fields import collect
from pipeline.sources.kalshi_exchange import Exchange
from pipeline.sources.kalshi_names import Names
from pipeline.sources.kalshi_pages import NAME
from pipeline.sources.kalshi_quotes import Quotes
from pipeline.sources.paging import Batch
from pipeline.sources.source import Deadline
from storage.facts import Page


class Marks:
    """Quotes by REST; only what moved is yielded, and the markets' names as they come by."""

    def __init__(self, exchange: Exchange, names: Names, quotes: Quotes) -> None:
        """Share `quotes` with whoever else brings some."""
        self._exchange = exchange
        self._names = names
        self._quotes = quotes
        self._archived: dict[str, int] = {}

    def quoted(self, tickers: frozenset[str], now: int, deadline: Deadline) -> Iterator[Page]:
        """Yield the marks of these markets, one page an answer, all of one instant."""
        self._archived = {name: due for name, due in self._archived.items() if due > now}
        wanted = tickers - self._archived.keys()
        found: set[object] = set()
        for batch in self._exchange.markets(wanted, deadline):
            found |= _tickers(batch)
            yield self._page(batch)
        missing = wanted - found
        for batch in self._exchange.historical_markets(missing, deadline):
            old = missing & _tickers(batch)
            self._archived |= dict.fromkeys(old, now + moment.HOUR)
            yield self._page(batch)
        # Nobody knows a market that was made a moment ago: it is asked for again soon.
        unknown = missing - self._archived.keys()
        self._archived |= dict.fromkeys(unknown, now + moment.MINUTE)

    def _page(self, batch: Batch) -> Page:
        read = partial(kalshi_rows.mark, time=batch.received)
        marks, rejects = collect(NAME, "ticker", batch.rows, read)
        moved = tuple(mark for mark in marks if self._quotes.moved(mark))
        return Page(NAME, moved, self._names.told(batch.rows), rejects=rejects)

    def recorded(self, page: Page) -> None:
        """Take note of the marks that are durable now."""
        self._quotes.saw(fact for fact in page.facts if isinstance(fact, Mark))


def _tickers(batch: Batch) -> set[object]:
    return {row["ticker"] for row in batch.rows if isinstance(row, dict)}
