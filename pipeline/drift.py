"""Drift: where the exchange's own positions differ from the book, its fills are read again."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ledger.book import Book, Key, Position
from ledger.facts import Market
from ledger.moment import MICROS, MINUTE, Clock
from pipeline.sources.source import Deadline
from storage.facts import Page

Gap = tuple[int, int]
"""A count in 1/100 contracts, and fees in nano-dollars."""

Which = tuple[int, str]
"""A list of positions: its subaccount, and the settlement status of its markets."""

UNSETTLED = "unsettled"
"""The status of the list that must name every open market."""

PATIENCE = 30 * MICROS
"""How long a market that trades all the time may differ before that is no lag any more."""

AT_ONCE = 12
"""Markets read again together: what one poll's time and tokens are enough for."""


class Report(Protocol):
    """One market of one subaccount as the exchange reports it: 1/100 contracts, nano-dollars."""

    @property
    def position(self) -> int:
        """Return the signed count, + YES."""
        ...

    @property
    def fees(self) -> int:
        """Return the fees paid over the market's life."""
        ...

    @property
    def settled(self) -> bool:
        """Whether the market has ended: then nothing is held, whatever its row still says."""
        ...


class Listed(Protocol):
    """One list of positions, read to its end."""

    @property
    def reports(self) -> Mapping[str, Report]:
        """Return the rows by their market."""
        ...

    @property
    def known(self) -> int:
        """Return up to which instant (µs, our clock) the rows know of fills."""
        ...


@runtime_checkable
class Accountable(Protocol):
    """A source that reports positions of its own and can read a market's fills again."""

    @property
    def positions(self) -> Mapping[Which, Listed]:
        """Return every list of positions as it was read last."""
        ...

    def know(self, subaccounts: Collection[int]) -> None:
        """Take note of subaccounts that have traded: their positions are to be listed too."""
        ...

    def recall(self, markets: Mapping[str, Market]) -> None:
        """Take what is known of the markets, so that it is not asked for again."""
        ...

    def reread(self, tickers: Collection[str], deadline: Deadline) -> Iterator[Page]:
        """Yield every fill of these markets, historical included."""
        ...


@dataclass(frozen=True, slots=True)
class _Apart:
    gap: Gap
    since: int


class Drift:
    """Which markets differ, each read again at most once a minute, never asked before asked.

    A book that changed after what a list knows of is ahead of it: that is lag, no drift, unless
    it differs by as much as the time before, or for longer than lag lasts.
    """

    def __init__(self, clock: Clock) -> None:
        """Begin with nothing read again yet."""
        self._clock = clock
        self._asked: dict[str, int] = {}
        self._figures: dict[Key, Gap] = {}
        self._changed: dict[Key, int] = {}
        self._apart: dict[Which, dict[Key, _Apart]] = {}
        self._compared: dict[Which, int] = {}
        self._wanted: dict[Which, set[str]] = {}
        self._left: list[str] = []

    def due(self, source: Accountable, book: Book) -> list[str]:
        """Return the markets to read again now; call it where the book is not changing."""
        source.know({key[1] for key in book.positions})
        self._watch(book)
        for which, listed in source.positions.items():
            if self._compared.get(which) != listed.known:
                self._compared[which] = listed.known
                self._wanted[which] = self._drifted(which, listed, book)
        return self._next()

    def _watch(self, book: Book) -> None:
        """Take note of when each book's figures changed; at the start all are as they were."""
        now = self._clock() if self._compared else 0
        figures = {key: _figures(held) for key, held in book.positions.items()}
        self._changed |= {
            key: now for key, each in figures.items() if self._figures.get(key) != each
        }
        self._figures = figures

    def _drifted(self, which: Which, listed: Listed, book: Book) -> set[str]:
        before, now = self._apart.get(which, {}), gaps(which, listed.reports, book)
        self._apart[which] = {
            key: _Apart(gap, before[key].since if key in before else listed.known)
            for key, gap in now.items()
        }
        return {key[0] for key in now if not self._excused(which, key, listed.known, before)}

    def _excused(self, which: Which, key: Key, known: int, before: Mapping[Key, _Apart]) -> bool:
        apart, last = self._apart[which][key], before.get(key)
        if self._changed.get(key, 0) < known or known - apart.since >= PATIENCE:
            return False
        return last is None or last.gap != apart.gap

    def again(
        self, source: Accountable, tickers: Collection[str], deadline: Deadline
    ) -> Iterator[Page]:
        """Yield every fill of these markets; those that were not reached are due at once."""
        self._left = list(tickers) + self._left
        for ticker in tickers:
            # What breaks off is tried after the others the next time.
            self._left = [*self._left[1:], ticker]
            yield from source.reread([ticker], deadline)
            self._left.remove(ticker)

    def _next(self) -> list[str]:
        """Return a few of the markets that differ, first those that were not reached."""
        now, left = self._clock(), self._left
        self._asked = {name: at for name, at in self._asked.items() if now - at < MINUTE}
        wanted = {name for names in self._wanted.values() for name in names}
        due = [*left, *sorted(wanted - self._asked.keys() - set(left))][:AT_ONCE]
        self._left = [name for name in left if name not in due]
        self._wanted = {which: names - set(due) for which, names in self._wanted.items()}
        self._asked |= dict.fromkeys(due, now)
        return due


def astray(reports: Mapping[str, Report], book: Book) -> set[str]:
    """Return the markets whose reported position or fees, of subaccount 0, are not the book's."""
    return {key[0] for key in _apart(0, reports, book)}


def gaps(which: Which, reports: Mapping[str, Report], book: Book) -> dict[Key, Gap]:
    """Return by how much a list differs; an open market that none of the unsettled is, is one."""
    subaccount, status = which
    names = book.held() - reports.keys() if status == UNSETTLED else ()
    held = {(name, subaccount): book.positions.get((name, subaccount)) for name in names}
    unknown = {key: _figures(each) for key, each in held.items() if each and each.count}
    return unknown | _apart(subaccount, reports, book)


def _apart(subaccount: int, reports: Mapping[str, Report], book: Book) -> dict[Key, Gap]:
    keys = {(name, subaccount): each for name, each in reports.items()}
    found = {key: _gap(each, book.positions.get(key)) for key, each in keys.items()}
    return {key: gap for key, gap in found.items() if gap != (0, 0)}


def _gap(report: Report, position: Position | None) -> Gap:
    count, fees = _figures(position)
    return count - (0 if report.settled else report.position), fees - report.fees


def _figures(position: Position | None) -> Gap:
    return (position.count, position.fees) if position else (0, 0)
