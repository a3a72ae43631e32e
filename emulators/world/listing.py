"""The made-up exchange: new markets open as old ones end, prices walk in log-odds."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import exp, sqrt

from emulators.world.chance import draws
from emulators.world.instant import DAY, MINUTE
from emulators.world.market import Event, Market, Outcome, Strike
from emulators.world.series import CALENDARS, Calendar
from emulators.world.walk import Walk

_TIMERS = (60, 300, 1_800)
"""Settlement timers in seconds: from determined to finalized."""
_LOGISTIC = 1.702
"""Makes the logistic curve close to the normal one, so that prices are nearly fair bets."""
_SHARPEST = 0.04
_FARTHEST = 30.0


class MadeUp:
    """Markets whose prices are what a crowd would believe that sees a hidden outcome form."""

    def __init__(self, seed: str) -> None:
        """Make nothing yet: events are made when somebody looks."""
        self._seed = seed
        self._events = lru_cache(maxsize=None)(self._make)
        self._day = lru_cache(maxsize=8)(self._listed_within)
        self._walk = lru_cache(maxsize=4_096)(self._begin_walk)

    def listed(self, begin: int, end: int) -> Sequence[Market]:
        """Return the markets announced by `end` that close at or after `begin`, oldest first."""
        found = [
            market
            for market in self._between(begin, end)
            if market.created <= end and market.close >= begin
        ]
        return sorted(found, key=lambda market: (market.open, market.ticker))

    def tradable(self, instant: int) -> Sequence[Market]:
        """Return the markets open at an instant."""
        day = self._day(instant // DAY)
        return [market for market in day if market.open <= instant < market.close]

    def probability(self, market: Market, instant: int) -> float:
        """Return the chance of yes: log-odds follow the event's walk, ever more sharply."""
        event = market.event
        fraction = (instant - event.open) / (event.close - event.open)
        seen = self._walk(event).at(fraction)
        doubt = max(_SHARPEST, sqrt(max(0.0, 1.0 - fraction)))
        return _below(market.strike.high, seen, doubt) - _below(market.strike.low, seen, doubt)

    def outcome(self, market: Market) -> Outcome:
        """Return how the market ends: by the walk's end, or half each when there was none."""
        if market.event.scalar:
            return Outcome("scalar", 50)
        if market.strike.low < self._walk(market.event).end <= market.strike.high:
            return Outcome("yes", 100)
        return Outcome("no", 0)

    def last(self, market: Market, instant: int) -> int | None:
        """Return None: nobody else's trades are kept."""
        del market, instant
        return None

    def prints(self) -> None:
        """Return None likewise."""

    def _between(self, begin: int, end: int) -> Iterator[Market]:
        for calendar in CALENDARS:
            first = calendar.number(begin) - 2
            for number in range(first, calendar.number(end + calendar.lead) + 3):
                yield from self._events(calendar, number)

    def _listed_within(self, day: int) -> Sequence[Market]:
        return self.listed(day * DAY, (day + 1) * DAY)

    def _make(self, calendar: Calendar, number: int) -> tuple[Market, ...]:
        return tuple(
            self._market(event, strike)
            for event, strikes in calendar.events(self._seed, number)
            for strike in strikes
        )

    def _market(self, event: Event, strike: Strike) -> Market:
        wait, timer, *_ = draws(self._seed, event.ticker, "end of it")
        determined = event.close + int((2 + 43 * wait) * MINUTE)
        finalized = determined + _TIMERS[int(timer * len(_TIMERS))] * 1_000_000
        ticker = f"{event.ticker}-{strike.suffix}"
        return Market(ticker, event, strike, event.open, event.close, determined, finalized)

    def _begin_walk(self, event: Event) -> Walk:
        return Walk(f"{self._seed}|{event.ticker}", (event.close - event.open) // MINUTE)


def _below(strike: float, seen: float, doubt: float) -> float:
    odds = _LOGISTIC * (strike - seen) / doubt
    return 1 / (1 + exp(-max(-_FARTHEST, min(_FARTHEST, odds))))
