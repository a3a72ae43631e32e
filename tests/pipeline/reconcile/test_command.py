"""The command against the emulators: nothing false, n put in and n found, beside a worker too."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console
from sqlalchemy import Engine, text

from ledger import moment
from ledger.difference import Kind, Unit
from ledger.facts import Fill, Status
from ledger.moment import DAY, MICROS, MINUTE
from ledger.money import CENT, NANO
from ledger.pnl import Policy
from pipeline.commands import Commands
from pipeline.pulse import beating
from pipeline.reconcile.command import AGREES, DIFFERS, reconcile
from pipeline.sources.anthropic import Anthropic
from pipeline.sources.kalshi import Kalshi
from pipeline.sources.revenue import Revenue
from pipeline.sources.source import Source
from pipeline.worker import Plan, WrongDatabase
from storage import engine, schema
from storage.engine import unguarded
from storage.facts import Facts, Page
from storage.inbox import Inbox
from storage.lease import Lease
from storage.reconciliation import Wanted, open_differences, read
from storage.snapshots import Snapshots
from tests.product import Emulators

NOWHERE = "http://127.0.0.1:9"

Row = dict[str, Any]


@dataclass
class Desk:
    """A database filled from the emulators, and the command run on it."""

    emulators: Emulators
    url: str
    engine: Engine
    ahead: int = 0

    def sources(self) -> list[Source]:
        """Open every source."""
        ready = self.emulators.ready
        pem = Path(ready["kalshi_private_key_file"]).read_text()
        return [
            Kalshi(ready["kalshi_url"], ready["kalshi_key_id"], pem),
            Anthropic(ready["anthropic_url"], ready["anthropic_admin_key"]),
            Revenue(ready["revenue_url"], ready["revenue_token"]),
        ]

    def fill(self) -> None:
        """Record every history."""
        facts = Facts(self.engine, unguarded)
        for source in self.sources():
            for page in source.history({}):
                facts.record(page)
            source.close()

    def plan(self, mode: str = "live") -> Plan:
        """Return what the command is told."""
        zone = ZoneInfo("UTC")
        return Plan(self.url, "", Policy.BID, zone, 1.0, mode, lambda: moment.system() + self.ahead)

    def run(self, sources: Callable[[], list[Source]] | None = None) -> tuple[int, str]:
        """Run the command; return how it ended and what it printed."""
        console = Console(file=io.StringIO(), width=220)
        code = reconcile(self.plan(), sources or self.sources, console)
        assert isinstance(console.file, io.StringIO)
        return code, console.file.getvalue()

    def found(self) -> list[Row]:
        """Return what the newest runs found, apart from lag."""
        with engine.deferred(self.engine).connect() as connection:
            rows = list(read(connection, Wanted()))
        return [row for row in rows if row["kind"] != Kind.LAG]

    def sql(self, statement: str, **values: object) -> None:
        """Change a row behind the product's back."""
        with self.engine.begin() as connection:
            assert connection.execute(text(statement), values).rowcount == 1

    def one(self, statement: str) -> Any:
        """Return one value."""
        with engine.deferred(self.engine).connect() as connection:
            return connection.execute(text(statement)).scalar_one()


@pytest.fixture(scope="module")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulators]:
    """Start a world of six days whose trader rests."""
    started = Emulators(tmp_path_factory.mktemp("world"), "--history-days", "6")
    started.freeze()
    yield started
    started.stop()


@pytest.fixture
def desk(emulators: Emulators, tmp_path: Path) -> Iterator[Desk]:
    """Fill a database from the emulators, with nothing wrong on either side."""
    emulators.ask("/discrepancy", {"clear": True})
    url = f"sqlite:///{tmp_path / 'northstar.db'}"
    opened = engine.writer(url, "off")
    schema.upgrade(opened)
    made = Desk(emulators, url, opened)
    made.fill()
    yield made
    opened.dispose()


def old_fills(desk: Desk) -> list[Fill]:
    """Return the oldest fill of each market that was last traded a day ago."""
    fills: dict[str, list[Fill]] = {}
    for fill in Facts(desk.engine, unguarded).fills():
        fills.setdefault(fill.ticker, []).append(fill)
    before = moment.system() - DAY
    return [of[0] for of in fills.values() if len(of) > 1 and of[-1].time < before]


def test_nothing_differs_where_nothing_is_wrong(desk: Desk) -> None:
    code, shown = desk.run()
    assert desk.found() == []
    assert (code, open_differences(desk.engine)) == (AGREES, 0)
    for name in ("kalshi", "anthropic", "revenue"):
        assert f"{name}: " in shown
    assert shown.count("all agree") == 3


@dataclass
class Mischief:
    """What is put in on either side, each into a market of its own, and what must be found."""

    desk: Desk
    spare: Iterator[Fill]
    expected: dict[tuple[str, Kind], str] = field(default_factory=dict)

    def row(self, row: str, subject: str, amount: str, **what: str) -> None:
        """Let a market's row say something else."""
        ticker = next(self.spare).ticker
        self.desk.emulators.ask("/discrepancy", {"row": row, "ticker": ticker, **what})
        self.expected[subject.format(ticker), Kind.CHANGED] = amount

    def listed(self, how: str, kind: Kind, **what: str) -> None:
        """Let their list tell a fill otherwise."""
        fill = next(self.spare)
        wish = {"row": "fill", "fill_id": fill.fill_id, "how": how, **what}
        self.desk.emulators.ask("/discrepancy", wish)
        self.expected[f"fill {fill.fill_id} {fill.ticker}", kind] = ""

    def trades(self) -> None:
        """Lose a fill and a settlement, and hold a fill that never was."""
        lost, ended, other = next(self.spare), next(self.spare), next(self.spare)
        self.desk.sql("delete from fills where fill_id = :name", name=lost.fill_id)
        self.expected[f"fill {lost.fill_id} {lost.ticker}", Kind.MISSING] = ""
        self.desk.sql("delete from settlements where ticker = :name", name=ended.ticker)
        self.expected[f"settlement {ended.ticker}", Kind.MISSING] = ""
        bogus = Fill("bogus", other.time, other.ticker, other.side, 1, NANO, CENT, is_taker=True)
        Facts(self.desk.engine, unguarded).record(Page("kalshi", (bogus,)))
        self.expected[f"fill bogus {other.ticker}", Kind.EXTRA] = ""

    def money(self) -> None:
        """Let cash come from nowhere, and a day cost seven cents less than its bill."""
        self.desk.emulators.ask("/discrepancy", {"row": "balance", "amount": "12.34"})
        self.expected["cash: unexplained", Kind.CHANGED] = "12.34"
        day = moment.floor(moment.system(), DAY) - 3 * DAY
        statement = (
            "update costs set amount = amount - 70000000 where rowid = "
            "(select max(rowid) from costs where start = :day and source = 'analytics')"
        )
        self.desk.sql(statement, day=day)
        self.expected[f"cost {moment.aware(day).date()}", Kind.CHANGED] = "0.07"

    def deals(self) -> None:
        """Misread a deal, lose one, and hold one under a name nobody knows."""
        deals = Facts(self.desk.engine, unguarded).deals()
        known = [deal for deal in deals if deal.status is Status.RECOGNIZED and deal.usd]
        less, lost, renamed = (deal.id for deal in known[:3])
        self.desk.sql("update deals set amount = amount - 5000000000 where id = :id", id=less)
        self.expected[f"deal {less}", Kind.CHANGED] = "5"
        self.desk.sql("delete from deals where id = :id", id=lost)
        self.expected[f"deal {lost}", Kind.MISSING] = ""
        self.desk.sql("update deals set id = 'unheard-of' where id = :id", id=renamed)
        self.expected["deal unheard-of", Kind.EXTRA] = ""
        self.expected[f"deal {renamed}", Kind.MISSING] = ""


def test_as_many_are_found_as_were_put_in(desk: Desk) -> None:
    """Every kind, on either side: each is one row with its amount, and there is none more."""
    ends = {end.ticker for end in Facts(desk.engine, unguarded).settlements()}
    mischief = Mischief(desk, iter(fill for fill in old_fills(desk) if fill.ticker in ends))
    mischief.row("position", "realized {}", "1.25", realized="1.25")
    mischief.row("position", "fees {}", "-0.03", fees="-0.03")
    mischief.row("position", "position {}", "3", position="3")
    mischief.row("settlement", "settlement {} revenue", "-0.02", revenue="-2")
    mischief.row("settlement", "settlement {} fee", "0.5", fee_cost="0.5")
    mischief.row("settlement", "settlement {} no count", "1", no_count="1")
    mischief.listed("hide", Kind.EXTRA)
    mischief.listed("twice", Kind.DUPLICATE)
    mischief.listed("change", Kind.CHANGED, fee_cost="9")
    mischief.trades()
    mischief.money()
    mischief.deals()
    desk.run()  # what is about something of the last minutes is lag, until it stands
    desk.ahead = 2 * MINUTE
    code, shown = desk.run()
    found = {(row["subject"], row["kind"]): row["difference"] for row in desk.found()}
    assert found.keys() == mischief.expected.keys()
    assert len(desk.found()) == len(mischief.expected) == 18
    amounts = {name: amount for name, amount in mischief.expected.items() if amount}
    assert amounts.items() <= found.items()
    assert (code, open_differences(desk.engine)) == (DIFFERS, 18)
    assert "12.34" in shown


def test_what_no_list_shows_is_named_by_its_market(desk: Desk) -> None:
    secret = old_fills(desk)[0]
    desk.emulators.ask("/discrepancy", {"row": "fill", "fill_id": secret.fill_id, "how": "hide"})
    desk.sql("delete from fills where fill_id = :name", name=secret.fill_id)
    assert desk.run()[0] == DIFFERS
    (found,) = desk.found()
    assert (found["subject"], found["kind"]) == (f"trades {secret.ticker}", Kind.MISSING)


def test_a_fill_listed_under_two_ids_is_one_duplicate(desk: Desk) -> None:
    told = old_fills(desk)[0]
    desk.emulators.ask("/discrepancy", {"row": "fill", "fill_id": told.fill_id, "how": "copy"})
    desk.fill()
    assert desk.run()[0] == DIFFERS
    (found,) = desk.found()
    assert (found["kind"], found["unit"]) == (Kind.DUPLICATE, Unit.USD)
    assert told.ticker in found["subject"]


def test_what_is_new_is_lag_and_stands_when_it_is_still_there(desk: Desk) -> None:
    """A fill of this minute that we lack: lag at first, missing when the next run finds it."""
    made = desk.emulators.ask("/fill", {"book_side": "bid", "count": "1"})
    code, shown = desk.run()
    assert (code, desk.found()) == (AGREES, [])
    assert "lag" in shown
    assert desk.run()[0] == AGREES
    desk.ahead = 2 * MINUTE
    assert desk.run()[0] == DIFFERS
    (fill, *others) = [row for row in desk.found() if row["subject"].startswith("fill")]
    assert (fill["subject"], fill["kind"]) == (
        f"fill {made['fill_id']} {made['ticker']}",
        "missing",
    )
    assert others == []


def test_a_copy_of_a_fill_of_this_minute_is_lag_and_a_duplicate_when_it_stands(desk: Desk) -> None:
    made = desk.emulators.ask("/fill", {"book_side": "bid", "count": "1"})
    desk.emulators.ask("/discrepancy", {"row": "fill", "fill_id": made["fill_id"], "how": "copy"})
    desk.fill()
    code, shown = desk.run()
    assert (code, desk.found()) == (AGREES, [])
    assert made["ticker"] in shown
    desk.ahead = 2 * MINUTE
    assert desk.run()[0] == DIFFERS
    (found,) = desk.found()
    assert (found["kind"], found["unit"]) == (Kind.DUPLICATE, Unit.USD)
    assert found["subject"].endswith(made["ticker"])


def test_a_deal_is_lag_for_half_a_minute_and_then_what_it_is(desk: Desk) -> None:
    """The source says how far it goes, so what is a minute old must be the same at once."""
    deals = Facts(desk.engine, unguarded).deals()
    old, new, *_ = (each.id for each in deals if each.status is Status.RECOGNIZED and each.usd)
    change = "update deals set amount = amount - 5000000000, updated_at = :time where id = :id"
    desk.sql(change, id=old, time=moment.system() - MINUTE)
    desk.sql(change, id=new, time=moment.system() - MICROS)
    assert desk.run()[0] == DIFFERS
    assert [row["subject"] for row in desk.found()] == [f"deal {old}"]
    desk.ahead = 2 * MINUTE
    desk.run()
    found = {(row["subject"], row["kind"], row["difference"]) for row in desk.found()}
    assert found == {(f"deal {each}", Kind.CHANGED, "5") for each in (old, new)}


@contextmanager
def working(desk: Desk) -> Iterator[None]:
    """Obey commands as the one worker of the database."""
    other = engine.writer(desk.url)
    lease, ending = Lease(other, "a worker"), Event()
    assert lease.attempt()
    commands = Commands(Facts(other, lease.guard), Inbox(other, lease.guard))

    def work() -> None:
        while not ending.wait(0.02):
            commands.run()

    thread = Thread(target=work)
    with beating(lease):
        thread.start()
        yield
        ending.set()
        thread.join()
    lease.release()
    other.dispose()


def test_beside_a_worker_it_compares_and_the_worker_keeps_it(desk: Desk) -> None:
    ticker = old_fills(desk)[0].ticker
    wish = {"row": "position", "ticker": ticker, "realized": "1.25"}
    desk.emulators.ask("/discrepancy", wish)
    with working(desk):
        code, shown = desk.run()
    assert (code, open_differences(desk.engine)) == (DIFFERS, 1)
    assert "The worker that owns this database has kept these runs." in shown
    (found,) = desk.found()
    assert (found["subject"], found["difference"]) == (f"realized {ticker}", "1.25")
    assert (found["source"], found["unit"], found["kind"]) == ("kalshi", "usd", "changed")
    assert desk.one("select count(*) from reconciliation_runs") == 3


def test_a_worker_that_does_not_answer_is_told_of_and_keeps_it_later(desk: Desk) -> None:
    lease = Lease(desk.engine, "a worker")
    assert lease.attempt()
    with beating(lease):
        code, shown = desk.run()
        assert code == AGREES
        assert "Not kept yet: the worker that owns this database did not answer" in shown
        assert desk.one("select count(*) from reconciliation_runs") == 0
        Commands(Facts(desk.engine, lease.guard), Inbox(desk.engine, lease.guard)).run()
        assert desk.one("select count(*) from reconciliation_runs") == 3
    lease.release()


def test_of_a_worker_that_died_it_takes_the_keeping_over(desk: Desk) -> None:
    assert Lease(desk.engine, "a worker").attempt()
    code, shown = desk.run()
    assert code == AGREES
    assert "kept" not in shown
    assert desk.one("select count(*) from reconciliation_runs") == 3


def test_a_source_that_cannot_be_read_is_no_agreement(desk: Desk) -> None:
    code, shown = desk.run(lambda: [Revenue(NOWHERE, "")])
    assert code == DIFFERS
    assert "revenue: " in shown
    assert "all agree" not in shown


def test_figures_of_another_mode_are_refused(desk: Desk) -> None:
    Snapshots(desk.engine, unguarded).remember({"mode": "demo"})
    with pytest.raises(WrongDatabase, match="it holds demo figures, not live"):
        desk.run()
