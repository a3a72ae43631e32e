"""What Kalshi's markets are called, looked up a few at a time beside the tail."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from ledger.facts import Market
from pipeline.sources import kalshi_rows
from pipeline.sources.client import SourceError
from pipeline.sources.fields import FieldError, Fields
from pipeline.sources.kalshi_exchange import AT_ONCE, Exchange
from pipeline.sources.source import Deadline

EVENTS = 8
"""Events asked for their series in one poll: two fifths of a second of the basic tier."""


class Names:
    """Markets as they were last told, and those that nobody has named yet."""

    def __init__(self, exchange: Exchange) -> None:
        """Know no name."""
        self._exchange = exchange
        self._known: dict[str, Market] = {}
        self._unknown: dict[str, None] = {}
        self._nameless: set[str] = set()
        self._series: dict[str, str] = {}
        self._events: dict[str, None] = {}

    def recall(self, markets: Mapping[str, Market]) -> None:
        """Take over what storage knows, so that it is not asked again."""
        for market in markets.values():
            if market.series:
                self._known[market.ticker] = market
                self._series[market.event] = market.series

    def saw(self, tickers: Iterable[str]) -> None:
        """Remember to ask for those without a name."""
        unasked = (t for t in tickers if t not in self._known and t not in self._nameless)
        self._unknown.update(dict.fromkeys(unasked))

    def told(self, rows: Iterable[object]) -> tuple[Market, ...]:
        """Return the markets of these rows that are new or have changed."""
        markets = [market for row in rows if (market := self._read(row))]
        changed = [market for market in markets if self._known.get(market.ticker) != market]
        self._known.update({market.ticker: market for market in changed})
        return tuple(changed)

    def ask(self, deadline: Deadline, room: Callable[[], bool]) -> Iterator[tuple[Market, ...]]:
        """Yield names of a batch of unnamed markets, then series of a few events."""
        if self._unknown and room():
            yield self._look_up(deadline)
        for event in list(self._events)[:EVENTS]:
            if not room():
                return
            yield self._resolve(event, deadline)

    def _read(self, row: object) -> Market | None:
        try:
            named = kalshi_rows.market(Fields(row if isinstance(row, dict) else {}), "")
        except FieldError:
            return None
        series = self._series.get(named.event)
        if series is None and named.event:
            self._events[named.event] = None
        self._unknown.pop(named.ticker, None)
        return Market(named.ticker, named.event, series or "", named.title, named.status)

    def _look_up(self, deadline: Deadline) -> tuple[Market, ...]:
        """Ask for markets, live then historical; one that neither knows is not asked again."""
        asked = list(self._unknown)[:AT_ONCE]
        rows = [row for page in self._exchange.markets(asked, deadline) for row in page.rows]
        found = self.told(rows)
        missing = [ticker for ticker in asked if ticker in self._unknown]
        if missing:
            older = self._exchange.historical_markets(missing, deadline)
            found += self.told(row for page in older for row in page.rows)
        for ticker in [ticker for ticker in missing if ticker in self._unknown]:
            self._nameless.add(ticker)
            del self._unknown[ticker]
        return found

    def _resolve(self, event: str, deadline: Deadline) -> tuple[Market, ...]:
        """Ask for one event's series; a failure is tolerated and not repeated."""
        self._events.pop(event)
        try:
            series = self._exchange.series(event, deadline)
        except SourceError:
            return ()
        self._series[event] = series
        if not series:
            return ()
        ours = [market for market in self._known.values() if market.event == event]
        named = [Market(m.ticker, m.event, series, m.title, m.status) for m in ours]
        self._known.update({market.ticker: market for market in named})
        return tuple(named)
