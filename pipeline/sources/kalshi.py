"""Kalshi: fills, settlements, marks and what the exchange itself reports, over signed REST."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from ledger.facts import Market
from pipeline.sources import kalshi_pages
from pipeline.sources.budget import Budget
from pipeline.sources.client import Client, SourceError
from pipeline.sources.kalshi_account import Account
from pipeline.sources.kalshi_exchange import FILLS, SETTLEMENTS, Exchange
from pipeline.sources.kalshi_lanes import Lanes
from pipeline.sources.kalshi_lists import PAGE_SECONDS, Lists
from pipeline.sources.kalshi_marks import Marks
from pipeline.sources.kalshi_names import Names
from pipeline.sources.kalshi_pages import NAME
from pipeline.sources.kalshi_positions import Listed, Which
from pipeline.sources.kalshi_quotes import Quotes
from pipeline.sources.kalshi_statement import Statement
from pipeline.sources.kalshi_stream import Stream
from pipeline.sources.parallel import Parallel, Reading
from pipeline.sources.signature import Reload, Signer
from pipeline.sources.source import Deadline, Held, Timepiece
from pipeline.sources.transport import POOL
from storage.facts import Page

RESERVE_SECONDS = 1.0
"""Re-reads begin only while this much of a poll's time is left."""

TOKENS = 200.0
COST = 10.0
"""The Basic tier, until the account says what it has: tokens a second and saved up, a request's."""


@dataclass(frozen=True, slots=True)
class _Read:
    """One of the reads a poll makes beside each other."""

    pages: Reading
    signed: bool = True
    vital: bool = True


class Kalshi:
    """One account; needs a read-only key.

    Figures of the account go into the cursor: `balance`, `portfolio_value` (nano-dollars, of all
    `subaccounts` that have traded), `balance_at` and `cutoff` (µs). `signer` and `quotes` are
    shared with `stream`, which a source without one has as None; `statement` is what the exchange
    says the account came to.
    """

    name = NAME

    def __init__(  # noqa: PLR0913 (the settings of an account, each by its name)
        self,
        url: str,
        key_id: str,
        private_key: str,
        *,
        stream_url: str = "",
        cadence: float = 10.0,
        timepiece: Timepiece | None = None,
        reload: Reload | None = None,
    ) -> None:
        """Read `private_key` (PEM); `url` with its path. PrivateKeyError when it is no key.

        Without `stream_url` there is polling only. `reload` is asked for key id and PEM after a
        401; another key is used at once.
        """
        self.cadence = cadence
        self.quotes = Quotes()
        self._timepiece = timepiece or Timepiece()
        self.signer = Signer(key_id, private_key, self._timepiece.now, reload)
        self._budget = Budget(TOKENS, TOKENS, COST, self._timepiece)
        self._client = Client(url, self.signer, self._timepiece, self._budget)
        exchange = Exchange(self._client)
        self._names = Names(exchange)
        self._marks = Marks(exchange, self._names, self.quotes)
        self._lists = Lists(exchange, self._timepiece, self._room)
        self._account = Account(exchange, self._budget, self._timepiece)
        self._parallel = Parallel(POOL, NAME)
        self.statement = Statement(exchange, self._timepiece)
        self.stream: Stream | None = None
        if stream_url:
            self.stream = Stream(stream_url, self.signer, self.quotes, self._timepiece)

    @property
    def detail(self) -> str:
        """Return what is not given, why the exchange rests, why a new key is of no use."""
        return "; ".join(filter(None, [self._account.detail, self.signer.trouble]))

    @property
    def breakers(self) -> Mapping[str, str]:
        """Return closed, open or half-open for calls as the account and for public ones."""
        return {"signed": self._client.signed.state, "public": self._client.public.state}

    @property
    def positions(self) -> Mapping[Which, Listed]:
        """Return each list of positions as it was read last."""
        return self._account.lists

    def know(self, subaccounts: Collection[int]) -> None:
        """List the positions and count the cash of these subaccounts too."""
        self._account.know(subaccounts)

    def history(self, cursor: Mapping[str, str]) -> Iterator[Page]:
        """Yield every fill and settlement there ever was, live and historical."""
        if cursor.get("complete") == "1":
            return
        lanes = Lanes(self._client)
        self._account.learn(Deadline.after(PAGE_SECONDS, self._timepiece.monotonic))
        pages = lanes.through(self._lists.history(cursor), vital=True)
        yield from self._noted(pages)
        lanes.end(self._account.closed)

    def poll(self, cursor: Mapping[str, str], held: Held, deadline: Deadline) -> Iterator[Page]:
        """Yield the tail of every list, marks of held markets, and the re-reads that are due."""
        self.quotes.keep(held.tickers)
        lanes, bought = Lanes(self._client), set[str]()
        for page in self._beside_each_other(lanes, cursor, held, deadline):
            bought |= kalshi_pages.traded_after(page.facts, int(cursor.get("fills_head") or 0))
            yield page
        yield from self._after(lanes, cursor, held, frozenset(bought) - held.tickers, deadline)
        if lanes.broken:
            self._account.look(deadline)
        lanes.end(self._account.closed)

    def reread(self, tickers: Collection[str], deadline: Deadline) -> Iterator[Page]:
        """Yield every fill and settlement of some markets again, historical included."""
        yield from self._lists.reread(tickers, deadline)

    def recall(self, markets: Mapping[str, Market]) -> None:
        """Take over the markets storage already names, so that they are not asked again."""
        self._names.recall(markets)

    def close(self) -> None:
        """Let running reads end, then let go of connections."""
        if self.stream is not None:
            self.stream.close()
        self._parallel.close()
        self._client.close()

    def _beside_each_other(
        self, lanes: Lanes, cursor: Mapping[str, str], held: Held, deadline: Deadline
    ) -> Iterator[Page]:
        account = self._account
        reads = (
            _Read(partial(self._lists.tail, FILLS, cursor, held, deadline)),
            _Read(partial(self._lists.tail, SETTLEMENTS, cursor, held, deadline)),
            _Read(partial(self._marks.quoted, held.tickers, held.now, deadline), signed=False),
            _Read(partial(account.positions, deadline), vital=False),
            _Read(partial(account.balance, cursor, deadline), vital=False),
        )
        for read, outcome in zip(
            reads, self._parallel.outcomes(r.pages for r in reads), strict=True
        ):
            yield from self._noted(page for page in outcome.pages if page != Page(NAME))
            if outcome.error is not None:
                lanes.failed(outcome.error, signed=read.signed, vital=read.vital)

    def _after(
        self,
        lanes: Lanes,
        cursor: Mapping[str, str],
        held: Held,
        bought: frozenset[str],
        deadline: Deadline,
    ) -> Iterator[Page]:
        """Yield what depends on what the poll brought, and what can wait, lane by lane."""
        room = partial(self._room, deadline)
        # What was bought just now was not held when the marks were asked for.
        if lanes.open(signed=False) and not deadline.passed:
            quoted = self._marks.quoted(bought, held.now, deadline)
            yield from self._noted(lanes.through(quoted, signed=False))
        if lanes.open(signed=True) and cursor.get("complete") == "1":
            yield from self._noted(lanes.through(self._lists.swept(cursor, held.now, deadline)))
            yield from lanes.through(self._account.rounds(held.now, deadline, room))
        if lanes.open(signed=False):
            yield from self._named(deadline)
        if room():
            self._account.learn(deadline)

    def _noted(self, pages: Iterator[Page]) -> Iterator[Page]:
        """Yield pages, and take note of each once it is durable: when the reader is back."""
        for page in pages:
            yield page
            self._marks.recorded(page)
            self._names.saw(fact.ticker for fact in kalshi_pages.trades(page.facts))
            self._account.know(kalshi_pages.subaccounts(page.facts))

    def _named(self, deadline: Deadline) -> Iterator[Page]:
        with suppress(SourceError):
            for markets in self._names.ask(deadline, partial(self._room, deadline)):
                if markets:
                    yield Page(NAME, markets=markets)

    def _room(self, deadline: Deadline) -> bool:
        return deadline.remaining() > RESERVE_SECONDS and self._budget.spare()
