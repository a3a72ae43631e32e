"""Markets replayed from a file of real public trades: the file's first trade is at the start."""

import csv
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from emulators.world import instant as moments
from emulators.world.amount import FULL, scaled
from emulators.world.instant import MINUTE
from emulators.world.market import Event, Market, Outcome, Series, Strike
from emulators.world.prints import Print

_HALF = FULL // 2


@dataclass(slots=True)
class _Tape:
    """One ticker's trades, oldest first: instants of this world, prices in 1/10,000 dollar."""

    times: list[int] = field(default_factory=list)
    prices: list[int] = field(default_factory=list)

    def before(self, instant: int) -> int:
        return self.prices[max(0, bisect_right(self.times, instant) - 1)]


class Replayed:
    """A listing whose last prices are a file's trades, `speed` times as fast as they were."""

    def __init__(self, path: Path, start: int, speed: float = 1.0) -> None:
        """Read the file; OSError, or ValueError naming what is wrong with it."""
        self._prints = _prints(path, start, speed)
        self._tapes = _tapes(self._prints)
        made = [_market(ticker, tape) for ticker, tape in self._tapes.items()]
        self._markets = sorted(made, key=lambda market: (market.open, market.ticker))

    def listed(self, begin: int, end: int) -> Sequence[Market]:
        """Return the markets announced by `end` that close at or after `begin`, oldest first."""
        return [m for m in self._markets if m.created <= end and m.close >= begin]

    def tradable(self, instant: int) -> Sequence[Market]:
        """Return the markets open at an instant."""
        return [m for m in self._markets if m.open <= instant < m.close]

    def probability(self, market: Market, instant: int) -> float:
        """Return the price of the last trade."""
        return self._tapes[market.ticker].before(instant) / FULL

    def outcome(self, market: Market) -> Outcome:
        """Return yes when the last trade of all was above half a dollar."""
        won = self._tapes[market.ticker].prices[-1] > _HALF
        return Outcome("yes", 100) if won else Outcome("no", 0)

    def prints(self) -> Sequence[Print]:
        """Return every trade of the file, oldest first."""
        return self._prints

    def last(self, market: Market, instant: int) -> int | None:
        """Return the price of the last trade."""
        return self._tapes[market.ticker].before(instant)


def _prints(path: Path, start: int, speed: float) -> list[Print]:
    with path.open(newline="", encoding="utf-8") as file:
        try:
            trades = [_print(row) for row in csv.DictReader(file)]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is not a file of trades: {error!r}") from error
    first = min((one.time for one in trades), default=0)
    moved = (replace(one, time=start + int((one.time - first) / speed)) for one in trades)
    return sorted(moved, key=lambda one: one.key)


def _print(row: Mapping[str, str]) -> Print:
    return Print(
        time=moments.parse(row["created_time"]),
        trade_id=row["trade_id"],
        ticker=row["ticker"],
        count=scaled(row["count"], 100, "count"),
        price=scaled(row["yes_price"], FULL // 100, "yes_price"),
        bought=row["taker_side"] == "yes",
    )


def _tapes(prints: Sequence[Print]) -> dict[str, _Tape]:
    tapes: dict[str, _Tape] = {}
    for one in prints:
        tape = tapes.setdefault(one.ticker, _Tape())
        tape.times.append(one.time)
        tape.prices.append(one.price)
    return tapes


def _market(ticker: str, tape: _Tape) -> Market:
    event_ticker = ticker.rpartition("-")[0] or ticker
    name = ticker.partition("-")[0]
    series = Series(name, f"{name} (replayed)", "Economics", "custom")
    close = tape.times[-1] + MINUTE
    event = Event(
        event_ticker, series, event_ticker, "Replayed public trades", tape.times[0], close
    )
    strike = Strike(
        ticker.rpartition("-")[2], f"{event_ticker} above the strike?", ticker, 0.0, 1.0
    )
    return Market(ticker, event, strike, tape.times[0], close, close + MINUTE, close + 2 * MINUTE)
