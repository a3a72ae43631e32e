"""Trades: fills and settlements as transactions that beancount books by itself.

A position is one lot at its average cost; NO is a short lot of YES with a dollar of collateral a
contract. Each fill posts its own units, so beancount adds the inventory up. What reduces a lot
names no cost: beancount takes its own average, and a transaction that does not balance to half
a nano-dollar is an error. Beancount has no average booking, so two more transactions melt lots
into one, through an account that is empty after them; they only succeed when its units are ours.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ledger.book import Book, Key, Position, after, settled
from ledger.facts import Fill, Settlement
from ledger.money import NANO, notional, plain
from ledger.pnl import ordered
from pipeline.export.commodity import commodity
from pipeline.export.entry import Posting, dollars, named, opened, transaction, units

REALIZED = "Income:Kalshi:Realized"
FEES = "Expenses:Kalshi:Fees"
AVERAGING = "Equity:Kalshi:Averaging"


@dataclass(frozen=True, slots=True)
class _Step:
    """One move of a book: from one position to another, never through zero."""

    time: int
    key: Key
    narration: str
    before: Position
    after: Position
    about: dict[str, str]

    @property
    def count(self) -> int:
        """Signed 1/100 contracts that moved."""
        return self.after.count - self.before.count

    @property
    def fee(self) -> int:
        """What it cost in fees."""
        return self.after.fees - self.before.fees

    @property
    def realized(self) -> int:
        """What it realized."""
        return self.after.realized - self.before.realized

    @property
    def spent(self) -> int:
        """What was paid for YES, or got for it (−)."""
        return self.after.cost - self.before.cost - self.realized

    @property
    def collateral(self) -> int:
        """What more is locked for NO."""
        return _locked(self.after.count) - _locked(self.before.count)


class Trades:
    """The account's trades in the order of the fold; `book` is where they lead."""

    def __init__(self) -> None:
        """Begin with nothing held and no account open."""
        self.book = Book()
        self._opened: set[str] = set()
        self._keys: dict[str, list[Key]] = {}

    def entries(self, fills: Iterable[Fill], settlements: Iterable[Settlement]) -> Iterator[str]:
        """Yield the directives, streamed; fills come sorted by (time, fill_id)."""
        for event in ordered(fills, settlements, ()):
            if isinstance(event, Fill):
                yield from self._filled(event)
            elif isinstance(event, Settlement):
                yield from self._settled(event)

    def _filled(self, fill: Fill) -> Iterator[str]:
        key, narration = (fill.ticker, fill.subaccount), f"fill {fill.ticker}"
        if key not in self.book.positions:
            self._keys.setdefault(fill.ticker, []).append(key)
        before, _ = self.book.fill(fill)
        about = {"fill": fill.fill_id, "side": fill.side.value, "price": plain(fill.price)}
        middle = _closed(before, fill)
        for start, end in ((before, middle), (middle, after(middle, _rest(before, fill)))):
            if start.count != end.count:
                step = _Step(fill.time, key, narration, start, end, about)
                yield from self._moved(step)

    def _settled(self, settlement: Settlement) -> Iterator[str]:
        about = {"result": settlement.result, "value": plain(settlement.value)}
        narration = f"settlement {settlement.ticker}"
        for key in self._keys.get(settlement.ticker, ()):
            before = self.book.positions[key]
            if before.count and settlement.subaccount in (None, key[1]):
                end = settled(before, settlement.value)
                yield from self._moved(_Step(settlement.time, key, narration, before, end, about))
        self.book.settle(settlement)

    def _moved(self, step: _Step) -> Iterator[str]:
        yield from self._opening(step)
        yield transaction(step.time, step.narration, _postings(step), step.about)
        if step.after.count and (grown(step) or uneven(step)):
            yield from _melted(step)

    def _opening(self, step: _Step) -> Iterator[str]:
        name = commodity(step.key[0])
        if name not in self._opened:
            self._opened.add(name)
            yield named(step.time, name, step.key[0])
        for kind, booking in (("Positions", "STRICT"), ("Cash", ""), ("Collateral", "")):
            yield from self._first(step.time, held(kind, step.key[1]), booking)
        for account in (REALIZED, FEES, AVERAGING):
            yield from self._first(step.time, account)

    def _first(self, time: int, account: str, booking: str = "") -> Iterator[str]:
        if account not in self._opened:
            self._opened.add(account)
            yield opened(time, account, booking)


def held(kind: str, subaccount: int) -> str:
    """Return a subaccount's own account of a kind."""
    return f"Assets:Kalshi:Subaccount{subaccount}:{kind}"


def grown(step: _Step) -> bool:
    """Tell whether a lot was added to another."""
    return bool(step.before.count) and abs(step.after.count) > abs(step.before.count)


def uneven(step: _Step) -> bool:
    """Tell whether what is left of the lot had to be rounded to the nano."""
    return bool(step.before.cost * step.count % (step.before.count or 1))


def _closed(before: Position, fill: Fill) -> Position:
    """Return the position after the part of a fill that closes; it never passes zero."""
    if before.count * fill.signed >= 0 or abs(fill.signed) <= abs(before.count):
        return after(before, fill) if before.count * fill.signed < 0 else before
    flat = settled(before, fill.price)
    return Position(0, 0, flat.realized, before.fees + fill.fee)


def _rest(before: Position, fill: Fill) -> Fill:
    """Return the part of a fill that opens or adds; of count 0 when all of it closes."""
    if before.count * fill.signed >= 0:
        return fill
    return replace(fill, count=max(0, fill.count - abs(before.count)), fee=0)


def _locked(count: int) -> int:
    return notional(NANO, max(0, -count))


def _postings(step: _Step) -> Iterator[Posting]:
    name, subaccount = commodity(step.key[0]), step.key[1]
    grows = abs(step.after.count) > abs(step.before.count)
    basis = f"{{{{{dollars(abs(step.after.cost - step.before.cost))}}}}}" if grows else "{}"
    yield Posting(held("Positions", subaccount), f"{units(step.count, name)} {basis}")
    cash = -step.spent - step.fee - step.collateral
    yield Posting(held("Cash", subaccount), dollars(cash))
    if step.collateral:
        yield Posting(held("Collateral", subaccount), dollars(step.collateral))
    if step.fee:
        yield Posting(FEES, dollars(step.fee))
    if not grows:
        yield Posting(REALIZED, dollars(-step.realized))


def _melted(step: _Step) -> Iterator[str]:
    """Yield what makes the lots one at our cost: it fails unless beancount holds our units."""
    name, account = commodity(step.key[0]), held("Positions", step.key[1])
    count, cost, narration = step.after.count, step.after.cost, f"average {step.key[0]}"
    out = Posting(account, f"{units(-count, name)} {{}}")
    yield transaction(step.time, narration, [out, Posting(AVERAGING, dollars(cost))])
    lot = Posting(account, f"{units(count, name)} {{{{{dollars(abs(cost))}}}}}")
    yield transaction(step.time, narration, [lot, Posting(AVERAGING, dollars(-cost))])
