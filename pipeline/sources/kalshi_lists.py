"""Fills and settlements of the account: imported whole, followed at their tail, read again."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import replace
from functools import partial
from itertools import product

from ledger import moment
from pipeline.sources import kalshi_pages
from pipeline.sources.client import Behind, Broken, Missing, SourceError, Throttled, TimedOut
from pipeline.sources.kalshi_exchange import FILLS, HISTORICAL, SETTLEMENTS, Exchange, Listing
from pipeline.sources.kalshi_pages import NAME
from pipeline.sources.paging import Batch, Sweep, Tail, follow, resume
from pipeline.sources.source import Deadline, Held, Timepiece
from storage.facts import Page

STAGES = (FILLS, HISTORICAL, SETTLEMENTS)
"""Live before historical: what the cutoff overtakes meanwhile is then read twice, never not."""

OVERLAP = 120 * moment.MICROS
WEEK = 7 * moment.DAY
PAGE_SECONDS = 20.0
OK = 200

Room = Callable[[Deadline], bool]
"""Whether a poll has time and requests left for what can wait."""


class Lists:
    """The three lists of one account; settlements have no historical twin.

    The cursor holds `stage` and `page` of an import, `fills_head` and `settlements_head` (µs) of
    the tails, and `cutoff` (µs): how far the archive reached when it was last read.
    """

    def __init__(self, exchange: Exchange, timepiece: Timepiece, room: Room) -> None:
        """Have every re-read due at once."""
        self._exchange = exchange
        self._timepiece = timepiece
        self._room = room
        self._tails = {FILLS.name: Tail(), SETTLEMENTS.name: Tail()}
        self._archive = Sweep(moment.HOUR, None)
        self._cutoff = ""
        self._sweeps = [
            (FILLS, Sweep(moment.MINUTE, WEEK)),
            (SETTLEMENTS, Sweep(moment.MINUTE, WEEK)),
            (FILLS, Sweep(moment.HOUR, None)),
            (SETTLEMENTS, Sweep(moment.HOUR, None)),
        ]

    def history(self, cursor: Mapping[str, str]) -> Iterator[Page]:
        """Yield every fill and settlement there ever was, live and historical."""
        names = [stage.name for stage in STAGES]
        known = cursor.get("stage") in names
        first = names.index(cursor["stage"]) if known else 0
        page = cursor.get("page", "") if known else ""
        begun = {"cutoff": cursor.get("cutoff", "")} if known else self._begun()
        for index in range(first, len(STAGES)):
            last = index + 1 == len(STAGES)
            following = {"complete": "1"} if last else {"stage": names[index + 1]}
            yield from self._import(STAGES[index], page, {**following, **begun}, begun)
            page = ""
        now = self._timepiece.now()
        for sweep in [self._archive, *(sweep for _, sweep in self._sweeps)]:
            sweep.done(now)

    def tail(
        self, listing: Listing, cursor: Mapping[str, str], held: Held, deadline: Deadline
    ) -> Iterator[Page]:
        """Yield what is newer than the list's head; only the last page moves the head."""
        key, tail = kalshi_pages.head_key(listing), self._tails[listing.name]
        head = int(cursor.get(key) or held.now)
        last = Page(NAME)
        read = self._exchange.reading(listing, lambda: deadline, head - OVERLAP)
        try:
            for batch in tail.batches(head - OVERLAP, read):
                yield last
                last = self._page(listing, batch, deadline)
                tail.note(kalshi_pages.newest(last.facts, 0, held.now))
        except SourceError as error:
            yield last
            if tail.midway:
                raise Behind(f"{error}; {listing.name} go on there", error.status) from error
            raise
        newest = str(max(head, tail.reached))
        yield replace(last, cursor={key: newest}) if cursor.get(key) != newest else last

    def swept(self, cursor: Mapping[str, str], now: int, deadline: Deadline) -> Iterator[Page]:
        """Yield the re-reads that are due, while there is room."""
        yield from self._archived(cursor, now, deadline)
        for listing, sweep in self._sweeps:
            with suppress(TimedOut, Throttled, Missing):
                read = partial(self._again, listing, deadline)
                for batch in sweep.batches(now, read, partial(self._room, deadline)):
                    yield self._page(listing, batch, deadline)

    def reread(self, tickers: Collection[str], deadline: Deadline) -> Iterator[Page]:
        """Yield every fill and settlement of some markets again, historical included."""
        for ticker, listing in product(sorted(tickers), STAGES):
            read = self._exchange.reading(listing, lambda: deadline, ticker=ticker)
            # An older upstream has no archive; a live list that is not there is a failure.
            with suppress(Missing) if listing is HISTORICAL else nullcontext():
                for batch in follow(read):
                    yield self._page(listing, batch, deadline)

    def _begun(self) -> dict[str, str]:
        """Return the cutoff before anything was read; "" when nobody says: then all is archive."""
        with suppress(SourceError):
            return {"cutoff": self._exchange.cutoff(self._page_deadline()) or ""}
        return {"cutoff": ""}

    def _import(
        self, listing: Listing, page: str, following: Mapping[str, str], begun: Mapping[str, str]
    ) -> Iterator[Page]:
        began = self._timepiece.now()
        read = self._exchange.reading(listing, self._page_deadline)
        try:
            for batch in resume(read, page):
                found = self._page(listing, batch, self._page_deadline())
                onward = {"stage": listing.name, **begun} if batch.next else following
                head = {} if page else kalshi_pages.head(listing, found.facts, began)
                yield replace(found, cursor={**head, **onward, "page": batch.next})
                page = batch.next
        except Missing:
            if listing is not HISTORICAL:
                raise
            yield Page(NAME, cursor={**following, "page": ""})
        except Broken as error:
            if error.status == OK:  # the pages lead nowhere: from the first one they may not
                yield Page(NAME, cursor={"stage": listing.name, **begun, "page": ""})
            raise

    def _archived(self, cursor: Mapping[str, str], now: int, deadline: Deadline) -> Iterator[Page]:
        """Yield what has left the live list since the cutoff that is known, and a day before it.

        A fill between both lists, or overtaken while nobody read, is found here an hour later.
        """
        if not self._archive.due(now) or not self._room(deadline):
            return
        if not self._archive.midway and not self._reached(now, deadline):
            return
        since = max(0, int(cursor.get("cutoff") or 0) - moment.DAY)
        read = self._exchange.reading(HISTORICAL, lambda: deadline, since)
        room = partial(self._room, deadline)
        with suppress(TimedOut, Throttled, Missing):
            for batch in self._archive.batches(now, lambda _, page: read(page), room):
                page = self._page(HISTORICAL, batch, deadline)
                yield page if batch.next else replace(page, cursor={"cutoff": self._cutoff})

    def _reached(self, now: int, deadline: Deadline) -> bool:
        """Read how far the archive reaches; tell whether there is one to read."""
        with suppress(SourceError):
            self._cutoff = self._exchange.cutoff(deadline) or ""
            if not self._cutoff:
                self._archive.done(now)
            return bool(self._cutoff)
        return False

    def _again(self, listing: Listing, deadline: Deadline, since: int, cursor: str) -> Batch:
        return self._exchange.reading(listing, lambda: deadline, since)(cursor)

    def _page(self, listing: Listing, batch: Batch, deadline: Deadline) -> Page:
        return kalshi_pages.page(self._exchange, listing, batch, deadline)

    def _page_deadline(self) -> Deadline:
        return Deadline.after(PAGE_SECONDS, self._timepiece.monotonic)
