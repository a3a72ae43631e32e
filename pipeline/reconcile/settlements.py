"""Settlements: which markets ended and at what, and what each row says beside that."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ledger.difference import Difference, Kind, Unit, shown
from ledger.facts import Settlement
from ledger.money import CENT, NANO, notional, plain
from pipeline.reconcile.netting import Legs
from pipeline.reconcile.tally import MICRO, Tally, payout

REVENUE = "revenue"
"""The figure that may have been credited although it is not the formula's."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One settlement as we have it and as they list it."""

    ours: Settlement | None
    theirs: Settlement | None

    @property
    def differs(self) -> bool:
        """Whether one side lacks it or values it otherwise."""
        return self.ours is None or self.theirs is None or self.ours.value != self.theirs.value

    @property
    def ticker(self) -> str:
        """The market that ended."""
        return next(each.ticker for each in (self.theirs, self.ours) if each is not None)


@dataclass(frozen=True, slots=True)
class Books:
    """The books of a market: those that are known, and those that count trades in no list.

    `nets` and `hidden` say whether each of them nets YES with NO, None where nobody shows it.
    """

    known: Sequence[Tally]
    nets: Sequence[bool | None]
    hidden: Sequence[bool | None] = ()

    def legs(self, row: Settlement) -> list[Legs]:
        """Return the legs of every book as the row counts them; [] when that cannot be told."""
        known = [
            Legs(book.yes, book.no, nets) for book, nets in zip(self.known, self.nets, strict=True)
        ]
        if not self.hidden:
            return known
        return (
            [*known, Legs(*_rest(row, self.known), self.hidden[0])] if not self.hidden[1:] else []
        )


@dataclass(frozen=True, slots=True)
class _Figure:
    name: str
    ours: int
    theirs: int
    unit: Unit = Unit.USD


def paired(ours: Iterable[Settlement], theirs: Iterable[Settlement]) -> list[Pair]:
    """Return both lists side by side, by what identifies a settlement."""
    known = {each.identity: each for each in ours}
    listed = {each.identity: each for each in theirs}
    return [Pair(known.get(name), listed.get(name)) for name in {**listed, **known}]


def listed(pair: Pair, books: Sequence[Tally]) -> Iterator[Difference]:
    """Yield a settlement that is missing, extra or of another value, by what it pays."""
    if not pair.differs:
        return
    ours, theirs = (
        None if end is None else sum(_paid(book, end.value) for book in books)
        for end in (pair.ours, pair.theirs)
    )
    kind = Kind.CHANGED
    if pair.ours is None or pair.theirs is None:
        kind = Kind.MISSING if pair.ours is None else Kind.EXTRA
    yield Difference(
        f"settlement {pair.ticker}",
        _text(pair.ours),
        _text(pair.theirs),
        (theirs or 0) - (ours or 0),
        Unit.USD,
        kind,
        max(each.time for each in (pair.ours, pair.theirs) if each is not None),
    )


def figures(pair: Pair, books: Books) -> Iterator[Difference]:
    """Yield where their row's legs, fees, revenue or net are not what its books come to.

    Where trades are in no list only the row's own revenue is checked, as far as it can be told
    which book they belong to.
    """
    row = pair.theirs
    if row is None:
        return
    found = [] if books.hidden else [*_legs(row, books.known), *_fee(row, books.known)]
    yield from found
    wanted = [
        revenue
        for end in (pair.theirs, pair.ours)
        for revenue in (_revenues(row, books, end.value) if end else ())
    ]
    if wanted and row.revenue not in wanted:
        yield _changed(row, _Figure(REVENUE, wanted[0], row.revenue))
    elif not (found or books.hidden or pair.differs):
        ours, theirs = sum(book.net for book in books.known), _net(row)
        if abs(ours - theirs) > _room(books.known):
            yield _changed(row, _Figure("net", ours, theirs))


def dust(row: Settlement, known: Sequence[Tally]) -> int:
    """Return what was cut to the cent of the one book of a market that is not known."""
    yes, no = _rest(row, known)
    return payout(yes - no, row.value) % CENT


def _rest(row: Settlement, known: Sequence[Tally]) -> tuple[int, int]:
    """Return the row's legs without those of the books that are known."""
    yes, no = (sum(getattr(book, leg) for book in known) for leg in ("yes", "no"))
    return row.yes_count - yes, row.no_count - no


def _legs(row: Settlement, books: Sequence[Tally]) -> Iterator[Difference]:
    for side, count, cost in (
        ("yes", row.yes_count, row.yes_cost),
        ("no", row.no_count, row.no_cost),
    ):
        held = sum(getattr(book, side) for book in books)
        paid = sum(getattr(book, f"{side}_cost") for book in books)
        same_cost = abs(cost - paid) <= MICRO // 2
        if count != held and not same_cost:
            kind = Kind.MISSING if count > held else Kind.EXTRA
            yield _changed(row, _Figure(f"{side} trades", -paid, -cost), kind)
        elif count != held:
            yield _changed(row, _Figure(f"{side} count", held, count, Unit.CONTRACTS))
        elif not same_cost:
            yield _changed(row, _Figure(f"{side} cost", paid, cost))


def _fee(row: Settlement, books: Sequence[Tally]) -> Iterator[Difference]:
    fees = sum(book.position.fees for book in books)
    if abs(fees - row.fee) > MICRO // 2:
        yield _changed(row, _Figure("fee", fees, row.fee))


def _revenues(row: Settlement, books: Books, value: int) -> list[int]:
    """Return the revenues the formula allows: the net position's payout, floored to the cent.

    A book that does not net is paid both legs in full.
    """
    legs = books.legs(row)
    if not legs:
        return []
    paid = sum(_floored(payout(each.net, value)) for each in legs)
    paid += sum(each.pairs for each in legs if each.nets is False)
    return [paid, paid + sum(each.pairs for each in legs if each.nets is None)]


def _net(row: Settlement) -> int:
    """Return the row's net P&L: payout of both legs − costs − fee."""
    paid = notional(row.value, row.yes_count) + notional(NANO - row.value, row.no_count)
    return paid - row.yes_cost - row.no_cost - row.fee


def _room(books: Sequence[Tally]) -> int:
    """Return what six decimals each of two costs and a fee may round away."""
    return 2 * MICRO * max(1, len(books))


def _paid(book: Tally, value: int) -> int:
    return _floored(payout(book.yes - book.no, value))


def _floored(amount: int) -> int:
    return amount - amount % CENT


def _text(settlement: Settlement | None) -> str:
    return "" if settlement is None else f"{settlement.result} at {plain(settlement.value)}"


def _changed(row: Settlement, figure: _Figure, kind: Kind = Kind.CHANGED) -> Difference:
    subject = f"settlement {row.ticker} {figure.name}"
    ours, theirs, unit = figure.ours, figure.theirs, figure.unit
    amounts = shown(ours, unit), shown(theirs, unit)
    return Difference(subject, *amounts, theirs - ours, unit, kind, row.time)
