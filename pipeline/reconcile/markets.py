"""Markets: the exchange's row of each book held against what fills and settlements come to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ledger.book import Key
from ledger.difference import Difference, Kind, Unit, shown
from ledger.facts import Fill
from pipeline.reconcile.tally import MICRO, Tally
from pipeline.sources.kalshi_rows import Report


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read the lists of a book: its tally, without the fills taken for copies."""

    tally: Tally
    copies: tuple[Fill, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a book's row says: the reading it bears out, its cash, and what differs.

    `unlisted`: the row counts trades otherwise than every list does.
    """

    reading: Reading
    cash: int
    differences: tuple[Difference, ...] = ()
    unlisted: bool = False

    def cut(self, dust: int) -> "Verdict":
        """Return it with what a settlement cut of trades that are in no list."""
        (whole,) = self.differences
        theirs, amount = self.cash - dust, whole.amount - dust
        told = replace(whole, theirs=shown(theirs, Unit.USD), amount=amount)
        return replace(self, cash=theirs, differences=(told,))


@dataclass(frozen=True, slots=True)
class _Figure:
    name: str
    ours: int
    theirs: int
    unit: Unit


def agrees(tally: Tally, report: Report | None) -> bool:
    """Tell whether a row says what the tally comes to."""
    return not _differing(tally, report or _nothing(""))


def judged(
    key: Key, readings: Sequence[Reading], report: Report | None, *, netted: bool
) -> Verdict:
    """Return the reading that the row bears out best, and in what it does not.

    A row that counts what was traded otherwise than every list is one difference, named by the
    cash it is about; else each figure is one of its own.
    """
    row = report or _nothing(key[0])
    reading = min(readings, key=lambda each: len(_differing(each.tally, row)))
    tally, figures = reading.tally, _differing(reading.tally, row)
    touched = max(tally.last, row.updated)
    if not any(figure.name == "traded" for figure in figures):
        found = tuple(
            Difference(
                f"{figure.name} {named(key)}",
                shown(figure.ours, figure.unit),
                shown(figure.theirs, figure.unit),
                figure.theirs - figure.ours,
                figure.unit,
                Kind.CHANGED,
                touched,
            )
            for figure in figures
        )
        return Verdict(reading, cash(tally, settled=row.settled, netted=netted), found)
    theirs, ours = (
        reported_cash(row, netted=netted),
        cash(tally, settled=row.settled, netted=netted),
    )
    kind = Kind.MISSING if row.traded > tally.traded else Kind.EXTRA
    whole = Difference(
        f"trades {named(key)}",
        shown(ours, Unit.USD) if tally.traded else "",
        shown(theirs, Unit.USD) if row.traded else "",
        theirs - ours,
        Unit.USD,
        kind,
        touched,
    )
    return Verdict(reading, theirs, (whole,), unlisted=True)


def cash(tally: Tally, *, settled: bool, netted: bool) -> int:
    """Return what the account's cash gained by a book; pairs that are kept are not paid yet."""
    return tally.cash - (0 if netted or settled else tally.pairs)


def reported_cash(report: Report, *, netted: bool) -> int:
    """Return what the account's cash gained by a book, by the row alone."""
    if netted or report.settled:
        return report.realized - report.exposure - report.fees
    return -report.traded - report.fees


def named(key: Key) -> str:
    """Return how a book is named."""
    return f"{key[0]} subaccount {key[1]}" if key[1] else key[0]


def _differing(tally: Tally, report: Report) -> list[_Figure]:
    held = tally.position
    figures = (
        _Figure("position", held.count, report.position, Unit.CONTRACTS),
        _Figure("fees", held.fees, report.fees, Unit.USD),
        _Figure("traded", tally.traded, report.traded, Unit.USD),
    )
    found = [figure for figure in figures if not _same(figure)]
    return found if _realizes(tally, report) else [*found, _realized(tally, report)]


def _same(figure: _Figure) -> bool:
    """Compare at the precision of the exchange: six decimals, rounded half to even."""
    if figure.unit is Unit.CONTRACTS:
        return figure.ours == figure.theirs
    return abs(figure.ours - figure.theirs) <= MICRO // 2


def _realizes(tally: Tally, report: Report) -> bool:
    """Compare realized, allowing a micro-dollar for each close that had to be rounded.

    A settlement may be realized as the formula says or as it was paid, in whole cents.
    """
    room = MICRO // 2 + tally.rounded * MICRO
    realized = tally.position.realized
    return any(abs(each - report.realized) <= room for each in (realized, realized - tally.dust))


def _realized(tally: Tally, report: Report) -> _Figure:
    return _Figure("realized", tally.position.realized, report.realized, Unit.USD)


def _nothing(ticker: str) -> Report:
    return Report(ticker, 0, 0, 0)
