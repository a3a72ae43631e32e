"""What Kalshi says an account came to: every position, its cash, what was paid in and out."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from functools import partial

from pipeline.sources import kalshi_pages, kalshi_rows
from pipeline.sources.client import Missing, Params
from pipeline.sources.fields import collect
from pipeline.sources.kalshi_exchange import (
    DEPOSITS,
    FILLS,
    HISTORICAL,
    OLD_POSITIONS,
    POSITIONS,
    SETTLEMENTS,
    WITHDRAWALS,
    Exchange,
    Listing,
)
from pipeline.sources.kalshi_rows import Balance, Report, Transfer
from pipeline.sources.paging import Batch, follow
from pipeline.sources.source import Deadline, Timepiece
from storage.facts import Page, Reject

PAGE_SECONDS = 20.0

Positions = Mapping[tuple[str, int], Report]
"""Reports by (ticker, subaccount), shards summed."""


class Statement:
    """One account as the exchange itself sums it up; for comparing, never for booking.

    Each page has 20 s. Everything raises SourceError when a list cannot be read to its end:
    half a statement would find differences that are none.
    """

    def __init__(self, exchange: Exchange, timepiece: Timepiece) -> None:
        """Ask through `exchange`."""
        self._exchange = exchange
        self._timepiece = timepiece

    def positions(self, subaccounts: Collection[int] = (0,)) -> tuple[Positions, list[Reject]]:
        """Return every market ever traded, unsettled, settled and archived, and unread rows."""
        found: dict[tuple[str, int], Report] = {}
        refused: list[Reject] = []
        for subaccount in sorted(subaccounts):
            for archived, status in ((True, ""), (False, "settled"), (False, "unsettled")):
                reports, rejects = self._reported(subaccount, status, archived=archived)
                found |= {(ticker, subaccount): each for ticker, each in reports.items()}
                refused += rejects
        return found, refused

    def fills(self) -> Iterator[Page]:
        """Yield every fill of the live list, page by page as they are told."""
        yield from self._listed(FILLS)

    def archive(self) -> Iterator[Page]:
        """Yield every fill of the historical list; Missing when there is none."""
        yield from self._listed(HISTORICAL)

    def settlements(self) -> Iterator[Page]:
        """Yield every settlement listed."""
        yield from self._listed(SETTLEMENTS)

    def balance(self, subaccount: int = 0) -> Balance:
        """Return cash and what positions are worth, nano-dollars; `at` is when it came, µs."""
        return self._exchange.balance(self._deadline(), subaccount)

    def transfers(self) -> tuple[list[Transfer], list[Reject]]:
        """Return every deposit (+) and withdrawal (−), oldest first, and unread rows."""
        came, refused = self._moved(DEPOSITS, 1)
        went, rejects = self._moved(WITHDRAWALS, -1)
        return sorted(came + went, key=lambda each: (each.created, each.id)), refused + rejects

    def as_of(self) -> int | None:
        """Return up to when the account's figures are known, µs by the exchange; None unsaid."""
        with suppress(Missing):
            return self._exchange.freshness(self._deadline())[0]
        return None

    def _reported(
        self, subaccount: int, status: str, *, archived: bool
    ) -> tuple[Mapping[str, Report], list[Reject]]:
        wanted = [("subaccount", str(subaccount))] if subaccount else []
        wanted += [("settlement_status", status)] if status else []
        settled = status != "unsettled"
        listing = OLD_POSITIONS if archived else POSITIONS
        try:
            pages = self._pages(listing, wanted)
        except Missing:
            if not archived:
                raise
            pages = []
        reports, page = kalshi_pages.reports(pages, settled=settled)
        return reports, list(page.rejects)

    def _listed(self, listing: Listing) -> Iterator[Page]:
        for batch in follow(self._exchange.reading(listing, self._deadline)):
            yield kalshi_pages.page(self._exchange, listing, batch, self._deadline())

    def _moved(self, listing: Listing, sign: int) -> tuple[list[Transfer], list[Reject]]:
        rows = [row for page in self._pages(listing, ()) for row in page.rows]
        read = partial(kalshi_rows.transfer, sign=sign)
        moved, rejects = collect(kalshi_pages.NAME, "id", rows, read)
        return list(moved), list(rejects)

    def _pages(self, listing: Listing, wanted: Params) -> list[Batch]:
        return list(follow(self._exchange.reading(listing, self._deadline, more=wanted)))

    def _deadline(self) -> Deadline:
        return Deadline.after(PAGE_SECONDS, self._timepiece.monotonic)
