"""Revenue: deals from an API that keeps the contract of `GET /deals`."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from ledger import moment
from ledger.facts import Deal, Fact
from pipeline.sources import revenue_rows
from pipeline.sources.client import Client, TimedOut
from pipeline.sources.credentials import Token
from pipeline.sources.fields import collect
from pipeline.sources.paging import Batch, Read, Sweep, batch, follow, resume
from pipeline.sources.revenue_rows import NAME
from pipeline.sources.source import Deadline, Held, Timepiece
from storage.facts import Page

LIMIT = "200"
OVERLAP = 10 * moment.MINUTE
PAGE_SECONDS = 20.0
RESERVE_SECONDS = 1.0


class Revenue:
    """One book of deals; the whole list is read again once a day.

    The cursor's `head` is the newest `updated_at` of a list read to its end, `listed_at` when
    the whole list was read last (both µs).
    """

    name = NAME

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        cadence: float = 60.0,
        timepiece: Timepiece | None = None,
    ) -> None:
        """Read `url`, the parent of /deals; `token` is sent as Bearer when there is one."""
        self.cadence = cadence
        self.detail = ""
        self._timepiece = timepiece or Timepiece()
        credentials = Token("Authorization", token, "Bearer ")
        self._client = Client(url, credentials, self._timepiece)
        self._sweep = Sweep(moment.DAY, None)

    def history(self, cursor: Mapping[str, str]) -> Iterator[Page]:
        """Yield every deal."""
        if cursor.get("complete") == "1":
            return
        newest = int(cursor.get("head") or 0)
        for found in resume(self._reading(self._page_deadline()), cursor.get("page", "")):
            page = _page(found)
            newest = min(_newest(page.facts, newest), self._timepiece.now())
            end = {} if found.next else self._listed()
            yield replace(page, cursor={"page": found.next, "head": str(newest), **end})
        self._sweep.done(self._timepiece.now())

    def poll(self, cursor: Mapping[str, str], held: Held, deadline: Deadline) -> Iterator[Page]:
        """Yield what changed since the newest known change, and once a day everything."""
        newest = head = int(cursor.get("head") or 0)
        last = Page(NAME)
        for found in follow(self._reading(deadline, head - OVERLAP)):
            if last.facts or last.rejects:
                yield last
            last = _page(found)
            newest = _newest(last.facts, newest)
        yield replace(last, cursor={"head": str(min(newest, held.now))})
        if held.now - int(cursor.get("listed_at") or 0) > moment.DAY:
            with suppress(TimedOut):
                yield from self._listed_again(held.now, deadline)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def _listed_again(self, now: int, deadline: Deadline) -> Iterator[Page]:
        def read(_: int, cursor: str) -> Batch:
            return self._reading(deadline)(cursor)

        for found in self._sweep.batches(now, read, lambda: deadline.remaining() > RESERVE_SECONDS):
            yield replace(_page(found), cursor={} if found.next else self._listed())

    def _reading(self, deadline: Deadline, since: int = 0) -> Read:
        wanted = [("updated_since", moment.text(since))] if since > 0 else []

        def read(cursor: str) -> Batch:
            params = [*wanted, ("limit", LIMIT), *([("cursor", cursor)] if cursor else [])]
            answer = self._client.get("/deals", params, deadline=deadline)
            if isinstance(answer.body, list):
                return Batch(answer.body, "", answer.received)
            return batch(answer, "data", "next_cursor")

        return read

    def _listed(self) -> dict[str, str]:
        return {"complete": "1", "listed_at": str(self._timepiece.now())}

    def _page_deadline(self) -> Deadline:
        return Deadline.after(PAGE_SECONDS, self._timepiece.monotonic)


def _page(found: Batch) -> Page:
    deals, rejects = collect(NAME, "id", found.rows, revenue_rows.deal)
    return Page(NAME, deals, rejects=rejects)


def _newest(facts: Iterable[Fact], least: int) -> int:
    return max([least, *(fact.updated_at for fact in facts if isinstance(fact, Deal))])
