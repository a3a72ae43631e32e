"""The exchange's side read to its end: lists that are not there, rows that cannot be read."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

import pytest

from ledger.facts import Fill, Side
from ledger.moment import DAY, MINUTE
from ledger.money import NANO
from pipeline.cycle import Store
from pipeline.reconcile.exchange import Outcome, compared
from pipeline.reconcile.window import MARGIN, SETTLING
from pipeline.sources.client import Missing, Unreachable
from pipeline.sources.kalshi_rows import Balance, Report, Transfer
from storage.facts import Page, Reject
from tests.pipeline.conftest import NOON, Hands

Look = Callable[..., Outcome]

LOST = Reject("kalshi", "?", "count_fp", "is missing", "{}")


def bought(name: str, time: int, **other: int) -> Fill:
    """Return one YES bought at 0.50."""
    return Fill(name, time, "KX-A", Side.YES, 100, NANO // 2, 0, is_taker=True, **other)


@dataclass
class Statement:
    """What an exchange says, list by list."""

    live: list[Fill] = field(default_factory=list)
    old: list[Fill] | None = field(default_factory=list)
    rows: dict[tuple[str, int], Report] = field(default_factory=dict)
    cash: dict[int, int] = field(default_factory=dict)
    paid: list[Transfer] = field(default_factory=list)
    refused: tuple[Reject, ...] = ()
    known: int | None = None

    def fills(self) -> Iterator[Page]:
        """Yield a page a fill."""
        yield from (Page("kalshi", (fill,), rejects=self.refused) for fill in self.live)

    def archive(self) -> Iterator[Page]:
        """Yield the archive, if there is one."""
        if self.old is None:
            raise Missing("GET /historical/fills: 404", 404)
        yield from (Page("kalshi", (fill,)) for fill in self.old)

    def settlements(self) -> Iterator[Page]:
        """Yield no settlement."""
        yield Page("kalshi", rejects=self.refused)

    def positions(
        self, subaccounts: Collection[int]
    ) -> tuple[dict[tuple[str, int], Report], list[Reject]]:
        """Return the rows of these subaccounts."""
        found = {key: row for key, row in self.rows.items() if key[1] in subaccounts}
        return found, list(self.refused)

    def balance(self, subaccount: int) -> Balance:
        """Return a subaccount's cash."""
        return Balance(self.cash.get(subaccount, 0), 0, NOON)

    def transfers(self) -> tuple[list[Transfer], list[Reject]]:
        """Return what was paid in and out."""
        return self.paid, list(self.refused)

    def as_of(self) -> int | None:
        """Return how far the figures go."""
        return self.known


@pytest.fixture
def look(store: Store, hands: Hands) -> Look:
    """Compare a statement with what is recorded."""

    def run(statement: Statement, pause: Callable[[], None] = lambda: None) -> Outcome:
        known = {fill.fill_id: fill for fill in store.facts.fills()}
        wanted = lambda ids: {name: known[name] for name in ids if name in known}  # noqa: E731
        return compared(statement, store.facts, wanted, hands.now, pause)

    return run


def account(*fills: Fill) -> Statement:
    """Return an exchange on which all of these happened, with a deposit of 10."""
    books: dict[int, list[Fill]] = {}
    for fill in fills:
        books.setdefault(fill.subaccount, []).append(fill)
    spent = {number: len(of) * NANO // 2 for number, of in books.items()}
    rows = {
        ("KX-A", number): Report(
            "KX-A", 100 * len(books[number]), 0, 0, spent[number], spent[number]
        )
        for number in books
    }
    paid = [Transfer("t", "applied", 10 * NANO, 0, NOON - DAY, NOON - DAY)]
    cash = {number: -amount for number, amount in spent.items()}
    cash[0] = cash.get(0, 0) + 10 * NANO
    return Statement(list(fills), [], rows, cash, paid)


def test_every_subaccount_that_was_traded_is_asked_for(store: Store, look: Look) -> None:
    fills = bought("a", NOON), bought("b", NOON, subaccount=3)
    store.facts.record(Page("kalshi", fills))
    outcome = look(account(*fills))
    assert outcome.differences == []
    assert outcome.checked == 2 + 2


def test_what_is_older_than_a_list_without_an_archive_is_not_missed_there(
    store: Store, look: Look
) -> None:
    old, new = bought("old", NOON - DAY), bought("new", NOON)
    store.facts.record(Page("kalshi", (old, new)))
    statement = account(old, new)
    statement.live = [new]
    assert [each.subject for each in look(statement).differences] == ["fill old KX-A"]
    statement.old = None
    assert look(statement).differences == []
    statement.old = [old]
    assert look(statement).differences == []


def test_rows_that_cannot_be_read_are_counted(store: Store, look: Look) -> None:
    fill = bought("a", NOON)
    store.facts.record(Page("kalshi", (fill,)))
    statement = account(fill)
    statement.refused = (LOST,)
    assert look(statement).unread == 4


def test_each_page_is_waited_for_and_an_end_is_obeyed(store: Store, look: Look) -> None:
    class Ended(Exception):
        """No more."""

    waited: list[None] = []

    def pause() -> None:
        waited.append(None)
        if len(waited) == 2:
            raise Ended

    fills = bought("a", NOON), bought("b", NOON), bought("c", NOON)
    store.facts.record(Page("kalshi", fills))
    with pytest.raises(Ended):
        look(account(*fills), pause)
    assert len(waited) == 2


def test_the_window_is_counted_from_what_the_exchange_knows(look: Look, hands: Hands) -> None:
    assert look(Statement()).horizon == hands.now - SETTLING
    assert look(Statement(known=NOON)).horizon == NOON - MARGIN
    assert look(Statement(known=hands.now + MINUTE)).horizon == hands.now - MARGIN


def test_a_list_that_breaks_off_finds_nothing(store: Store, look: Look) -> None:
    class Broken(Statement):
        def settlements(self) -> Iterator[Page]:
            """Fail."""
            raise Unreachable("GET /portfolio/settlements: no connection")

    store.facts.record(Page("kalshi", (bought("a", NOON),)))
    with pytest.raises(Unreachable):
        look(Broken())
