"""The exchange: its lists and rows read to their end, then compared with what we hold."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ledger.difference import Difference
from ledger.facts import Fill, Settlement
from pipeline.fetch import EXCHANGE
from pipeline.reconcile import window
from pipeline.reconcile.comparison import Comparison, Ours, Theirs
from pipeline.reconcile.fills import Roll
from pipeline.reconcile.tally import tallied
from pipeline.sources.failure import Missing
from pipeline.sources.kalshi_rows import Balance, Report, Transfer
from storage.facts import Facts, Page, Reject
from storage.trades import latest

Pause = Callable[[], None]
"""Waits between two pages, so that polls keep their budget; raises to end the run."""

EVER = 0


class Statement(Protocol):
    """What the exchange says an account came to; everything raises SourceError."""

    def fills(self) -> Iterator[Page]:
        """Yield every fill of the live list."""
        ...

    def archive(self) -> Iterator[Page]:
        """Yield every fill of the historical list; Missing when there is none."""
        ...

    def settlements(self) -> Iterator[Page]:
        """Yield every settlement."""
        ...

    def positions(
        self, subaccounts: Collection[int]
    ) -> tuple[Mapping[tuple[str, int], Report], list[Reject]]:
        """Return every market ever traded, and rows that cannot be read."""
        ...

    def balance(self, subaccount: int) -> Balance:
        """Return a subaccount's cash."""
        ...

    def transfers(self) -> tuple[list[Transfer], list[Reject]]:
        """Return deposits and withdrawals, and rows that cannot be read."""
        ...

    def as_of(self) -> int | None:
        """Return up to when the account is known; None unsaid."""
        ...


@runtime_checkable
class Stated(Protocol):
    """A source of trades with a statement of its own."""

    @property
    def statement(self) -> Statement:
        """Return what the exchange says."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a comparison found before the window judged it; `unread` rows could not be used."""

    checked: int
    differences: list[Difference]
    horizon: int
    unread: int = 0


def compared(
    statement: Statement,
    facts: Facts,
    known: Callable[[Collection[str]], Mapping[str, Fill]],
    now: int,
    pause: Pause,
) -> Outcome:
    """Read their side whole, then ours, and compare; SourceError when theirs breaks off.

    Theirs first: what arrives between the two reads is newer than the horizon.
    """
    read = facts.cursor(EXCHANGE).get("as_of")
    horizon = window.horizon(now, statement.as_of(), int(read) if read else None)
    unread, roll = 0, Roll(known)
    for page in _listed(statement, pause):
        roll.take([fact for fact in page.facts if isinstance(fact, Fill)])
        unread += len(page.rejects)
    since, rejects = _archived(statement, roll, pause)
    ends, refused = _settlements(statement, pause)
    mine = facts.settlements()
    tallies = tallied(roll.through(facts.fills(), since), mine)
    subaccounts = sorted({0} | {key[1] for key in tallies})
    positions: dict[tuple[str, int], Report] = {}
    rows: list[Reject] = []
    balance = 0
    for subaccount in subaccounts:
        reports, refusals = statement.positions([subaccount])
        positions |= reports
        rows += refusals
        pause()
        balance += statement.balance(subaccount).cash
    transfers, lines = statement.transfers()
    ours = Ours(tallies, mine, lambda ticker: facts.fills(ticker=ticker))
    theirs = Theirs(roll.strays, ends, positions, balance, len(subaccounts), transfers)
    comparison = Comparison(ours, theirs)
    found = comparison.differences()
    unread += rejects + refused + len(rows) + len(lines)
    return Outcome(comparison.checked + roll.count, found, horizon, unread)


def _listed(statement: Statement, pause: Pause) -> Iterator[Page]:
    yield from _paused(statement.fills(), pause)


def _archived(statement: Statement, roll: Roll, pause: Pause) -> tuple[int, int]:
    """Read the archive; return since when a fill of ours must be listed, and unread rows.

    Without an archive nobody lists what is older than the live list.
    """
    unread, oldest = 0, roll.oldest
    try:
        for page in _paused(statement.archive(), pause):
            roll.take([fact for fact in page.facts if isinstance(fact, Fill)])
            unread += len(page.rejects)
    except Missing:
        return oldest or EVER, unread
    return EVER, unread


def _settlements(statement: Statement, pause: Pause) -> tuple[list[Settlement], int]:
    found: list[Settlement] = []
    unread = 0
    for page in _paused(statement.settlements(), pause):
        found += [fact for fact in page.facts if isinstance(fact, Settlement)]
        unread += len(page.rejects)
    return list(latest(found).values()), unread


def _paused(pages: Iterable[Page], pause: Pause) -> Iterator[Page]:
    for page in pages:
        yield page
        pause()
