"""All three sources against the emulators as a process: what is read is what they hold."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests

from ledger import cost, moment, money, revenue
from ledger.facts import Cost, Deal, Fact, Fill, Mark, Market, Settlement
from pipeline.sources.anthropic import Anthropic
from pipeline.sources.kalshi import Kalshi
from pipeline.sources.kalshi_positions import UNSETTLED
from pipeline.sources.revenue import Revenue
from pipeline.sources.source import Deadline, Held, Source
from storage.facts import Name, Page

ROOT = Path(__file__).parents[3]
T = TypeVar("T")


@dataclass(frozen=True)
class Emulators:
    """Where they are, and the admin's door."""

    ready: Mapping[str, str]

    def totals(self) -> dict[str, Any]:
        """Return the world's own totals."""
        return self._checked(requests.get(self.ready["admin_url"] + "/totals", timeout=30))

    def tell(self, kind: str, **wish: object) -> Any:
        """Inject something, or break something."""
        url = f"{self.ready['admin_url']}/{kind}"
        return self._checked(requests.post(url, json=wish, timeout=30))

    def _checked(self, response: requests.Response) -> Any:
        assert response.status_code == 200, response.text
        return response.json()

    def kalshi(self, key: str = "kalshi") -> Kalshi:
        """Return the exchange, by its RSA key unless another is named."""
        pem = Path(self.ready[f"{key}_private_key_file"]).read_text()
        return Kalshi(self.ready["kalshi_url"], self.ready[f"{key}_key_id"], pem)

    def anthropic(self) -> Anthropic:
        """Return the AI provider."""
        return Anthropic(self.ready["anthropic_url"], self.ready["anthropic_admin_key"])

    def revenue(self) -> Revenue:
        """Return the deals."""
        return Revenue(self.ready["revenue_url"], self.ready["revenue_token"])


@pytest.fixture(scope="module")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulators]:
    """Run a world of 20 days whose trader rests, with fills older than the cutoff."""
    folder = tmp_path_factory.mktemp("world")
    command = [sys.executable, "-m", "emulators", "--state-dir", str(folder)]
    with subprocess.Popen(
        [*command, "--seed", "11", "--history-days", "20"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        running = Emulators(json.loads(process.stdout.readline()))
        running.tell("trader", active=False)
        cutoff = moment.text(moment.system() - 8 * moment.DAY)
        running.tell("fault", cutoff=cutoff)
        yield running
        process.terminate()


@dataclass
class Read:
    """What a source delivered: facts by identity, names, cursor; a later version replaces."""

    source: Source
    facts: dict[object, Fact] = field(default_factory=dict)
    markets: dict[str, Market] = field(default_factory=dict)
    cursor: dict[str, str] = field(default_factory=dict)
    names: list[Name] = field(default_factory=list)
    pages: int = 0

    def take(self, pages: Iterator[Page]) -> None:
        """Keep what comes, as storage would."""
        for page in pages:
            assert page.rejects == ()
            self.facts |= {(type(fact), _identity(fact)): fact for fact in page.facts}
            self.markets |= {market.ticker: market for market in page.markets}
            self.cursor |= page.cursor
            self.names += page.names
            self.pages += 1

    def history(self) -> None:
        """Read the whole history."""
        self.take(self.source.history(self.cursor))
        assert self.cursor["complete"] == "1"

    def poll(self, *tickers: str) -> None:
        """Read the tail."""
        held = Held(frozenset(tickers))
        self.take(self.source.poll(self.cursor, held, Deadline.after(20.0)))

    def every(self, kind: type[T]) -> list[T]:
        """Return the facts of one kind."""
        return [fact for fact in self.facts.values() if isinstance(fact, kind)]


def _identity(fact: Fact) -> object:
    return (fact.ticker, fact.time) if isinstance(fact, Mark) else fact.identity


@pytest.fixture
def reading(emulators: Emulators) -> Iterator[Callable[[Source], Read]]:
    opened: list[Source] = []

    def read(source: Source) -> Read:
        opened.append(source)
        return Read(source)

    assert emulators.ready
    yield read
    for source in opened:
        source.close()


def steady(emulators: Emulators, read: Read, *counted: str) -> dict[str, Any]:
    """Poll until the world did not move meanwhile; return its totals."""
    while True:
        before = emulators.totals()
        read.poll()
        after = emulators.totals()
        if all(before[name] == after[name] for name in counted):
            return after


def realized(fills: list[Fill], ends: list[Settlement]) -> int:
    """Return realized P&L by average cost, in nano-dollars, by a fold of its own."""
    moves = [(fill.time, 0, fill.fill_id, fill.ticker, fill.signed, fill.price) for fill in fills]
    moves += [(end.time, 1, "", end.ticker, 0, end.value) for end in ends]
    held: dict[str, tuple[int, int]] = {}
    total = 0
    for _, closing, _, ticker, signed, price in sorted(moves):
        count, cost = held.get(ticker, (0, 0))
        change = -count if closing else signed
        closed = min(abs(change), abs(count)) if count * change < 0 else 0
        if closed:
            released = round(Fraction(cost * closed, abs(count)))
            proceeds = price * closed // 100 * (1 if count > 0 else -1)
            total += proceeds - released
            cost -= released
        opened = abs(change) - closed
        cost += price * opened // 100 * (1 if change > 0 else -1)
        held[ticker] = count + change, cost
    return total


@pytest.mark.parametrize("key", ["kalshi", "kalshi_ed25519"])
def test_the_whole_account_is_what_the_exchange_holds(
    emulators: Emulators, reading: Callable[[Source], Read], key: str
) -> None:
    read = reading(emulators.kalshi(key))
    read.history()
    totals = steady(emulators, read, "fills", "settlements", "realized", "balance")
    fills, ends = read.every(Fill), read.every(Settlement)
    assert len(fills) == totals["fills"] > 1_000
    assert len(ends) == totals["settlements"] > 100
    assert money.plain(sum(fill.fee for fill in fills)) == totals["fees"]
    assert money.plain(realized(fills, ends)) == totals["realized"]
    assert money.plain(int(read.cursor["balance"])) == totals["balance"]
    assert min(fill.time for fill in fills) < int(read.cursor["cutoff"])


def test_an_import_cut_at_any_page_ends_in_the_same_account(
    emulators: Emulators, reading: Callable[[Source], Read]
) -> None:
    whole = reading(emulators.kalshi())
    whole.history()
    for cut in range(1, whole.pages):
        read = reading(emulators.kalshi())
        pages = read.source.history({})
        read.take(page for page, _ in zip(pages, range(cut), strict=False))
        resumed = reading(emulators.kalshi())
        resumed.cursor, resumed.facts = read.cursor, read.facts
        resumed.history()
        assert resumed.facts.keys() >= whole.facts.keys()


def test_reported_positions_are_our_own_book(
    emulators: Emulators, reading: Callable[[Source], Read]
) -> None:
    source = emulators.kalshi()
    read = reading(source)
    read.history()
    totals = steady(emulators, read, "fills", "settlements", "positions")
    counts: dict[str, int] = {}
    fees: dict[str, int] = {}
    for fill in read.every(Fill):
        counts[fill.ticker] = counts.get(fill.ticker, 0) + fill.signed
        fees[fill.ticker] = fees.get(fill.ticker, 0) + fill.fee
    reports = source.positions[0, UNSETTLED].reports
    assert reports.keys() == totals["positions"].keys()
    for ticker, report in reports.items():
        assert (report.position, report.fees) == (counts[ticker], fees[ticker])
        assert report.position == money.contracts(totals["positions"][ticker]["position"])


def test_held_markets_are_marked_and_named(
    emulators: Emulators, reading: Callable[[Source], Read]
) -> None:
    source = emulators.kalshi()
    read = reading(source)
    tickers = list(emulators.totals()["positions"])
    read.poll(*tickers)
    assert {mark.ticker for mark in read.every(Mark)} == set(tickers)
    assert {ticker for ticker, market in read.markets.items() if market.title} >= set(tickers)
    assert any(market.series for market in read.markets.values())


def test_an_injected_fill_is_in_the_next_poll(
    emulators: Emulators, reading: Callable[[Source], Read]
) -> None:
    read = reading(emulators.kalshi())
    read.history()
    told = emulators.tell("fill", book_side="ask", count="3.21")
    read.poll()
    fill = next(fill for fill in read.every(Fill) if fill.fill_id == told["fill_id"])
    assert fill.count == money.contracts(told["count_fp"])
    assert fill.price == money.dollars(told["yes_price_dollars"])


def test_a_re_read_of_a_market_is_all_of_it(
    emulators: Emulators, reading: Callable[[Source], Read]
) -> None:
    source = emulators.kalshi()
    read = reading(source)
    read.history()
    oldest = min(read.every(Fill), key=lambda fill: fill.time).ticker
    again = Read(source)
    again.take(source.reread({oldest}, Deadline.after(20.0)))
    wanted = {fill.fill_id for fill in read.every(Fill) if fill.ticker == oldest}
    assert {fill.fill_id for fill in again.every(Fill)} == wanted


def counted(read: Read) -> str:
    """Return the AI cost that counts, in dollars: the bill's, and no estimate beside it."""
    hours = cost.hourly(read.every(Cost), moment.system())
    assert not any(hour.estimated or hour.unpriced for hour in hours.values())
    return money.plain(sum(hour.total for hour in hours.values()))


def test_every_cent_of_ai_cost_is_read(
    emulators: Emulators, reading: Callable[[Source], Read]
) -> None:
    read = reading(emulators.anthropic())
    read.history()
    totals = steady(emulators, read, "cost_total")
    assert counted(read) == totals["cost_total"]
    assert read.cursor["mode"] == "analytics"
    assert {name.name for name in read.names} >= {"Research", "Trading", "Default", "Sandbox"}


def test_a_key_without_analytics_reads_the_same_cost_by_the_day(
    emulators: Emulators, reading: Callable[[Source], Read]
) -> None:
    emulators.tell("fault", analytics="403")
    try:
        read = reading(emulators.anthropic())
        read.history()
        totals = steady(emulators, read, "cost_total")
    finally:
        emulators.tell("fault", analytics="ok")
    bills = [line for line in read.every(Cost) if not line.estimated]
    assert {(line.source, line.width) for line in bills} == {("legacy", 86_400)}
    assert counted(read) == totals["cost_total"]


def test_what_usage_comes_to_is_what_is_billed_later(
    emulators: Emulators, reading: Callable[[Source], Read]
) -> None:
    """The bill is two days behind; once it is not, each hour is billed as it was estimated."""
    emulators.tell("cost", report={"lag_seconds": 2 * 86_400})
    try:
        early = reading(emulators.anthropic())
        early.history()
    finally:
        emulators.tell("cost", report={"lag_seconds": 0})
    late = reading(emulators.anthropic())
    late.history()
    over = moment.floor(moment.system(), moment.HOUR) - moment.HOUR
    guessed = sums(line for line in early.every(Cost) if line.estimated and line.start < over)
    billed = sums(late.every(Cost))
    assert len(guessed) > 40
    assert guessed == {hour: billed[hour] for hour in guessed}


def test_usage_of_the_legacy_report_comes_to_its_bill(
    emulators: Emulators, reading: Callable[[Source], Read]
) -> None:
    emulators.tell("cost", report={"today": "absent"})
    emulators.tell("fault", analytics="403")
    try:
        read = reading(emulators.anthropic())
        read.history()
    finally:
        emulators.tell("fault", analytics="ok")
        emulators.tell("cost", report={"today": "partial"})
    bill = sums(line for line in read.every(Cost) if line.amount and not line.estimated)
    guesses = [line for line in read.every(Cost) if line.estimated]
    guessed = sums(replace(line, start=moment.floor(line.start, moment.DAY)) for line in guesses)
    assert len(bill) > 15
    assert bill == {day: guessed[day] for day in bill}
    assert not any(line.unpriced for line in guesses)


def sums(lines: Iterable[Cost]) -> dict[int, int]:
    """Return nano-dollars by the start of the bucket."""
    found: dict[int, int] = {}
    for line in lines:
        found[line.start] = found.get(line.start, 0) + line.amount
    return found


def test_recognized_revenue_is_read(
    emulators: Emulators, reading: Callable[[Source], Read]
) -> None:
    emulators.tell("deal", name="Injected", amount="1234.56", status="recognized")
    read = reading(emulators.revenue())
    read.history()
    totals = steady(emulators, read, "recognized")
    at = moment.parse(totals["time"])
    assert money.plain(revenue.totals(read.every(Deal), at).recognized) == _plain(totals)


def _plain(totals: Mapping[str, str]) -> str:
    return money.plain(money.dollars(totals["recognized"]))
