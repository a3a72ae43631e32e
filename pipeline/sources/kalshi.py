"""Kalshi: fills, settlements, marks and what the exchange itself reports, over signed REST."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial

from ledger import moment
from ledger.facts import Mark, Market
from pipeline.sources import kalshi_pages, kalshi_rows
from pipeline.sources.budget import Budget
from pipeline.sources.client import Client, Missing, Refused, SourceError, TimedOut
from pipeline.sources.fields import collect
from pipeline.sources.kalshi_exchange import (
    FILLS,
    HISTORICAL,
    POSITIONS,
    SETTLEMENTS,
    Exchange,
    Listing,
)
from pipeline.sources.kalshi_names import Names
from pipeline.sources.kalshi_pages import NAME
from pipeline.sources.paging import Batch, Sweep, follow, resume
from pipeline.sources.parallel import Parallel, Reading
from pipeline.sources.signature import Signer
from pipeline.sources.source import Deadline, Held, Timepiece
from pipeline.sources.transport import POOL
from storage.facts import Page

STAGES = (FILLS, HISTORICAL, SETTLEMENTS)
"""Live before historical: what the cutoff overtakes meanwhile is then read twice, never not."""

OVERLAP = 120 * moment.MICROS
WEEK = 7 * moment.DAY
PAGE_SECONDS = 20.0
RESERVE_SECONDS = 1.0
"""Re-reads begin only while this much of a poll's time is left."""

LACKING = {403, 404}
"""Answers that mean a narrower key or an older upstream, not wrong credentials."""

TOKENS = 190.0
"""Tokens a second and saved up: the Basic tier's 200 less one request of jitter."""
COST = 10.0


class Kalshi:
    """One account; needs a read-only key.

    `reports` holds what the last positions read said per market, `asked` the tickers whose
    quote, or the lack of one, was answered. Figures of the account go into the cursor:
    `balance`, `portfolio_value` (nano-dollars), `balance_at` and `cutoff` (µs).
    """

    name = NAME

    def __init__(
        self,
        url: str,
        key_id: str,
        private_key: str,
        *,
        cadence: float = 10.0,
        timepiece: Timepiece | None = None,
    ) -> None:
        """Read `private_key` (PEM); `url` with its path. PrivateKeyError when it is no key."""
        self.cadence = cadence
        self._lacking: dict[str, str] = {}
        self.reports: dict[str, kalshi_rows.Report] = {}
        self.asked: frozenset[str] = frozenset()
        self._timepiece = timepiece or Timepiece()
        self._signer = Signer(key_id, private_key, self._timepiece.now)
        self._budget = Budget(TOKENS, TOKENS, COST, self._timepiece)
        self._client = Client(url, self._signer, self._timepiece, self._budget)
        self._exchange = Exchange(self._client)
        self._names = Names(self._exchange)
        self._quotes: dict[str, Mark] = {}
        self._sweeps = [
            (FILLS, Sweep(moment.MINUTE, WEEK)),
            (SETTLEMENTS, Sweep(moment.MINUTE, WEEK)),
            (FILLS, Sweep(moment.HOUR, None)),
            (SETTLEMENTS, Sweep(moment.HOUR, None)),
        ]
        self._parallel = Parallel(POOL, NAME)

    @property
    def detail(self) -> str:
        """Return what this key or this upstream does not give."""
        return ", ".join(sorted(self._lacking.values()))

    def history(self, cursor: Mapping[str, str]) -> Iterator[Page]:
        """Yield every fill and settlement there ever was, live and historical."""
        if cursor.get("complete") == "1":
            return
        names = [stage.name for stage in STAGES]
        known = cursor.get("stage") in names
        first = names.index(cursor["stage"]) if known else 0
        page = cursor.get("page", "") if known else ""
        cutoff = self._exchange.cutoff(self._page_deadline())
        for index in range(first, len(STAGES)):
            following = (
                {"stage": names[index + 1]} if index + 1 < len(STAGES) else {"complete": "1"}
            )
            yield from self._import(STAGES[index], page, following | {"cutoff": cutoff or ""})
            page = ""
        for _, sweep in self._sweeps:
            sweep.done(self._timepiece.now())

    def poll(self, cursor: Mapping[str, str], held: Held, deadline: Deadline) -> Iterator[Page]:
        """Yield the tail of every list, marks of held markets, and the re-reads that are due."""
        self._quotes = {t: self._quotes[t] for t in held.tickers & self._quotes.keys()}
        reads = (
            partial(self._tail, FILLS, cursor, held, deadline),
            partial(self._tail, SETTLEMENTS, cursor, held, deadline),
            partial(self._marks, held, deadline),
            partial(self._beside, "positions", partial(self._positions, deadline)),
            partial(self._beside, "balance", partial(self._balance, deadline)),
        )
        bought: set[str] = set()
        for page in self._parallel.pages(reads):
            if page != Page(NAME):
                bought |= kalshi_pages.traded_after(page.facts, int(cursor.get("fills_head") or 0))
                yield page
                self._recorded(page)
        # What was bought just now was not held when the marks were asked for.
        for page in self._quoted(frozenset(bought) - held.tickers, deadline):
            yield page
            self._recorded(page)
        if cursor.get("complete") == "1":
            yield from self._swept(held.now, deadline)
        yield from self._named(deadline)

    def reread(self, tickers: Collection[str], deadline: Deadline) -> Iterator[Page]:
        """Yield every fill and settlement of some markets again, historical included."""
        for ticker in sorted(tickers):
            for listing in STAGES:
                read = self._exchange.reading(listing, lambda: deadline, ticker=ticker)
                with suppress(Missing):
                    for batch in follow(read):
                        yield self._page(listing, batch, deadline)

    def recall(self, markets: Mapping[str, Market]) -> None:
        """Take over the markets storage already names, so that they are not asked again."""
        self._names.recall(markets)

    def close(self) -> None:
        """Let running reads end, then let go of connections."""
        self._parallel.close()
        self._client.close()

    def _import(self, listing: Listing, page: str, following: Mapping[str, str]) -> Iterator[Page]:
        began = self._timepiece.now()
        read = self._exchange.reading(listing, self._page_deadline)
        try:
            for batch in resume(read, page):
                found = self._page(listing, batch, self._page_deadline())
                onward = {"stage": listing.name} if batch.next else following
                head = {} if page else kalshi_pages.head(listing, found.facts, began)
                yield replace(found, cursor={**head, **onward, "page": batch.next})
                self._recorded(found)
                page = batch.next
        except Missing:
            if listing is not HISTORICAL:
                raise
            yield Page(NAME, cursor={**following, "page": ""})

    def _tail(
        self, listing: Listing, cursor: Mapping[str, str], held: Held, deadline: Deadline
    ) -> Iterator[Page]:
        """Yield what is newer than the list's head; only the last page moves the head."""
        key = kalshi_pages.head_key(listing)
        head = newest = int(cursor.get(key) or held.now)
        last = Page(NAME)
        for batch in self._newer(listing, head, held.now, deadline):
            yield last
            last = self._page(listing, batch, deadline)
            newest = kalshi_pages.newest(last.facts, newest, held.now)
        moved = cursor.get(key) != str(newest)
        yield replace(last, cursor={key: str(newest)}) if moved else last

    def _newer(self, listing: Listing, head: int, now: int, deadline: Deadline) -> Iterator[Batch]:
        since = head - OVERLAP
        yield from follow(self._exchange.reading(listing, lambda: deadline, since))
        if listing is FILLS and now - head > WEEK:  # away so long, the cutoff may have passed some
            with suppress(Missing):
                yield from follow(self._exchange.reading(HISTORICAL, lambda: deadline, since))

    def _marks(self, held: Held, deadline: Deadline) -> Iterator[Page]:
        yield from self._quoted(held.tickers, deadline)
        self.asked = held.tickers

    def _quoted(self, tickers: frozenset[str], deadline: Deadline) -> Iterator[Page]:
        for batch in self._exchange.markets(tickers, deadline):
            read = partial(kalshi_rows.mark, time=batch.received)
            marks, rejects = collect(NAME, "ticker", batch.rows, read)
            moved = tuple(mark for mark in marks if self._moved(mark))
            yield Page(NAME, moved, self._names.told(batch.rows), rejects=rejects)

    def _moved(self, mark: Mark) -> bool:
        last = self._quotes.get(mark.ticker)
        return last is None or last.quote != mark.quote

    def _beside(self, what: str, read: Reading) -> Iterator[Page]:
        """Yield what no figure depends on; a key or an upstream without it is only said."""
        self._lacking.pop(what, None)
        try:
            yield from read()
        except (Refused, Missing) as error:
            if error.status not in LACKING:
                raise
            self._lacking[what] = f"{what} answered {error.status}"

    def _positions(self, deadline: Deadline) -> Iterator[Page]:
        read = self._exchange.reading(POSITIONS, lambda: deadline)
        self.reports, page = kalshi_pages.reports(follow(read))
        yield page

    def _balance(self, deadline: Deadline) -> Iterator[Page]:
        yield Page(NAME, cursor=self._exchange.balance(deadline))

    def _recorded(self, page: Page) -> None:
        """Take note of what is durable now, since the reader came back for more."""
        marks = [fact for fact in page.facts if isinstance(fact, Mark)]
        self._quotes.update({mark.ticker: mark for mark in marks})
        self._names.saw(fact.ticker for fact in kalshi_pages.trades(page.facts))

    def _swept(self, now: int, deadline: Deadline) -> Iterator[Page]:
        for listing, sweep in self._sweeps:
            read = partial(self._sweep_page, listing, deadline)
            with suppress(TimedOut, Missing):
                for batch in sweep.batches(now, read, partial(self._room, deadline)):
                    page = self._page(listing, batch, deadline)
                    yield page
                    self._recorded(page)

    def _sweep_page(self, listing: Listing, deadline: Deadline, since: int, cursor: str) -> Batch:
        return self._exchange.reading(listing, lambda: deadline, since)(cursor)

    def _named(self, deadline: Deadline) -> Iterator[Page]:
        with suppress(SourceError):
            for markets in self._names.ask(deadline, partial(self._room, deadline)):
                if markets:
                    yield Page(NAME, markets=markets)

    def _room(self, deadline: Deadline) -> bool:
        return deadline.remaining() > RESERVE_SECONDS and self._budget.spare()

    def _page(self, listing: Listing, batch: Batch, deadline: Deadline) -> Page:
        return kalshi_pages.page(self._exchange, listing, batch, deadline)

    def _page_deadline(self) -> Deadline:
        return Deadline.after(PAGE_SECONDS, self._timepiece.monotonic)
