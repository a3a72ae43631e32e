"""The positions Kalshi reports: every poll the open ones of subaccount 0, in rounds all others."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

from ledger import moment
from pipeline.sources import kalshi_pages
from pipeline.sources.client import Missing, Refused, Throttled, TimedOut
from pipeline.sources.kalshi_exchange import OLD_POSITIONS, POSITIONS, Exchange
from pipeline.sources.kalshi_rows import Report
from pipeline.sources.paging import Batch, Read, Sweep, follow
from pipeline.sources.source import Deadline, Timepiece
from storage.facts import Page

UNSETTLED, SETTLED, ARCHIVED = "unsettled", "settled", "archived"
STATUSES = (UNSETTLED, SETTLED, ARCHIVED)

ROUND = 25 * moment.MICROS
"""How often each list is read that no poll reads."""

PER_PAGE = moment.MICROS // 2
"""How much longer a round of a long list lasts: an eighth of the basic tier's tokens at most."""

Which = tuple[int, str]
"""A list: its subaccount and the settlement status of its markets."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One list read to its end; `known` is up to when (µs, our clock) it knows of fills."""

    reports: Mapping[str, Report]
    known: int


@dataclass(slots=True)
class _Round:
    """One list that is read in rounds, a few pages at a time."""

    sweep: Sweep = field(default_factory=lambda: Sweep(ROUND, None))
    batches: list[Batch] = field(default_factory=list)
    known: int = 0


class Positions:
    """The lists of positions of every subaccount that is known, each as it was read last.

    `lists` are those read to their end. Subaccount 0 is known from the start.
    """

    def __init__(self, exchange: Exchange, timepiece: Timepiece) -> None:
        """Have every list due at once."""
        self._exchange = exchange
        self._timepiece = timepiece
        self._rounds = {(0, status): _Round() for status in (SETTLED, ARCHIVED)}
        self._lag = 0
        self.lists: Mapping[Which, Listed] = {}

    def know(self, subaccounts: Collection[int]) -> None:
        """List the positions of these subaccounts too."""
        missing = set(product(subaccounts, STATUSES)) - self._rounds.keys() - {(0, UNSETTLED)}
        self._rounds = self._rounds | {which: _Round() for which in missing}

    def open(self, lag: int, deadline: Deadline) -> Iterator[Page]:
        """Read the open positions of subaccount 0, `lag` µs old; yield what is unreadable."""
        self._lag = lag
        asked = self._timepiece.now()
        read = self._exchange.reading(POSITIONS, lambda: deadline)
        yield self._keep((0, UNSETTLED), follow(read), asked - lag)

    def rounds(self, now: int, deadline: Deadline, room: Callable[[], bool]) -> Iterator[Page]:
        """Go on with the lists that are due, while there is room; yield what is unreadable."""
        for which, each in sorted(self._rounds.items(), key=lambda item: item[1].known):
            try:
                yield from self._round(which, each, now, deadline, room)
            except (TimedOut, Throttled):
                return
            except (Missing, Refused) as error:
                wait = moment.HOUR if isinstance(error, Missing) else moment.MINUTE
                each.sweep.rest(now + wait)

    def _round(
        self, which: Which, each: _Round, now: int, deadline: Deadline, room: Callable[[], bool]
    ) -> Iterator[Page]:
        if not each.sweep.due(now):
            return
        if not each.sweep.midway:
            each.batches, each.known = [], self._timepiece.now() - self._lag
        read = self._reading(which, deadline)
        for batch in each.sweep.batches(now, lambda _, cursor: read(cursor), room):
            each.batches.append(batch)
            if not batch.next:
                yield self._keep(which, each.batches, each.known)
        if not each.sweep.midway:
            each.sweep.rest(now + len(each.batches) * PER_PAGE)

    def _reading(self, which: Which, deadline: Deadline) -> Read:
        subaccount, status = which
        wanted = [("subaccount", str(subaccount))] if subaccount else []
        wanted += [] if status == ARCHIVED else [("settlement_status", status)]
        listing = OLD_POSITIONS if status == ARCHIVED else POSITIONS
        return self._exchange.reading(listing, lambda: deadline, more=wanted)

    def _keep(self, which: Which, batches: Iterator[Batch] | list[Batch], known: int) -> Page:
        reports, page = kalshi_pages.reports(batches, settled=which[1] != UNSETTLED)
        self.lists = {**self.lists, which: Listed(reports, known)}
        return page
