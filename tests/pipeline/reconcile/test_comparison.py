"""A whole account: n discrepancies put in, the same n found, and none where nothing differs."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from hypothesis import event, given
from hypothesis import strategies as st

from ledger.difference import Difference, Kind, Unit
from ledger.facts import Fill, Settlement
from ledger.money import CENT, NANO
from pipeline.reconcile.cash import UNEXPLAINED
from pipeline.sources.kalshi_rows import Transfer
from tests.pipeline.reconcile.exchanges import END, Exchange, compared, fill

MARKETS = [f"KX-{letter}" for letter in "ABCDEF"]
CENTS = st.integers(1, 500).flatmap(lambda cents: st.sampled_from([cents * CENT, -cents * CENT]))

Found = tuple[Kind, Unit, int]
"""What must be found of an injection: kind, unit, theirs − ours."""


@dataclass(repr=False)
class Case:
    """An exchange, what we hold of it, and what must be found per market or of the cash."""

    exchange: Exchange
    fills: list[Fill]
    ends: list[Settlement]
    expected: dict[str, Found] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return what happened, a fill a word: a falsified property should be readable."""
        told = " ".join(
            f"{f.fill_id}/{f.subaccount}@{f.time}:{f.signed}x{f.price // 100_000}+{f.fee}"
            for f in self.exchange.fills
        )
        return f"{told} values={self.exchange.values} netted={self.exchange.netted}"

    def of(self, ticker: str) -> list[Fill]:
        """Return the fills of a market that really happened."""
        return [f for f in self.exchange.fills if f.ticker == ticker]

    def cash(self, fills: list[Fill], ticker: str) -> int:
        """Return the cash some fills come to, by the exchange's own fold."""
        subaccounts = {f.subaccount for f in fills if f.ticker == ticker}
        return sum(self.exchange.book(fills, ticker, each).cash for each in subaccounts)

    def differ(self, ticker: str, kind: Kind) -> None:
        """Expect that the lists differ in a market by what their fills' cash does."""
        theirs, ours = (self.cash(f, ticker) for f in (self.exchange.listed, self.fills))
        self.expected[ticker] = kind, Unit.USD, theirs - ours


def accounts(*, settled: bool = True) -> st.SearchStrategy[Case]:
    """Draw an account of up to six markets, some of them settled."""

    @st.composite
    def drawn(draw: st.DrawFn) -> Case:
        fills = [
            fill(
                f"{ticker}-{number}",
                draw(st.integers(1, 5)),
                ticker,
                draw(st.integers(1, 900)) * draw(st.sampled_from([1, -1])),
                draw(st.integers(1, 9_999)),
                fee=draw(st.integers(0, 2_000)) * 1_000,
                subaccount=draw(st.sampled_from([0, 0, 2])),
            )
            for ticker in MARKETS
            for number in range(draw(st.integers(2, 5)))
        ]
        # A market that nothing befalls, which shows whether the account nets YES with NO.
        for number in (0, 2):
            fills.append(fill(f"z{number}", 1, "KX-Z", 500, 3_000, subaccount=number))
            fills.append(fill(f"y{number}", 2, "KX-Z", -200, 4_000, subaccount=number))
        ended = draw(st.sets(st.sampled_from(MARKETS))) if settled else set()
        values = {ticker: draw(st.sampled_from([0, 100, 50, 37])) for ticker in sorted(ended)}
        exchange = Exchange(fills, values, netted=draw(st.booleans()))
        return Case(exchange, list(fills), exchange.settlements())

    return drawn()


def not_recorded(case: Case, ticker: str, draw: st.DrawFn) -> None:
    """We never got a fill."""
    case.fills.remove(draw(st.sampled_from(case.of(ticker))))
    case.differ(ticker, Kind.MISSING)


def invented(case: Case, ticker: str, draw: st.DrawFn) -> None:
    """We hold a fill that never was."""
    case.fills.append(fill(f"{ticker}-ours", draw(st.integers(1, 5)), ticker, 300, 4_400))
    case.differ(ticker, Kind.EXTRA)


def hidden(case: Case, ticker: str, draw: st.DrawFn) -> None:
    """Their list no longer shows a fill that was."""
    case.exchange.listed.remove(draw(st.sampled_from(case.of(ticker))))
    case.differ(ticker, Kind.EXTRA)


def never_told(case: Case, ticker: str, draw: st.DrawFn) -> None:
    """No list ever showed a fill that was: only the rows and the cash know."""
    secret = draw(st.sampled_from(case.of(ticker)))
    case.exchange.listed.remove(secret)
    case.fills.remove(secret)
    owed = case.cash(case.exchange.fills, ticker) - case.cash(case.fills, ticker)
    case.expected[ticker] = Kind.MISSING, Unit.USD, owed


def misread(case: Case, ticker: str, draw: st.DrawFn) -> None:
    """We hold a fill at another price than it was."""
    right = draw(st.sampled_from(case.of(ticker)))
    wrong = replace(right, price=NANO - right.price, fee=right.fee + CENT)
    case.fills[case.fills.index(right)] = wrong
    case.differ(ticker, Kind.CHANGED)


def retold(case: Case, ticker: str, draw: st.DrawFn) -> None:
    """Their list shows a fill otherwise than it was and than we have it."""
    right = draw(st.sampled_from(case.of(ticker)))
    case.exchange.listed[case.exchange.listed.index(right)] = replace(right, count=right.count + 7)
    case.differ(ticker, Kind.CHANGED)


def told_twice(case: Case, ticker: str, draw: st.DrawFn) -> None:
    """Their list shows a row twice."""
    again = draw(st.sampled_from(case.of(ticker)))
    case.exchange.listed.insert(case.exchange.listed.index(again), again)
    case.expected[ticker] = Kind.DUPLICATE, Unit.COUNT, 1


def copied(case: Case, ticker: str, draw: st.DrawFn) -> None:
    """Their list shows a fill under two ids, and we took both."""
    first = draw(st.sampled_from(case.of(ticker)))
    copy = replace(first, fill_id=f"{first.fill_id} again")
    case.exchange.listed.append(copy)
    case.fills.append(copy)
    owed = case.cash(case.exchange.fills, ticker) - case.cash(case.fills, ticker)
    case.expected[ticker] = Kind.DUPLICATE, Unit.USD, owed


def figure(name: str, unit: Unit) -> Callable[[Case, str, st.DrawFn], None]:
    """Return a lie of one figure of a market's row."""

    def told(case: Case, ticker: str, draw: st.DrawFn) -> None:
        amount = draw(CENTS) if unit is Unit.USD else draw(st.integers(1, 99))
        first = min(f.subaccount for f in case.of(ticker))
        amount *= sum(f.subaccount != first for f in case.of(ticker)) == 0
        if not amount:  # the row of each subaccount would tell the lie
            told_twice(case, ticker, draw)
            return
        case.exchange.lies[ticker, name] = amount
        case.expected[ticker] = Kind.CHANGED, unit, amount

    told.__name__ = name
    return told


def ended(name: str, unit: Unit) -> Callable[[Case, str, st.DrawFn], None]:
    """Return a lie of one figure of a settled market's row."""

    def told(case: Case, ticker: str, draw: st.DrawFn) -> None:
        if ticker not in case.exchange.values:
            told_twice(case, ticker, draw)
            return
        amount = draw(CENTS) if unit is Unit.USD else draw(st.integers(1, 99))
        case.exchange.lies[ticker, f"settlement {name}"] = amount
        case.expected[ticker] = Kind.CHANGED, unit, amount

    told.__name__ = f"settlement_{name}"
    return told


def settlement_not_recorded(case: Case, ticker: str, draw: st.DrawFn) -> None:
    """We never got a settlement."""
    found = [end for end in case.ends if end.ticker == ticker]
    if not found:
        told_twice(case, ticker, draw)
        return
    case.ends.remove(found[0])
    case.expected[ticker] = Kind.MISSING, Unit.USD, found[0].revenue - _pairs(case, ticker)


def settlement_invented(case: Case, ticker: str, draw: st.DrawFn) -> None:
    """We hold a settlement that their list does not."""
    found = [end for end in case.ends if end.ticker == ticker]
    if not found:
        told_twice(case, ticker, draw)
        return
    case.exchange.unsettled.add(ticker)
    case.expected[ticker] = Kind.EXTRA, Unit.USD, _pairs(case, ticker) - found[0].revenue


def _pairs(case: Case, ticker: str) -> int:
    """Return what an account that does not net was paid for pairs beside its net position."""
    if case.exchange.netted:
        return 0
    subaccounts = {f.subaccount for f in case.of(ticker)}
    books = [case.exchange.book(case.exchange.fills, ticker, each) for each in subaccounts]
    return sum(min(book.yes_count, book.no_count) * CENT for book in books)


INJECTIONS = [
    not_recorded,
    invented,
    hidden,
    never_told,
    misread,
    retold,
    told_twice,
    copied,
    figure("position", Unit.CONTRACTS),
    figure("realized", Unit.USD),
    figure("fees", Unit.USD),
    ended("revenue", Unit.USD),
    ended("fee", Unit.USD),
    ended("yes_count", Unit.CONTRACTS),
    ended("no_cost", Unit.USD),
    settlement_not_recorded,
    settlement_invented,
]


def described(found: Difference) -> Found:
    """Return what is compared of a difference."""
    return found.kind, found.unit, found.amount


@given(accounts())
def test_an_account_that_agrees_has_no_difference(case: Case) -> None:
    assert compared(case.exchange, case.fills, case.ends) == []


@given(accounts(), st.data())
def test_as_many_are_found_as_were_put_in_each_named_and_to_the_nano(
    case: Case, data: st.DataObject
) -> None:
    for ticker in data.draw(st.sets(st.sampled_from(MARKETS), min_size=1)):
        inject = data.draw(st.sampled_from(INJECTIONS))
        event(inject.__name__)
        inject(case, ticker, data.draw)
    credit = data.draw(st.just(0) | CENTS)
    # Money that is just what the revenues differ by was credited with them.
    lies = case.exchange.lies.items()
    credited = sum(amount for (_, name), amount in lies if name == "settlement revenue")
    if credit not in (0, credited):
        case.exchange.credit = credit
        case.expected[UNEXPLAINED] = Kind.CHANGED, Unit.USD, credit
    found = compared(case.exchange, case.fills, case.ends)
    named = {ticker: [each for each in found if ticker in each.subject] for ticker in MARKETS}
    named[UNEXPLAINED] = [each for each in found if each.subject == UNEXPLAINED]
    seen = {name: [described(each) for each in of] for name, of in named.items() if of}
    assert seen == {name: [wanted] for name, wanted in case.expected.items()}
    assert len(found) == len(case.expected)


@given(accounts(settled=False), st.data())
def test_the_fills_that_differ_explain_the_cash_that_differs(
    case: Case, data: st.DataObject
) -> None:
    """Nothing but fills differs: balance − what we would have = the sum of what is named."""
    for ticker in data.draw(st.sets(st.sampled_from(MARKETS), min_size=1)):
        lost = data.draw(st.sets(st.sampled_from(case.of(ticker)), min_size=1, max_size=4))
        case.fills = [f for f in case.fills if f not in lost]
    ours = sum(case.cash(case.fills, ticker) for ticker in MARKETS)
    theirs = sum(case.cash(case.exchange.fills, ticker) for ticker in MARKETS)
    found = compared(case.exchange, case.fills, case.ends)
    assert sum(each.amount for each in found) == theirs - ours
    assert {each.kind for each in found} == {Kind.MISSING}


def test_a_deposit_that_moved_no_money_is_unexplained_cash() -> None:
    exchange = Exchange([fill("a", 1, "KX-A", 100, 5_000)], {})
    exchange.transfers.append(Transfer("bogus", "applied", 25 * NANO, 0, END, END))
    (found,) = compared(exchange, exchange.fills, [])
    assert (found.subject, found.difference) == (UNEXPLAINED, "-25")


def test_money_on_its_way_is_not_expected_yet() -> None:
    exchange = Exchange([fill("a", 1, "KX-A", 100, 5_000)], {})
    exchange.transfers.append(Transfer("soon", "pending", 25 * NANO, 0, END, None))
    assert compared(exchange, exchange.fills, []) == []


def test_fees_of_transfers_may_or_may_not_be_taken_from_what_came() -> None:
    exchange = Exchange([fill("a", 1, "KX-A", 100, 5_000)], {}, credit=-2 * NANO)
    exchange.transfers[0] = replace(exchange.transfers[0], fee=2 * NANO)
    assert compared(exchange, exchange.fills, []) == []
    exchange.credit = 0
    assert compared(exchange, exchange.fills, []) == []


def test_a_revenue_that_was_credited_leaves_no_cash_unexplained() -> None:
    """20.10 YES won and the exchange paid two cents less: one difference, not two."""
    exchange = Exchange([fill("a", 1, "KX-A", 2_010, 9_000)], {"KX-A": 100}, credit=-2 * CENT)
    ends = exchange.settlements()
    exchange.lies["KX-A", "settlement revenue"] = -2 * CENT
    (found,) = compared(exchange, exchange.fills, ends)
    assert (found.subject, found.difference) == ("settlement KX-A revenue", "-0.02")
    assert (found.ours, found.theirs) == ("20.1", "20.08")


def test_a_settlement_of_another_value_is_changed_by_what_it_pays() -> None:
    exchange = Exchange([fill("a", 1, "KX-A", 1_000, 5_000)], {"KX-A": 100})
    ends = exchange.settlements()
    exchange.lies["KX-A", "settlement value"] = -100 * CENT
    (found,) = compared(exchange, exchange.fills, ends)
    assert (found.subject, found.kind) == ("settlement KX-A", Kind.CHANGED)
    assert (found.ours, found.theirs, found.difference) == ("scalar at 1", "scalar at 0", "-10")


def test_a_market_only_they_have_is_missing_and_one_only_we_have_is_extra() -> None:
    exchange = Exchange([fill("a", 1, "KX-A", 1_000, 5_000)], {})
    exchange.listed = []
    (found,) = compared(exchange, [], [])
    assert (found.subject, found.kind, found.difference) == ("trades KX-A", Kind.MISSING, "-5")
    other = Exchange([], {})
    other.listed = [fill("b", 1, "KX-B", 1_000, 5_000)]
    (found,) = compared(other, other.listed, [])
    assert (found.subject, found.kind, found.difference) == ("trades KX-B", Kind.EXTRA, "5")


def test_trades_in_no_list_are_known_to_the_nano_also_after_a_settlement() -> None:
    """Two of three 0.01 YES are known; at 37 cents each book is paid whole cents only."""
    fills = [fill(name, 1, "KX-A", 1, 5_000) for name in "abc"]
    exchange = Exchange(fills, {"KX-A": 37})
    exchange.listed = fills[:2]
    (found,) = compared(exchange, fills[:2], exchange.settlements())
    assert (found.subject, found.kind) == ("trades KX-A", Kind.MISSING)
    # 3 × 0.01 × 0.37 = 0.0111 pays 0.01; 2 × 0.0037 pays nothing; the fill cost 0.005.
    assert found.difference == "0.005"


def test_two_books_with_trades_in_no_list_leave_their_common_revenue_open() -> None:
    fills = [
        fill(f"{n}{each}", 1, "KX-A", 100, 5_000, subaccount=n) for n in (0, 2) for each in "ab"
    ]
    exchange = Exchange(fills, {"KX-A": 37})
    exchange.listed = [fills[0], fills[2]]
    found = compared(exchange, exchange.listed, exchange.settlements())
    assert [each.subject for each in found] == ["trades KX-A", "trades KX-A subaccount 2"]


def test_a_settlement_alone_that_counts_more_trades_is_missing_them() -> None:
    exchange = Exchange([fill("a", 1, "KX-A", 100, 5_000)], {"KX-A": 0})
    ends = exchange.settlements()
    exchange.lies |= {
        ("KX-A", "settlement yes_count"): 50,
        ("KX-A", "settlement yes_cost"): 25 * CENT,
    }
    (found,) = compared(exchange, exchange.fills, ends)
    assert (found.subject, found.kind) == ("settlement KX-A yes trades", Kind.MISSING)
    assert found.difference == "-0.25"


def test_a_fill_after_its_settlement_leaves_another_net_than_the_row() -> None:
    """Our replay holds what the row counts as paid: the exchange nets 0.50, we have it open."""
    exchange = Exchange([fill("a", END + 1, "KX-A", 100, 5_000)], {"KX-A": 100})
    found = {each.subject: each.difference for each in compared(
        exchange, exchange.fills, exchange.settlements()
    )}  # fmt: skip
    realized = {"realized KX-A": "0.5", "settlement KX-A net": "0.5"}
    assert found == {"position KX-A": "-1", **realized, UNEXPLAINED: "1"}
