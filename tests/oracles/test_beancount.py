"""The book as beancount reads it: its own inventory and its own P&L are ours, to the nano."""

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from beancount import loader
from beancount.core import data, inventory, realization
from hypothesis import given
from hypothesis import strategies as st

from ledger.cost import hourly
from ledger.facts import Cost, Deal, Fact, Fill, Mark, Settlement, Side, Status
from ledger.moment import DAY, HOUR, parse
from ledger.money import NANO, dollars
from ledger.pnl import Account, Policy, ordered
from ledger.revenue import totals
from pipeline.export.beancount import save, write
from pipeline.export.commodity import commodity
from storage import engine, schema
from storage.engine import unguarded
from storage.facts import Facts, Page

START = parse("2026-03-01T09:00:00Z")
UNTIL = START + 40 * DAY
TICKERS = ["KXCPI-26NOV-T3", "KXHIGHNY-26MAR01-B45.5", "usd", "USD", "Été 100%"]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one empty database to be copied."""
    file = tmp_path_factory.mktemp("template") / "empty.db"
    made = engine.writer(f"sqlite:///{file}")
    schema.upgrade(made)
    made.dispose()
    return file


@contextmanager
def kept(template: Path, *facts: Fact) -> Iterator[Facts]:
    """Record facts in a database of their own."""
    with TemporaryDirectory() as folder:
        shutil.copy(template, Path(folder) / "book.db")
        opened = engine.writer(f"sqlite:///{folder}/book.db", "off")
        made = Facts(opened, unguarded, lambda: UNTIL)
        made.record(Page("kalshi", facts))
        yield made
        opened.dispose()


class Loaded:
    """A file as beancount's own loader reads and checks it."""

    def __init__(self, facts: Facts, policy: Policy = Policy.BID) -> None:
        """Export and load; every error of bean-check fails."""
        out = io.StringIO()
        write(facts, policy, UNTIL, out)
        self.text = out.getvalue()
        entries, errors, _ = loader.load_string(self.text)
        assert [error.message for error in errors] == []
        self.entries = entries
        self._root = realization.realize(entries)

    def balance(self, account: str) -> inventory.Inventory:
        """Return what beancount holds in an account and all below it."""
        found = realization.get(self._root, account)
        return inventory.Inventory() if found is None else realization.compute_balance(found)

    def dollars(self, account: str) -> int:
        """Return an account's dollars in nano-dollars."""
        units = self.balance(account).get_currency_units("USD").number
        return dollars(Decimal(units or 0))

    @property
    def net(self) -> int:
        """Return net P&L by beancount's balances."""
        return -self.dollars("Income") - self.dollars("Expenses")


def nano(amount: Decimal) -> Decimal:
    """Round what was divided to 28 digits back to the nano."""
    return amount.quantize(Decimal("1e-9"))


@st.composite
def trades(draw: st.DrawFn) -> list[Fact]:
    """Draw fills and settlements: fractions, crossings of zero, NO, subaccounts, scalars."""
    fills = st.builds(
        Fill,
        fill_id=st.uuids().map(str),
        time=st.integers(0, 20).map(lambda step: START + step * 7 * HOUR),
        ticker=st.sampled_from(TICKERS),
        side=st.sampled_from(Side),
        count=st.integers(1, 900),
        price=st.integers(0, 10_000).map(lambda tick: tick * 10**5),
        fee=st.integers(0, 10**8),
        is_taker=st.booleans(),
        subaccount=st.sampled_from([0, 0, 0, 7]),
    )
    ends = st.builds(
        Settlement,
        ticker=st.sampled_from(TICKERS),
        time=st.integers(0, 30).map(lambda step: START + step * 7 * HOUR),
        result=st.just("scalar"),
        value=st.integers(0, 100).map(lambda cents: cents * NANO // 100),
        subaccount=st.none() | st.just(7),
    )
    return [
        *draw(st.lists(fills, max_size=25, unique_by=lambda f: f.fill_id)),
        *draw(st.lists(ends, max_size=3, unique_by=lambda end: end.identity)),
    ]


def account(facts: Facts, policy: Policy = Policy.BID) -> Account:
    """Return our own fold of what is kept."""
    made = Account(policy)
    for event in ordered(facts.fills(), facts.settlements(), facts.marks(0)):
        made.apply(event)
    return made


@given(trades())
def test_the_inventory_and_the_pnl_of_beancount_are_ours(
    template: Path, given_facts: list[Fact]
) -> None:
    with kept(template, *given_facts) as facts:
        loaded, ours = Loaded(facts), account(facts)
    for (ticker, subaccount), position in ours.book.positions.items():
        held = loaded.balance(f"Assets:Kalshi:Subaccount{subaccount}:Positions")
        lots = [lot for lot in held if lot.units.currency == commodity(ticker)]
        assert len(lots) <= 1
        assert sum(lot.units.number for lot in lots) == Decimal(position.count) / 100
        cost = sum(lot.units.number * lot.cost.number for lot in lots)
        assert nano(Decimal(cost)) == nano(Decimal(position.cost) / NANO)
    assert loaded.dollars("Income:Kalshi:Realized") == -ours.realized
    assert loaded.dollars("Expenses:Kalshi:Fees") == ours.fees
    assert loaded.net == ours.realized - ours.fees
    assert loaded.dollars("Equity:Kalshi:Averaging") == 0


@given(trades())
def test_cash_and_collateral_are_what_the_exchange_would_hold(
    template: Path, given_facts: list[Fact]
) -> None:
    """Cash gained = realized − fees − what the open positions cost, a NO at 1 − p."""
    with kept(template, *given_facts) as facts:
        loaded, ours = Loaded(facts), account(facts)
    books = ours.book.positions.values()
    collateral = sum(max(0, -book.count) * NANO // 100 for book in books)
    cash = sum(book.realized - book.fees - book.cost for book in books) - collateral
    assets = [
        f"Assets:Kalshi:Subaccount{number}" for number in {key[1] for key in ours.book.positions}
    ]
    assert sum(loaded.dollars(f"{each}:Cash") for each in assets) == cash
    assert sum(loaded.dollars(f"{each}:Collateral") for each in assets) == collateral


FILL = Fill("f", START, "KX-A", Side.YES, 1_000, NANO * 3 // 10, 17_500_000, is_taker=True)


def test_net_is_trading_with_what_is_unrealized_and_revenue_less_cost(template: Path) -> None:
    """Realized 1.20, open 2 at 0.30 marked 0.25, fee 0.035, deal 100.10, cost 7 + 3."""
    sold = replace(
        FILL, fill_id="g", time=START + DAY, side=Side.NO, count=800, price=NANO * 45 // 100
    )
    deal = Deal(
        "manual", "d", 'The "Pilot"\nof \\ May', Status.RECOGNIZED, dollars("100.10"), START,
        service_start=date(2026, 3, 1), service_end=date(2026, 3, 3),
    )  # fmt: skip
    facts = (
        FILL,
        sold,
        Mark("KX-A", START + 2 * DAY, NANO // 4, NANO // 3, None),
        deal,
        Cost("analytics", START, 3_600, (("model", "m"),), 7 * NANO, final=True),
        Cost(
            "usage",
            START + HOUR,
            3_600,
            (("model", "m"),),
            3 * NANO,
            estimated=True,
            price_table="t",
        ),
    )
    with kept(template, *facts) as kept_facts:
        loaded, ours = Loaded(kept_facts), account(kept_facts)
        earned = totals(kept_facts.deals(), UNTIL).recognized
        spent = sum(hour.total for hour in hourly(kept_facts.costs(), UNTIL).values())
    assert loaded.dollars("Income:Kalshi:Unrealized") == dollars("0.10")
    assert loaded.dollars("Income:Revenue:Manual") == -dollars("100.10")
    assert loaded.dollars("Expenses:Anthropic") == 10 * NANO
    assert loaded.net == ours.trading + earned - spent
    assert loaded.net == dollars("1.20") - dollars("0.10") - dollars("0.035") + dollars("90.10")


def test_what_came_after_the_instant_is_left_out(template: Path) -> None:
    late = replace(FILL, fill_id="tomorrow", time=UNTIL + 1)
    with kept(template, FILL, late, Settlement("KX-A", UNTIL + 1, "yes", NANO)) as facts:
        loaded = Loaded(facts)
    assert "tomorrow" not in loaded.text
    assert "settlement KX-A" not in loaded.text


def test_an_empty_book_is_a_file_too(template: Path) -> None:
    with kept(template) as facts:
        assert Loaded(facts).entries == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("Positions  10 KX-A {{3.000000000 USD}}", "Positions  11 KX-A {{3.000000000 USD}}"),
        ("Positions  20 KX-A {{8.000000000 USD}}", "Positions  20 KX-A {{8.000000001 USD}}"),
        ("Realized  0.300000000 USD", "Realized  0.300000001 USD"),
        ("Cash  0.882500000 USD", "Cash  0.882500001 USD"),
        ("17 ~ 0 KX-A", "18 ~ 0 KX-A"),
    ],
)
def test_beancount_itself_finds_a_book_that_is_wrong(
    template: Path, right: str, wrong: str
) -> None:
    """Buy 10 at 0.30 and 10 at 0.50, sell 3 at 0.30: one digit is changed, the check fails."""
    sold = replace(FILL, fill_id="g", time=START + DAY, side=Side.NO, count=300)
    more = replace(FILL, fill_id="h", time=START + HOUR, price=NANO // 2)
    with kept(template, FILL, more, sold) as facts:
        text = Loaded(facts).text
    assert text.count(right) == 1
    assert loader.load_string(text.replace(right, wrong))[1] != []


def test_a_market_says_which_ticker_it_is(template: Path) -> None:
    odd = replace(FILL, ticker="Été 100%")
    with kept(template, odd) as facts:
        loaded = Loaded(facts)
    (named,) = [entry for entry in loaded.entries if isinstance(entry, data.Commodity)]
    assert (named.currency, named.meta["ticker"]) == (commodity("Été 100%"), "Été 100%")


def test_a_file_is_there_only_once_it_is_whole(template: Path, tmp_path: Path) -> None:
    with kept(template, FILL) as facts:
        save(facts, Policy.BID, UNTIL, tmp_path / "book.beancount")
        assert loader.load_file(str(tmp_path / "book.beancount"))[1] == []
        with pytest.raises(NotADirectoryError):
            save(facts, Policy.BID, UNTIL, tmp_path / "book.beancount" / "below")
    assert [file.name for file in tmp_path.iterdir()] == ["book.beancount"]
