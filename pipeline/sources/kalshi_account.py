"""What Kalshi says beside the lists: reported positions, cash, limits, whether it is open."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import TypeVar

from ledger import moment
from pipeline.sources import kalshi_rows
from pipeline.sources.budget import Budget
from pipeline.sources.client import Missing, Refused, SourceError
from pipeline.sources.fields import FieldError
from pipeline.sources.kalshi_exchange import Exchange
from pipeline.sources.kalshi_pages import NAME
from pipeline.sources.kalshi_positions import ROUND, UNSETTLED, Listed, Positions, Which
from pipeline.sources.source import Deadline, Timepiece
from storage.facts import Page

T = TypeVar("T")

LACKING = {403, 404}
"""Answers that mean a narrower key or an older upstream, not wrong credentials."""


class Account:
    """Figures no P&L depends on: what cannot be read of them is said in `detail`.

    `positions` are the lists of what is held in each subaccount that is known, by its fills or by
    the cursor of an earlier run; `cash` is theirs together.
    """

    def __init__(self, exchange: Exchange, budget: Budget, timepiece: Timepiece) -> None:
        """Know nothing yet; the hourly reads are due."""
        self._exchange = exchange
        self._budget = budget
        self._timepiece = timepiece
        self._lacking: dict[str, str] = {}
        self._closed = ""
        self._due: dict[str, int] = {}
        self._cash: dict[int, kalshi_rows.Balance] = {}
        self._positions = Positions(exchange, timepiece)
        self._subaccounts = frozenset({0})

    @property
    def detail(self) -> str:
        """Return what this key or this upstream does not give, and whether the exchange rests."""
        return ", ".join([self._closed] * bool(self._closed) + sorted(self._lacking.values()))

    @property
    def lists(self) -> Mapping[Which, Listed]:
        """Return every list of positions as it was read last."""
        return self._positions.lists

    def know(self, subaccounts: Iterable[int]) -> None:
        """Take note of subaccounts that have traded."""
        self._subaccounts |= frozenset(subaccounts)
        self._positions.know(self._subaccounts)

    @property
    def closed(self) -> str:
        """Return why the exchange does not trade, "" while it does."""
        return self._closed

    def positions(self, deadline: Deadline) -> Iterator[Page]:
        """Yield rows that cannot be read of what subaccount 0 holds, and keep the others."""
        yield from self._beside("positions", partial(self._open, deadline))

    def rounds(self, now: int, deadline: Deadline, room: Callable[[], bool]) -> Iterator[Page]:
        """Yield nothing but rejects of all other positions, a few of them a poll."""
        yield from self._positions.rounds(now, deadline, room)

    def balance(self, cursor: Mapping[str, str], deadline: Deadline) -> Iterator[Page]:
        """Yield cash and the positions' value as the cursor keeps them."""
        self.know(map(int, filter(None, cursor.get("subaccounts", "").split(","))))
        yield from self._beside("balance", partial(self._balance, deadline))

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

    def _open(self, deadline: Deadline) -> Iterator[Page]:
        freshness = self._asked(self._exchange.freshness, deadline)
        lag = 0 if freshness is None else freshness[1] - freshness[0]
        yield from self._positions.open(lag, deadline)

    def _balance(self, deadline: Deadline) -> Iterator[Page]:
        """Yield what all subaccounts have together, once each has said what it has."""
        self._cash[0] = self._exchange.balance(deadline)
        for subaccount in sorted(self._subaccounts - {0}):
            self._side_cash(subaccount, deadline)
        if self._cash.keys() < self._subaccounts:
            return
        cash = sum(each.cash for each in self._cash.values())
        positions = sum(each.positions for each in self._cash.values())
        told = {"balance": str(cash), "portfolio_value": str(positions)}
        listed = self.lists.get((0, UNSETTLED))
        told |= {"data_refreshed_at": str(listed.known)} if listed else {}
        told["subaccounts"] = ",".join(map(str, sorted(self._subaccounts)))
        yield Page(NAME, cursor={**told, "balance_at": str(self._cash[0].at)})

    def _side_cash(self, subaccount: int, deadline: Deadline) -> None:
        """Read a subaccount's cash when a round is over; one that may not be read counts none."""
        what = f"balance of subaccount {subaccount}"
        if not self._is_due(what, self._timepiece.now(), ROUND):
            return
        try:
            self._cash[subaccount] = self._exchange.balance(deadline, subaccount)
            self._lacking.pop(what, None)
        except (Refused, Missing) as error:
            if error.status not in LACKING:
                raise
            self._lacking[what] = f"{what} answered {error.status}"
            self._cash[subaccount] = kalshi_rows.Balance(0, 0, 0)
        except SourceError:
            self._due.pop(what)  # the last one stands; the next poll asks again

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
