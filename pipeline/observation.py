"""Observation: books, sources and alerts as the one statement a snapshot keeps."""

from collections.abc import Iterator
from time import monotonic

from ledger.snapshot import Cash, Snapshot
from pipeline import alerts
from pipeline.alerts import Alerts, Condition
from pipeline.books import Books
from pipeline.fetch import EXCHANGE, Fetch
from storage.facts import Facts

KNOWN_SECONDS = 2.0
"""How old what storage knows of refusals and differences may be in a snapshot."""


class Observation:
    """What a snapshot says, from those who know it."""

    def __init__(self, fetch: Fetch, books: Books, facts: Facts, open_alerts: Alerts) -> None:
        """Look at `fetch` and `books`; `facts` knows what was refused."""
        self._fetch = fetch
        self._books = books
        self._facts = facts
        self._alerts = open_alerts
        self._known: tuple[Condition, ...] = ()
        self._known_of = -1
        self._known_until = float("-inf")

    def at(self, as_of: int, mode: str, net: int, *, complete: bool) -> Snapshot:
        """Return the statement of an instant; `net` is that of the snapshot before."""
        books = self._books
        trading, revenue, costs = books.trading(), books.revenue(as_of), books.costs(as_of)
        now = trading.total + revenue.recognized - costs.total
        states = self._fetch.states(as_of)
        conditions = [
            *alerts.of_sources(states),
            *self._streams(),
            *self._stored(),
            *alerts.of_prices(unpriced=costs.unpriced),
        ]
        return Snapshot(
            as_of,
            books.since(as_of),
            mode,
            complete,
            trading,
            revenue,
            costs,
            self._cash(),
            books.change(now, net, as_of),
            states,
            self._alerts.raised(conditions, as_of),
        )

    def _stored(self) -> tuple[Condition, ...]:
        """Return what storage knows; queried when a row was refused, and every few seconds."""
        refused = sum(feed.rejected for feed in self._fetch.feeds.values())
        if refused != self._known_of or monotonic() >= self._known_until:
            self._known = (
                *alerts.of_refusals(self._facts.refusals()),
                *alerts.of_reconciliation(self._facts.differences()),
            )
            self._known_of, self._known_until = refused, monotonic() + KNOWN_SECONDS
        return self._known

    def _streams(self) -> Iterator[Condition]:
        for live in self._fetch.lives:
            yield from alerts.of_stream(live.name, live.stream.down_seconds, live.stream.detail)

    def _cash(self) -> Cash:
        feed = self._fetch.feeds.get(EXCHANGE)
        known = feed.cursor if feed else {}
        balance, positions = known.get("balance"), known.get("portfolio_value")
        return Cash(
            None if balance is None else int(balance),
            None if positions is None else int(positions),
        )


def figures(snapshot: Snapshot) -> dict[str, int]:
    """Return the integers a snapshot's row keeps."""
    return {
        "net": snapshot.net,
        "realized": snapshot.trading.realized,
        "unrealized": snapshot.trading.unrealized,
        "fees": snapshot.trading.fees,
        "recognized": snapshot.revenue.recognized,
        "pending": snapshot.revenue.pending,
        "deferred": snapshot.revenue.deferred,
        "pipeline": snapshot.revenue.pipeline,
        "pipeline_weighted": snapshot.revenue.pipeline_weighted,
        "billed": snapshot.costs.billed,
        "estimated": snapshot.costs.estimated,
    }
