"""Comparison: a whole trading account held against the exchange's own lists, rows and cash."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, combinations
from typing import TypeVar

from ledger.book import Key
from ledger.difference import Difference, Kind, Unit, shown
from ledger.facts import Fill, Settlement
from ledger.money import CENT
from pipeline.reconcile import cash, fills, markets, settlements
from pipeline.reconcile.fills import Stray
from pipeline.reconcile.markets import Reading, Verdict
from pipeline.reconcile.netting import Netting
from pipeline.reconcile.settlements import Books, Pair
from pipeline.reconcile.tally import Tally, tallied
from pipeline.sources.kalshi_rows import Report, Transfer

T = TypeVar("T")

MOST = 6
"""Strays or copies of one book that are tried in every combination; beyond, all or none."""

_EMPTY = Tally()


@dataclass(frozen=True, slots=True)
class Ours:
    """What we hold: a tally a book, and the fills of a ticker in the order of the fold."""

    tallies: Mapping[Key, Tally]
    settlements: Sequence[Settlement]
    fills: Callable[[str], Iterable[Fill]]


@dataclass(frozen=True, slots=True)
class Theirs:
    """What the exchange says; `balance` is over `parts` subaccounts."""

    strays: Sequence[Stray]
    settlements: Sequence[Settlement]
    positions: Mapping[Key, Report]
    balance: int
    parts: int
    transfers: Sequence[Transfer]


class Comparison:
    """One account against itself as the exchange tells it."""

    def __init__(self, ours: Ours, theirs: Theirs) -> None:
        """Compare nothing yet."""
        self._ours = ours
        self._theirs = theirs
        self._strays: dict[Key, list[Stray]] = {}
        for stray in theirs.strays:
            key = stray.fill.ticker, stray.fill.subaccount
            self._strays.setdefault(key, []).append(stray)
        self._pairs = settlements.paired(ours.settlements, theirs.settlements)
        self._ends: dict[str, list[Pair]] = {}
        for pair in self._pairs:
            self._ends.setdefault(pair.ticker, []).append(pair)
        self._keys = sorted({*ours.tallies, *theirs.positions, *self._strays})
        self._by_ticker: dict[str, list[Key]] = {}
        for key in self._keys:
            self._by_ticker.setdefault(key[0], []).append(key)
        self._netting = Netting()

    @property
    def checked(self) -> int:
        """How many books and settlements were compared."""
        return len(self._keys) + len(self._pairs)

    def differences(self) -> list[Difference]:
        """Return every difference: fills, books, settlements, cash."""
        readings = {key: self._readings(key) for key in self._keys}
        for key in self._keys:
            self._learn(key, readings[key])
        verdicts = self._cut({key: self._judged(key, readings[key]) for key in self._keys})
        found = [each for key in self._keys for each in self._book(key, verdicts[key])]
        rows = [each for pair in self._pairs for each in self._settled(pair, verdicts)]
        return [*found, *rows, *self._unexplained(verdicts, rows)]

    def _readings(self, key: Key) -> list[Reading]:
        """Return the ways to read a book: one where nothing is in dispute, ours first."""
        report, strays = self._theirs.positions.get(key), self._strays.get(key, [])
        tally = self._ours.tallies.get(key, _EMPTY)
        if not strays and not self._disputed(key) and markets.agrees(tally, report):
            return [Reading(tally)]
        readings = self._taking(key, strays)
        if report is not None and not _borne_out(readings, report):
            readings += self._without_copies(key, strays)
        return readings

    def _learn(self, key: Key, readings: Sequence[Reading]) -> None:
        report = self._theirs.positions.get(key)
        if report is not None:
            tallies = [reading.tally for reading in _borne_out(readings, report)]
            self._netting.learn(key[1], tallies, report)

    def _judged(self, key: Key, readings: Sequence[Reading]) -> Verdict:
        report = self._theirs.positions.get(key)
        if report is None:
            return self._unreported(key, readings[-1], settled=bool(self._ends.get(key[0])))
        return markets.judged(key, readings, report, netted=self._netting(key[1]))

    def _unreported(self, key: Key, reading: Reading, *, settled: bool) -> Verdict:
        """Judge a book that is in no row: a settled one is shown by its settlement."""
        worth = self._cash_of(key, reading.tally)
        if settled or reading.tally == _EMPTY:
            return Verdict(reading, worth)
        ours, touched = shown(worth, Unit.USD), reading.tally.last
        subject = f"trades {markets.named(key)}"
        extra = Difference(subject, ours, "", -worth, Unit.USD, Kind.EXTRA, touched)
        return Verdict(reading, 0, (extra,))

    def _taking(self, key: Key, strays: Sequence[Stray]) -> list[Reading]:
        """Return every way to take the strays and a disputed settlement; ours first."""
        own = self._own(key)
        moving = [stray for stray in strays if stray.kind is not Kind.DUPLICATE]
        return [
            Reading(_folded(key, fills.applied(own, chosen), ends))
            for ends in self._endings(key)
            for chosen in _subsets(moving)
        ]

    def _without_copies(self, key: Key, strays: Sequence[Stray]) -> list[Reading]:
        told = fills.applied(self._own(key), strays)
        return [
            Reading(_folded(key, [fill for fill in told if fill not in copies], ends), copies)
            for ends in self._endings(key)
            for copies in _subsets(fills.twins(told))
            if copies
        ]

    def _own(self, key: Key) -> list[Fill]:
        return [fill for fill in self._ours.fills(key[0]) if fill.subaccount == key[1]]

    def _disputed(self, key: Key) -> bool:
        return any(pair.differs for pair in self._ends.get(key[0], ()))

    def _endings(self, key: Key) -> list[list[Settlement]]:
        pairs = self._ends.get(key[0], [])
        ours = [pair.ours for pair in pairs if pair.ours is not None]
        theirs = [pair.theirs for pair in pairs if pair.theirs is not None]
        return [ours, theirs] if self._disputed(key) else [ours]

    def _cash_of(self, key: Key, tally: Tally) -> int:
        settled = bool(self._ends.get(key[0]))
        return markets.cash(tally, settled=settled, netted=self._netting(key[1]))

    def _worth(self, key: Key, own: Iterable[Fill]) -> int:
        return self._cash_of(key, _folded(key, own, self._endings(key)[0]))

    def _book(self, key: Key, verdict: Verdict) -> Iterator[Difference]:
        strays, copies = self._strays.get(key, ()), verdict.reading.copies
        if strays or copies:
            yield from self._named(key, strays, copies)
        yield from verdict.differences

    def _named(
        self, key: Key, strays: Sequence[Stray], copies: Sequence[Fill]
    ) -> Iterator[Difference]:
        """Yield fills by their ids, each with the cash that it moves after those before it."""
        own, worth = self._own(key), partial(self._worth, key)
        yield from fills.differences(own, strays, worth)
        told = fills.applied(own, strays)
        for copy in copies:
            rest = [fill for fill in told if fill is not copy]
            yield fills.copied(copy, worth(told) - worth(rest))
            told = rest

    def _cut(self, verdicts: dict[Key, Verdict]) -> dict[Key, Verdict]:
        """Take off what a settlement cut to the cent where one book has trades in no list."""
        for pair in self._pairs:
            hidden = [key for key in self._of(pair) if verdicts[key].unlisted]
            if pair.theirs is not None and len(hidden) == 1:
                known = self._books(pair, verdicts).known
                dust = settlements.dust(pair.theirs, known)
                verdicts[hidden[0]] = verdicts[hidden[0]].cut(dust)
        return verdicts

    def _of(self, pair: Pair) -> list[Key]:
        """Return the books that a settlement ends."""
        end = pair.theirs or pair.ours
        keys = self._by_ticker.get(pair.ticker, ())
        return [key for key in keys if end and end.subaccount in (None, key[1])]

    def _books(self, pair: Pair, verdicts: Mapping[Key, Verdict]) -> Books:
        mine = {key: verdicts[key] for key in self._of(pair)}
        return Books(
            [verdict.reading.tally for verdict in mine.values() if not verdict.unlisted],
            [self._netting.of(key[1]) for key in mine if not mine[key].unlisted],
            [self._netting.of(key[1]) for key in mine if mine[key].unlisted],
        )

    def _settled(self, pair: Pair, verdicts: Mapping[Key, Verdict]) -> Iterator[Difference]:
        tallies = [verdicts[key].reading.tally for key in self._of(pair)]
        yield from settlements.listed(pair, tallies)
        yield from settlements.figures(pair, self._books(pair, verdicts))

    def _unexplained(
        self, verdicts: Mapping[Key, Verdict], rows: Iterable[Difference]
    ) -> list[Difference]:
        moved, fees = cash.transferred(self._theirs.transfers)
        expected = moved + sum(verdict.cash for verdict in verdicts.values())
        credited = sum(
            row.amount for row in rows if row.subject.endswith(f" {settlements.REVENUE}")
        )
        touched = max(
            chain(
                (tally.last for tally in self._ours.tallies.values()),
                (stray.fill.time for stray in self._theirs.strays),
                (report.updated for report in self._theirs.positions.values()),
                (each.finalized or each.created for each in self._theirs.transfers),
            ),
            default=0,
        )
        hidden = [len(self._books(pair, verdicts).hidden) for pair in self._pairs]
        room = CENT * sum(count for count in hidden if count > 1)
        balance = cash.Balance(self._theirs.balance, self._theirs.parts, touched, room)
        return cash.differences(balance, expected, (credited, -fees))


def _borne_out(readings: Iterable[Reading], report: Report) -> list[Reading]:
    return [reading for reading in readings if markets.agrees(reading.tally, report)]


def _folded(key: Key, own: Iterable[Fill], ends: Iterable[Settlement]) -> Tally:
    return tallied(own, ends).get(key, _EMPTY)


def _subsets(items: Sequence[T]) -> list[tuple[T, ...]]:
    if len(items) > MOST:
        return [(), tuple(items)]
    sizes = range(len(items) + 1)
    return list(chain.from_iterable(combinations(items, size) for size in sizes))
