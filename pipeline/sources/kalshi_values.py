"""Settlement values nobody says: asked again each minute for an hour, then each hour."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from ledger.moment import HOUR, MINUTE


@dataclass(frozen=True, slots=True)
class _Unsaid:
    since: int
    due: int


class Values:
    """What markets pay per YES, in nano-dollars; from any thread."""

    def __init__(self) -> None:
        """Have asked nothing yet."""
        self._lock = threading.Lock()
        self._unsaid: dict[str, _Unsaid] = {}

    def of(self, ticker: str, now: int, ask: Callable[[], int | None]) -> int | None:
        """Return what `ask` says; None without asking while it is too soon to ask again."""
        with self._lock:
            known = self._unsaid.get(ticker)
        if known and now < known.due:
            return None
        value = ask()
        since = known.since if known else now
        wait = MINUTE if now - since < HOUR else HOUR
        with self._lock:
            if value is None:
                self._unsaid[ticker] = _Unsaid(since, now + wait)
            else:
                self._unsaid.pop(ticker, None)
        return value
