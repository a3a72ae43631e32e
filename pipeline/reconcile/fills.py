"""Fills: both lists held against each other, and what each stray one is worth in cash."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ledger.difference import Difference, Kind, Unit
from ledger.facts import Fill
from ledger.money import plain, quantity

CONTENT = ("ticker", "subaccount", "side", "count", "price", "fee")
"""What makes two fills of one id the same; the time of a stream's fill is replaced by REST's."""

Known = Callable[[Collection[str]], Mapping[str, Fill]]
"""Returns those of our fills that have these ids."""


@dataclass(frozen=True, slots=True)
class Stray:
    """A fill on which the lists do not agree, or which theirs holds twice."""

    kind: Kind
    ours: Fill | None
    theirs: Fill | None

    @property
    def fill(self) -> Fill:
        """The fill itself, as they tell it where they do."""
        found = self.theirs or self.ours
        assert found is not None  # noqa: S101  # nosec B101  # one side has it
        return found


class Roll:
    """Their whole list as it goes by: which ids it held, and where it strays from ours."""

    def __init__(self, known: Known) -> None:
        """Begin with nothing read; `known` looks our fills up."""
        self._known = known
        self._seen: set[int] = set()
        self.strays: list[Stray] = []
        self.oldest: int | None = None

    def take(self, fills: Sequence[Fill]) -> None:
        """Compare one page of their list.

        Only within a page is a repeated row a duplicate: between pages a list that grows while
        it is read repeats rows.
        """
        ours = self._known([fill.fill_id for fill in fills])
        page: set[str] = set()
        for fill in fills:
            if fill.fill_id in page:
                self.strays.append(Stray(Kind.DUPLICATE, ours.get(fill.fill_id), fill))
            elif hash(fill.fill_id) not in self._seen:
                self._compare(ours.get(fill.fill_id), fill)
            page.add(fill.fill_id)
            self._seen.add(hash(fill.fill_id))
            self.oldest = min(fill.time, self.oldest or fill.time)

    def _compare(self, ours: Fill | None, theirs: Fill) -> None:
        if ours is None:
            self.strays.append(Stray(Kind.MISSING, None, theirs))
        elif any(getattr(ours, name) != getattr(theirs, name) for name in CONTENT):
            self.strays.append(Stray(Kind.CHANGED, ours, theirs))

    @property
    def count(self) -> int:
        """How many fills were listed."""
        return len(self._seen)

    def through(self, ours: Iterable[Fill], since: int) -> Iterator[Fill]:
        """Yield our fills as they are, noting those from `since` on that were not listed."""
        for fill in ours:
            if fill.time >= since and hash(fill.fill_id) not in self._seen:
                self.strays.append(Stray(Kind.EXTRA, fill, None))
            yield fill


def applied(fills: Iterable[Fill], strays: Iterable[Stray]) -> list[Fill]:
    """Return our fills of a book as these strays would have them, in the order of the fold."""
    by_id = {fill.fill_id: fill for fill in fills}
    for stray in strays:
        if stray.ours is not None:
            by_id.pop(stray.ours.fill_id, None)
        if stray.theirs is not None:
            by_id[stray.theirs.fill_id] = stray.theirs
    return sorted(by_id.values(), key=lambda fill: (fill.time, fill.fill_id))


def twins(fills: Iterable[Fill]) -> list[Fill]:
    """Return the fills that are like an earlier one in all but their id."""
    seen: set[tuple[object, ...]] = set()
    found = []
    for fill in sorted(fills, key=lambda fill: (fill.time, fill.fill_id)):
        content = (fill.time, fill.order_id, *(getattr(fill, name) for name in CONTENT))
        found += [fill] if content in seen else []
        seen.add(content)
    return found


def differences(
    ours: Sequence[Fill], strays: Sequence[Stray], worth: Callable[[Sequence[Fill]], int]
) -> Iterator[Difference]:
    """Yield a book's strays, each with the cash it moves; they sum to what the lists differ by.

    `worth` returns what the cash gained by some fills of the book.
    """
    cash = worth(ours)
    for count, stray in enumerate(strays, 1):
        if stray.kind is Kind.DUPLICATE:
            yield _difference(stray, 1, Unit.COUNT)
            continue
        now = worth(applied(ours, strays[:count]))
        yield _difference(stray, now - cash, Unit.USD)
        cash = now


def copied(fill: Fill, cash: int) -> Difference:
    """Return a fill that is counted under two ids; `cash` is what it moved too much."""
    touched = fill.time
    return Difference(name(fill), text(fill), "", -cash, Unit.USD, Kind.DUPLICATE, touched)


def _difference(stray: Stray, amount: int, unit: Unit) -> Difference:
    ours, theirs = text(stray.ours), text(stray.theirs)
    if unit is Unit.COUNT:
        ours, theirs = "1", "2"
    return Difference(name(stray.fill), ours, theirs, amount, unit, stray.kind, stray.fill.time)


def name(fill: Fill) -> str:
    """Return how a fill is named."""
    return f"fill {fill.fill_id} {fill.ticker}"


def text(fill: Fill | None) -> str:
    """Return what a fill says, "" for none."""
    if fill is None:
        return ""
    count = format(quantity(fill.count), "f")
    return f"{fill.side} {count} at {plain(fill.price)} fee {plain(fill.fee)}"
