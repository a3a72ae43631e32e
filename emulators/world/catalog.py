"""The markets known so far, and the ends that were decided from outside."""

from collections.abc import Sequence
from dataclasses import replace

from emulators.world.instant import HOUR
from emulators.world.market import Event, Listing, Market, Outcome, Series


class Catalog:
    """A listing since the world's begin, looked up by name, with rulings applied."""

    def __init__(self, listing: Listing, begin: int) -> None:
        """Know nothing yet: markets are gathered once an hour."""
        self._listing = listing
        self._begin = begin
        self._hour = -1
        self._markets: dict[str, Market] = {}
        self._rulings: dict[str, list[tuple[int, Outcome]]] = {}

    def markets(self, now: int) -> Sequence[Market]:
        """Return all markets announced by now, oldest first."""
        self._gather(now)
        return [market for market in self._markets.values() if market.created <= now]

    def market(self, ticker: str, now: int) -> Market | None:
        """Return one market announced by now."""
        self._gather(now)
        market = self._markets.get(ticker)
        return market if market and market.created <= now else None

    def events(self, now: int) -> dict[str, Event]:
        """Return the events announced by now, by ticker, oldest first."""
        return {market.event.ticker: market.event for market in self.markets(now)}

    def series(self, now: int) -> dict[str, Series]:
        """Return the series with an event, by ticker."""
        return {event.series.ticker: event.series for event in self.events(now).values()}

    def outcome(self, market: Market) -> Outcome:
        """Return how a market ends."""
        return market.ruling or self._listing.outcome(market)

    def rule(self, ticker: str, outcome: Outcome, time: int) -> None:
        """End a market at `time`, or give one that has ended another end; the last rule wins."""
        self._rulings.setdefault(ticker, []).append((time, outcome))
        self._hour = -1

    def tradable(self, instant: int) -> Sequence[Market]:
        """Return the markets open at an instant and not yet ruled on."""
        markets = self._listing.tradable(instant)
        return [m for m in markets if not self._ruled(m, instant)] if self._rulings else markets

    def _ruled(self, market: Market, instant: int) -> bool:
        return any(time <= instant for time, _ in self._rulings.get(market.ticker, ()))

    def _gather(self, now: int) -> None:
        hour = now // HOUR
        if hour <= self._hour:
            return
        listed = self._listing.listed(self._begin, (hour + 1) * HOUR)
        self._markets = {market.ticker: self._judged(market) for market in listed}
        self._hour = hour

    def _judged(self, market: Market) -> Market:
        for time, outcome in self._rulings.get(market.ticker, ()):
            market = replace(
                market, close=min(market.close, time), determined=min(market.determined, time),
                finalized=time, ruling=outcome,
            )  # fmt: skip
        return market
