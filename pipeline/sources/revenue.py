"""Revenue: deals from an API that keeps the contract of `GET /deals`."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from ledger import moment
from ledger.facts import Deal, Fact
from pipeline.sources import revenue_rows
from pipeline.sources.breaker import Breaker, counted
from pipeline.sources.client import Answer, Client, TimedOut
from pipeline.sources.credentials import Token
from pipeline.sources.fields import collect
from pipeline.sources.paging import Batch, Read, Sweep, batch, follow, resume
from pipeline.sources.revenue_rows import NAME
from pipeline.sources.source import Deadline, Held, Timepiece
from storage.facts import Page

LIMIT = "200"
OVERLAP = 10 * moment.MINUTE
AHEAD = 5 * moment.MINUTE
"""How far ahead of both clocks a change may be dated; what is further is no clock's fault."""

PAGE_SECONDS = 20.0
RESERVE_SECONDS = 1.0


class Revenue:
    """One book of deals; the whole list is read again once a day.

    The cursor's `head` is the newest `updated_at` of a list read to its end, `listed_at` when
    the whole list was read last, `data_refreshed_at` the newest `as_of` the source gave (all µs).
    A deal leaves by its status alone: one that is missing from a complete list stays as it is,
    since a list that lost rows looks the same; reconciliation names it.
    """

    name = NAME

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        cadence: float = 60.0,
        timepiece: Timepiece | None = None,
        reload: Callable[[], str | None] | None = None,
    ) -> None:
        """Read `url`, the parent of /deals; `token` is sent as Bearer when there is one."""
        self.cadence = cadence
        self.detail = ""
        self._timepiece = timepiece or Timepiece()
        credentials = Token("Authorization", token, "Bearer ", reload)
        self._client = Client(url, credentials, self._timepiece)
        self._sweep = Sweep(moment.DAY, None)
        self._version = 0, ""
        self._as_of: int | None = None
        self._lag = 0

    @property
    def breaker(self) -> Breaker:
        """Return the breaker of its requests."""
        return self._client.signed

    @counted
    def history(self, cursor: Mapping[str, str]) -> Iterator[Page]:
        """Yield every deal."""
        if cursor.get("complete") == "1":
            return
        began = int(cursor.get("began") or self._timepiece.now())
        newest = int(cursor.get("head") or 0)
        for found in resume(self._reading(self._page_deadline), cursor.get("page", "")):
            page = self._page(found)
            # What changed while the list was read may stand on a page that was read before.
            newest = min(_newest(page.facts, newest), began)
            place = {"page": found.next, "head": str(newest), "began": str(began)}
            end = {} if found.next else self._listed()
            yield replace(page, cursor={**page.cursor, **place, **end})
        self._sweep.done(self._timepiece.now())

    @counted
    def poll(self, cursor: Mapping[str, str], held: Held, deadline: Deadline) -> Iterator[Page]:
        """Yield what changed since the newest known change, and once a day everything."""
        newest = head = int(cursor.get("head") or 0)
        last = Page(NAME)
        for found in follow(self._reading(lambda: deadline, head - OVERLAP, again=True)):
            if last.facts or last.rejects:
                yield last
            last = self._page(found)
            newest = _newest(last.facts, newest)
        yield replace(last, cursor={**last.cursor, "head": str(min(newest, held.now))})
        if held.now - int(cursor.get("listed_at") or 0) > moment.DAY:
            with suppress(TimedOut):
                yield from self._listed_again(held.now, deadline)

    def listing(self, deadline: Deadline) -> Iterator[Page]:
        """Yield the complete list as it stands: to reconcile, not to book.

        A page's cursor says `data_refreshed_at` where the source does, and no place to go on.
        """
        for found in follow(self._reading(lambda: deadline)):
            yield self._page(found)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def _listed_again(self, now: int, deadline: Deadline) -> Iterator[Page]:
        def read(_: int, cursor: str) -> Batch:
            return self._reading(lambda: deadline)(cursor)

        for found in self._sweep.batches(now, read, lambda: deadline.remaining() > RESERVE_SECONDS):
            page = self._page(found)
            end = {} if found.next else self._listed()
            yield replace(page, cursor={**page.cursor, **end})

    def _reading(self, by: Callable[[], Deadline], since: int = 0, *, again: bool = False) -> Read:
        """Return what reads a page; `again` leaves it out while its ETag is the same.

        Of a list of several pages each may change by itself: only one page alone has a version.
        """
        wanted = [("updated_since", moment.text(since))] if since > 0 else []

        def read(cursor: str) -> Batch:
            params = [*wanted, ("limit", LIMIT), *([("cursor", cursor)] if cursor else [])]
            known = self._version[1] if again and self._version[0] == since else ""
            headers = {"If-None-Match": known} if known and not cursor else {}
            answer = self._client.get("/deals", params, deadline=by(), headers=headers)
            if headers and answer.body is None:
                self._fresh(answer.received)
                return Batch([], "", answer.received, answer.received)
            found = self._found(answer)
            if again:
                self._version = since, "" if cursor or found.next else answer.etag
            return found

        return read

    def _found(self, answer: Answer) -> Batch:
        if isinstance(answer.body, list):
            return Batch(answer.body, "", answer.received, answer.received)
        found = batch(answer, "data", "next_cursor")
        as_of = _instant(answer.body.get("as_of"))
        if as_of is not None:
            self._lag = max(0, answer.received - as_of)
            self._as_of = max(self._as_of or 0, answer.received - self._lag)
        return found

    def _fresh(self, received: int) -> None:
        """Take a 304 for what it says: the answer is as right as when it was sent whole."""
        if self._as_of is not None:
            self._as_of = max(self._as_of, received - self._lag)

    def _page(self, found: Batch) -> Page:
        read = partial(revenue_rows.deal, until=max(found.received, found.clock) + AHEAD)
        deals, rejects = collect(NAME, "id", found.rows, read)
        told = {} if self._as_of is None else {"data_refreshed_at": str(self._as_of)}
        return Page(NAME, deals, cursor=told, rejects=rejects)

    def _listed(self) -> dict[str, str]:
        return {"complete": "1", "listed_at": str(self._timepiece.now())}

    def _page_deadline(self) -> Deadline:
        return Deadline.after(PAGE_SECONDS, self._timepiece.monotonic)


def _instant(as_of: Any) -> int | None:  # noqa: ANN401 (a JSON value until it is read)
    """Return when the source says its deals were right, None when it does not say it plainly."""
    with suppress(moment.MomentError, OverflowError):
        return moment.parse(as_of, "as_of")
    return None


def _newest(facts: Iterable[Fact], least: int) -> int:
    return max([least, *(fact.updated_at for fact in facts if isinstance(fact, Deal))])
