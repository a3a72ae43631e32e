"""What Kalshi says beside the lists: reported positions, cash, limits, whether it is open."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import TypeVar

from ledger import moment
from pipeline.sources import kalshi_pages, kalshi_rows
from pipeline.sources.budget import Budget
from pipeline.sources.client import Missing, Refused, SourceError, Throttled, TimedOut
from pipeline.sources.fields import FieldError
from pipeline.sources.kalshi_exchange import POSITIONS, SETTLED, Exchange
from pipeline.sources.kalshi_pages import NAME
from pipeline.sources.paging import Batch, Sweep, follow
from pipeline.sources.source import Deadline, Timepiece
from storage.facts import Page

T = TypeVar("T")

LACKING = {403, 404}
"""Answers that mean a narrower key or an older upstream, not wrong credentials."""


class Account:
    """Figures no P&L depends on: what cannot be read of them is said in `detail`.

    `reports` holds what the last positions read said per market of subaccount 0: the unsettled
    ones, and after the hourly read the settled ones too. `reported_at` is the instant (µs, our
    clock) up to which they know of fills.
    """

    def __init__(self, exchange: Exchange, budget: Budget, timepiece: Timepiece) -> None:
        """Know nothing yet; the hourly reads are due."""
        self._exchange = exchange
        self._budget = budget
        self._timepiece = timepiece
        self._lacking: dict[str, str] = {}
        self._closed = ""
        self._due: dict[str, int] = {}
        self._settled = Sweep(moment.HOUR, None)
        self._found: list[Batch] = []
        self.reports: Mapping[str, kalshi_rows.Report] = {}
        self.reported_at = 0

    @property
    def detail(self) -> str:
        """Return what this key or this upstream does not give, and whether the exchange rests."""
        return ", ".join([self._closed] * bool(self._closed) + sorted(self._lacking.values()))

    @property
    def closed(self) -> str:
        """Return why the exchange does not trade, "" while it does."""
        return self._closed

    def positions(self, deadline: Deadline) -> Iterator[Page]:
        """Yield the rows that cannot be read; keep the reports of a list read to its end."""
        yield from self._beside("positions", partial(self._positions, deadline))

    def balance(self, deadline: Deadline) -> Iterator[Page]:
        """Yield cash and the positions' value as the cursor keeps them."""
        yield from self._beside("balance", partial(self._balance, deadline))

    def settled(self, now: int, deadline: Deadline, room: Callable[[], bool]) -> Iterator[Page]:
        """Yield nothing but rejects; each hour add the settled positions to the reports once."""
        read = self._exchange.reading(POSITIONS, lambda: deadline, more=SETTLED)
        with suppress(TimedOut, Throttled, Missing, Refused):
            if not self._settled.midway:
                self._found = []
            for batch in self._settled.batches(now, lambda _, cursor: read(cursor), room):
                self._found.append(batch)
                if not batch.next:
                    reports, page = kalshi_pages.reports(self._found, settled=True)
                    self.reports = {**reports, **self.reports}
                    yield page

    def learn(self, deadline: Deadline) -> None:
        """Each hour read the account's limits and prices, each minute whether it is open."""
        now = self._timepiece.now()
        if self._is_due("limits", now, moment.HOUR):
            limits = self._asked(self._exchange.limits, deadline)
            if limits and min(limits) > 0:
                self._budget.grant(*limits)
            tariff = self._asked(self._exchange.costs, deadline)
            if tariff and tariff[0] > 0:
                self._budget.price(*tariff)
        if self._is_due("status", now, moment.MINUTE):
            self.look(deadline)

    def look(self, deadline: Deadline) -> None:
        """Read whether the exchange is open; who does not say, is."""
        self._closed = self._asked(self._exchange.closed, deadline) or ""

    def _positions(self, deadline: Deadline) -> Iterator[Page]:
        asked = self._timepiece.now()
        freshness = self._asked(self._exchange.freshness, deadline)
        read = self._exchange.reading(POSITIONS, lambda: deadline)
        self.reports, page = kalshi_pages.reports(follow(read))
        lag = 0 if freshness is None else freshness[1] - freshness[0]
        self.reported_at = asked - lag
        yield page

    def _balance(self, deadline: Deadline) -> Iterator[Page]:
        figures = self._exchange.balance(deadline)
        known = {"balance": figures.cash, "portfolio_value": figures.positions}
        told = {name: str(value) for name, value in known.items()}
        fresh = {"data_refreshed_at": str(self.reported_at)} if self.reported_at else {}
        yield Page(NAME, cursor={**told, **fresh, "balance_at": str(figures.at)})

    def _beside(self, what: str, read: Callable[[], Iterator[Page]]) -> Iterator[Page]:
        """Yield what no figure depends on; a key or an upstream without it is only said."""
        self._lacking.pop(what, None)
        try:
            yield from read()
        except (Refused, Missing) as error:
            if error.status not in LACKING:
                raise
            self._lacking[what] = f"{what} answered {error.status}"

    def _asked(self, ask: Callable[[Deadline], T], deadline: Deadline) -> T | None:
        """Return what nothing depends on; None when it could not be had."""
        with suppress(SourceError, FieldError):
            return ask(deadline)
        return None

    def _is_due(self, what: str, now: int, every: int) -> bool:
        if now < self._due.get(what, 0):
            return False
        self._due[what] = now + every
        return True
