"""Kalshi's lists and figures over REST, read as raw rows."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar
from urllib.parse import quote

from ledger import moment
from pipeline.sources import body, kalshi_rows
from pipeline.sources.client import Answer, Broken, Client, Missing, Params, Refused
from pipeline.sources.fields import FieldError, Fields
from pipeline.sources.kalshi_values import Values
from pipeline.sources.paging import Batch, Read, batch, follow
from pipeline.sources.source import Deadline

T = TypeVar("T")

LIMIT = "1000"
AT_ONCE = 100
"""Tickers in one request: a URL of about 3 KB."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One list of the account: its path, the member that holds its rows."""

    name: str
    path: str
    rows: str
    limit: str = LIMIT


FILLS = Listing("fills", "/portfolio/fills", "fills")
HISTORICAL = Listing("historical_fills", "/historical/fills", "fills")
SETTLEMENTS = Listing("settlements", "/portfolio/settlements", "settlements")
POSITIONS = Listing("positions", "/portfolio/positions", "market_positions")
OLD_POSITIONS = Listing("historical_positions", "/historical/positions", "market_positions")
DEPOSITS = Listing("deposits", "/portfolio/deposits", "deposits", "500")
WITHDRAWALS = Listing("withdrawals", "/portfolio/withdrawals", "withdrawals", "500")

MAINTENANCE = {500, 503, 504}
"""Statuses with which /exchange/status answers its normal body."""


class Exchange:
    """The account's and the market's endpoints; public ones are asked unsigned."""

    def __init__(self, client: Client) -> None:
        """Ask through `client`."""
        self._client = client
        self._sign_public = False
        self._values = Values()

    def reading(
        self,
        listing: Listing,
        deadline: Callable[[], Deadline],
        since: int = 0,
        ticker: str = "",
        more: Params = (),
    ) -> Read:
        """Return how a page of the list is read; `since` µs, each page under its own deadline."""
        wanted = [("limit", listing.limit), *more]
        wanted += [("min_ts", str(since // moment.MICROS))] if since > 0 else []
        wanted += [("ticker", ticker)] if ticker else []

        def read(cursor: str) -> Batch:
            params = [*wanted, ("cursor", cursor)] if cursor else wanted
            answer = self._client.get(listing.path, params, deadline=deadline())
            return batch(answer, listing.rows, "cursor")

        return read

    def balance(self, deadline: Deadline, subaccount: int = 0) -> kalshi_rows.Balance:
        """Return cash and positions' value, as they were received."""
        wanted = [("subaccount", str(subaccount))] if subaccount else []
        answer = self._client.get("/portfolio/balance", wanted, deadline=deadline)
        return _figure(answer, "", partial(kalshi_rows.balance, received=answer.received))

    def freshness(self, deadline: Deadline) -> tuple[int, int]:
        """Return how far the account's figures go and when that was said, µs by its own clock."""
        answer = self._public("/exchange/user_data_timestamp", (), deadline)
        as_of = _figure(answer, "", lambda row: row.instant("as_of_time"))
        return as_of, max(answer.sent, as_of)

    def limits(self, deadline: Deadline) -> tuple[int, int]:
        """Return how many tokens a second reading gets, and how many can be saved up."""
        answer = self._client.get("/account/limits", deadline=deadline)
        return _figure(answer, "read", kalshi_rows.bucket)

    def costs(self, deadline: Deadline) -> tuple[int, dict[str, float]]:
        """Return the tokens of a request, and of those with a cost of their own by path."""
        answer = self._public("/account/endpoint_costs", (), deadline)
        return _figure(answer, "", kalshi_rows.tariff)

    def closed(self, deadline: Deadline) -> str:
        """Return what the exchange says of being closed, "" while it trades."""
        try:
            answer = self._public("/exchange/status", (), deadline)
        except Broken as error:
            if error.status not in MAINTENANCE:
                raise
            return _figure(_despite(error), "", kalshi_rows.closed)
        return _figure(answer, "", kalshi_rows.closed)

    def cutoff(self, deadline: Deadline) -> str | None:
        """Return the instant, µs as text, before which fills are historical; None without any."""
        try:
            answer = self._public("/historical/cutoff", (), deadline)
        except Missing:
            return None
        return str(_figure(answer, "", lambda row: row.instant("trades_created_ts")))

    def markets(self, tickers: Collection[str], deadline: Deadline) -> Iterator[Batch]:
        """Yield the live rows of the tickers, a batch of answers that were received together."""
        yield from self._named("/markets", tickers, deadline)

    def historical_markets(self, tickers: Collection[str], deadline: Deadline) -> Iterator[Batch]:
        """Yield the rows of markets older than the cutoff; nothing from an older upstream."""
        with suppress(Missing):
            yield from self._named("/historical/markets", tickers, deadline)

    def series(self, event: str, deadline: Deadline) -> str:
        """Return the series of an event, "" when there is no such event."""
        try:
            answer = self._public(f"/events/{quote(event, safe='')}", (), deadline)
        except Missing:
            return ""
        return _figure(answer, "event", lambda row: row.text("series_ticker", ""))

    def settlement_value(self, ticker: str, now: int, deadline: Deadline) -> int | None:
        """Return what a market pays per YES, live or historical; None while nobody says.

        FieldError when the market's row cannot be read.
        """
        return self._values.of(ticker, now, partial(self._settlement_value, ticker, deadline))

    def _settlement_value(self, ticker: str, deadline: Deadline) -> int | None:
        for path in ("/markets/", "/historical/markets/"):
            try:
                answer = self._public(path + quote(ticker, safe=""), (), deadline)
            except Missing:
                continue
            return kalshi_rows.determined(_object(answer, "market"))
        return None

    def _named(self, path: str, tickers: Collection[str], deadline: Deadline) -> Iterator[Batch]:
        for some in _batches(sorted(tickers)):
            wanted = [("limit", LIMIT), ("tickers", ",".join(some))]

            def read(cursor: str, wanted: Params = wanted) -> Batch:
                params = [*wanted, ("cursor", cursor)] if cursor else wanted
                return batch(self._public(path, params, deadline), "markets", "cursor")

            for page in follow(read):
                yield replace(page, rows=[row for row in page.rows if _ticker(row) in some])

    def _public(self, path: str, params: Params, deadline: Deadline) -> Answer:
        try:
            return self._client.get(path, params, deadline=deadline, signed=self._sign_public)
        except Refused:
            if self._sign_public:
                raise
            self._sign_public = True  # described as public, but this host wants to know who asks
            return self._client.get(path, params, deadline=deadline)


def _despite(error: Broken) -> Answer:
    """Return the normal body an error came with; the error where it came with none."""
    try:
        return Answer(body.parse(error.body.encode()), 0)
    except body.BodyError:
        raise error from None


def _object(answer: Answer, member: str) -> Fields:
    found = answer.body
    if member and isinstance(found, dict):
        found = found.get(member)
    if not isinstance(found, dict):
        raise Broken(f"the answer holds no object «{member or 'body'}»", 200)
    return Fields(found)


def _figure(answer: Answer, member: str, read: Callable[[Fields], T]) -> T:
    try:
        return read(_object(answer, member))
    except FieldError as error:
        raise Broken(f"the answer cannot be used: {error}", 200) from error


def _ticker(row: object) -> object:
    return row.get("ticker") if isinstance(row, dict) else None


def _batches(tickers: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(tickers), AT_ONCE):
        yield tickers[start : start + AT_ONCE]
