"""The newest quote of each market, whichever channel brought it."""

import threading
from collections.abc import Collection, Iterable
from dataclasses import replace

from ledger.facts import Mark


class Quotes:
    """What the last mark of each market said; polls and the stream share one."""

    def __init__(self) -> None:
        """Know no quote."""
        self._lock = threading.Lock()
        self._newest: dict[str, Mark] = {}

    def of(self, ticker: str) -> Mark | None:
        """Return the newest mark of a market, None before the first."""
        return self._newest.get(ticker)

    def moved(self, mark: Mark) -> bool:
        """Tell whether bid, ask, last or value differ from the newest mark."""
        known = self.of(mark.ticker)
        return known is None or known.quote != mark.quote

    def saw(self, marks: Iterable[Mark]) -> None:
        """Take note of marks; one that is older than what is known changes nothing."""
        with self._lock:
            for mark in marks:
                known = self._newest.get(mark.ticker)
                if known is None or mark.time >= known.time:
                    self._newest[mark.ticker] = mark

    def valued(self, mark: Mark) -> Mark:
        """Return a quote that knows no value with the one that was determined before."""
        known = self.of(mark.ticker)
        determined = None if known is None else known.value
        return mark if mark.value is not None else replace(mark, value=determined)

    def keep(self, tickers: Collection[str]) -> None:
        """Forget every market but these."""
        with self._lock:
            self._newest = {name: self._newest[name] for name in tickers & self._newest.keys()}
