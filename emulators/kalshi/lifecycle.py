"""What becomes of markets: created, activated, determined, settled, told once each."""

from typing import Any

from emulators.kalshi import messages
from emulators.world.amount import price
from emulators.world.instant import SECOND
from emulators.world.market import Market
from emulators.world.world import World

Told = tuple[str, dict[str, Any]]
"""A message's type and its body."""
_ENDS = ("determined", "finalized")


class Lifecycle:
    """Remembers how every market stood at the last look."""

    def __init__(self) -> None:
        """Know no market yet."""
        self._known: dict[str, tuple[str, Market]] = {}
        self._events: set[str] = set()

    def look(self, world: World, now: int) -> list[Told]:
        """Return what has happened since the last look; nothing at the first."""
        first = not self._known
        told: list[Told] = []
        for market in world.catalog.markets(now):
            status = market.status(now)
            before = self._known.get(market.ticker)
            self._known[market.ticker] = status, market
            if first:
                self._events.add(market.event.ticker)
            elif before is None:
                told += self._new(market)
            elif before[0] != status or before[1] is not market:
                told += _changed(world, market, before, status)
        return told

    def _new(self, market: Market) -> list[Told]:
        told = [_said("created", market, **messages.created(market))]
        if market.event.ticker not in self._events:
            self._events.add(market.event.ticker)
            told.append(("event_lifecycle", messages.event(market.event)))
        return told


def _changed(world: World, market: Market, before: tuple[str, Market], status: str) -> list[Told]:
    was, then = before
    told = []
    if was == "initialized" and status != "initialized":
        told.append(_said("activated", market))
    if then.close != market.close:
        told.append(_said("close_date_updated", market, close_ts=market.close // SECOND))
    again = status in _ENDS and then.ruling != market.ruling
    if status in _ENDS and (was not in _ENDS or again):
        told.append(_determined(world, market))
    if status == "finalized" and (was != "finalized" or again):
        told.append(_said("settled", market, settled_ts=market.finalized // SECOND))
    return told


def _determined(world: World, market: Market) -> Told:
    outcome = world.catalog.outcome(market)
    return _said(
        "determined",
        market,
        result=outcome.result,
        settlement_value=price(outcome.price),
        determination_ts=market.determined // SECOND,
    )


def _said(what: str, market: Market, **more: Any) -> Told:  # noqa: ANN401 - whatever JSON holds
    body = {"event_type": what, "market_ticker": market.ticker, **more}
    return "market_lifecycle_v2", body
