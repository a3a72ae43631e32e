"""Commands: a deal by hand becomes a fact, its line in the audit and its answer, together."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from ledger import moment
from ledger.facts import Deal, Status
from ledger.moment import DAY
from ledger.money import NANO
from pipeline.commands import KEPT, Commands
from pipeline.cycle import Store
from storage import engine, schema
from storage.engine import unguarded
from storage.errors import Reused
from storage.facts import Facts, Page
from storage.inbox import Answer, Inbox, answer
from storage.text import decode
from tests.pipeline.conftest import Hands, Script, assembled

NOON = moment.parse("2026-11-20T12:00:00Z")
PILOT = {"name": "Pilot", "status": "recognized", "amount": "100.10", "closed_date": "2026-11-02"}


@dataclass
class Office:
    """A database, its inbox from both sides, and the clock of the worker."""

    engine: Engine
    now: int = NOON
    keys: int = 0
    guard: Callable[[Connection], None] = unguarded
    facts: Facts = field(init=False)
    inbox: Inbox = field(init=False)
    commands: Commands = field(init=False)

    def __post_init__(self) -> None:
        """Open both sides."""
        self.restart()

    def restart(self) -> None:
        """Begin again as a new worker would."""
        self.facts = Facts(self.engine, self._guarded, lambda: self.now)
        self.inbox = Inbox(self.engine, self._guarded, lambda: self.now)
        self.commands = Commands(self.facts, self.inbox, lambda: self.now)

    def _guarded(self, connection: Connection) -> None:
        self.guard(connection)

    def put(self, kind: str, key: str = "", **body: Any) -> int:
        """Hand a command in, as a web process does."""
        self.keys += 1
        return Inbox(self.engine).put(key or f"key-{self.keys}", kind, body, "local")

    def ask(self, kind: str, key: str = "", **body: Any) -> Answer:
        """Hand a command in and let the worker obey."""
        number = self.put(kind, key, **body)
        self.commands.run()
        return self.answer(number)

    def answer(self, number: int) -> Answer:
        """Return what became of a command."""
        with engine.deferred(self.engine).connect() as connection:
            found = answer(connection, number)
        assert found is not None
        return found

    def create(self, **changes: Any) -> dict[str, Any]:
        """Make a deal; return its row."""
        told = self.ask("deal.create", deal=PILOT | changes)
        assert told.status == 201, told.body
        return dict(told.body["deal"])

    def load(self, text: str, **flags: bool) -> Answer:
        """Import a file."""
        return self.ask("deal.import", text=text, **{"dry_run": False, "partial": False} | flags)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        with engine.deferred(self.engine).connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = engine.writer(f"sqlite:///{tmp_path / 'northstar.db'}")
    schema.upgrade(made)
    yield Office(made)
    made.dispose()


def test_a_deal_by_hand_is_a_fact_at_once(office: Office) -> None:
    row = office.create()
    (deal,) = office.facts.deals()
    assert deal == Deal(
        "manual",
        row["id"],
        "Pilot",
        Status.RECOGNIZED,
        100_100_000_000,
        NOON,
        closed_date=date(2026, 11, 2),
    )
    (recorded,) = office.commands.drain()
    assert recorded.deals == (deal,)
    assert recorded.entry > 0
    assert office.commands.drain() == []


def test_there_is_nothing_to_do_without_a_command(office: Office) -> None:
    assert not office.commands.run()
    office.put("deal.create", deal=PILOT)
    assert office.commands.run()
    assert not office.commands.run()


def test_the_same_key_again_is_the_same_command(office: Office) -> None:
    first = office.ask("deal.create", "one", deal=PILOT)
    again = office.ask("deal.create", "one", deal=PILOT)
    assert again == first
    assert len(office.facts.deals()) == 1


def test_the_same_key_for_another_command_is_refused_before_and_after_its_answer(
    office: Office,
) -> None:
    office.put("deal.create", "one", deal=PILOT)
    for _ in range(2):
        with pytest.raises(Reused, match="one"):
            office.put("deal.create", "one", deal=PILOT | {"name": "Other"})
        with pytest.raises(Reused):
            office.put("deal.void", "one", deal=PILOT)
        office.commands.run()
    assert len(office.facts.deals()) == 1


def test_every_change_is_in_the_audit(office: Office) -> None:
    row = office.create()
    office.now += DAY
    office.ask("deal.edit", id=row["id"], deal={"amount": "90"})
    office.ask("deal.void", id=row["id"])
    found = office.rows("select time, actor, action, subject, before, after from audit order by id")
    subject = f"deal manual/{row['id']}"
    assert [entry[:4] for entry in found] == [
        (NOON, "local", "create", subject),
        (NOON + DAY, "local", "edit", subject),
        (NOON + DAY, "local", "void", subject),
    ]
    amounts = [[text and json.loads(text)["amount"] for text in entry[4:]] for entry in found]
    assert amounts == [["", "100.1"], ["100.1", "90"], ["90", "90"]]
    assert json.loads(found[-1][5])["status"] == "void"


def test_an_edit_keeps_what_it_does_not_name_and_null_empties(office: Office) -> None:
    row = office.create(customer="Acme", notes="two\nlines")
    told = office.ask("deal.edit", id=row["id"], deal={"notes": None, "amount": "7"})
    assert (told.status, told.body["deal"]["notes"]) == (200, "")
    (deal,) = office.facts.deals()
    assert (deal.customer, deal.notes, deal.amount) == ("Acme", "", 7 * NANO)
    assert office.rows("select count(*) from deal_versions") == [(1,)]


def test_an_edit_that_changes_nothing_makes_no_version(office: Office) -> None:
    row = office.create()
    told = office.ask("deal.edit", id=row["id"], deal={"amount": "100.100"})
    assert told.body["deal"] == row
    assert office.rows("select count(*) from deal_versions") == [(0,)]
    assert office.rows("select count(*) from audit") == [(1,)]


def test_two_edits_of_one_instant_are_two_versions(office: Office) -> None:
    row = office.create()
    for amount in ("1", "2"):
        office.ask("deal.edit", id=row["id"], deal={"amount": amount})
    (deal,) = office.facts.deals()
    assert (deal.amount, deal.updated_at) == (2 * NANO, NOON + 2)


def test_a_void_deal_stays_and_counts_zero(office: Office) -> None:
    row = office.create()
    told = office.ask("deal.void", id=row["id"])
    assert (told.status, told.body["deal"]["status"]) == (200, "void")
    again = office.ask("deal.void", id=row["id"])
    assert again == told
    (deal,) = office.facts.deals()
    assert deal.status is Status.VOID


@pytest.mark.parametrize("match", ["2026-11-20T11:00:00.000000Z", "other"])
def test_a_version_that_was_changed_meanwhile_is_412_or_409(office: Office, match: str) -> None:
    row = office.create()
    assert office.ask("deal.edit", id=row["id"], deal={"amount": 1}, match=match).status == 412
    assert office.ask("deal.edit", id=row["id"], deal={}, updated_at=match).status == 409
    assert office.ask("deal.void", id=row["id"], match=match).status == 412
    current = moment.text(NOON)
    assert office.ask("deal.edit", id=row["id"], deal={"amount": 1}, match=current).status == 200
    late = office.ask("deal.edit", id=row["id"], deal={"amount": 2}, match=current)
    assert (late.status, late.body["updated_at"]) == (412, moment.text(NOON + 1))
    same = "2026-11-20T12:00:00.000001+00:00"
    assert office.ask("deal.edit", id=row["id"], deal={"amount": 2}, updated_at=same).status == 200


def test_a_deal_of_another_source_is_its_owners(office: Office) -> None:
    theirs = Deal("hubspot", "h1", "Theirs", Status.PENDING, NANO, NOON)
    office.facts.record(Page("hubspot", (theirs,)))
    for kind in ("deal.edit", "deal.void"):
        told = office.ask(kind, id="h1", deal={"amount": "1"})
        assert (told.status, told.body["owner"]) == (409, "hubspot")
    told = office.load("id,name,status,amount\nh1,Theirs,pending,5\n")
    assert told.status == 400
    assert "h1" in told.body["errors"][0]["remedy"]
    assert office.facts.deals() == [theirs]


def test_a_deal_that_is_not_there_is_404(office: Office) -> None:
    assert office.ask("deal.edit", id="nothing", deal={}).status == 404
    assert office.ask("deal.void", id="nothing").status == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": "1,000"}, "amount"),
        ({"amount": None}, "amount"),
        ({"amount": "99999999999"}, "amount"),
        ({"name": ""}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"status": "won"}, "status"),
        ({"currency": "eur"}, "currency"),
        ({"closed_date": "02.11.2026"}, "closed_date"),
        ({"closed_date": None}, "closed_date"),
        ({"closed_date": "2009-12-31"}, "closed_date"),
        ({"service_start": "2026-01-01"}, "service_end"),
        ({"service_start": "2026-01-02", "service_end": "2026-01-01"}, "service_end"),
        ({"service_start": "2026-01-01", "service_end": "2099-01-01"}, "service_end"),
        ({"status": "pipeline", "probability": 2}, "probability"),
        ({"currency": "EUR", "rate": "-1"}, "rate"),
        ({"currency": "EUR", "rate": "9", "amount": "9000000000"}, "rate"),
        ({"ammount": "1"}, "ammount"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(
    office: Office, changes: dict[str, Any], field: str
) -> None:
    told = office.ask("deal.create", deal=PILOT | changes)
    assert (told.status, told.body["field"]) == (400, field)
    assert told.body["detail"].startswith(field)
    assert office.facts.deals() == []
    assert office.facts.refused() == 0
    assert office.rows("select count(*) from audit") == [(0,)]


def test_a_row_that_was_read_may_be_sent_back(office: Office) -> None:
    row = office.create()
    sent = {"id": row["id"], "source": "manual", "amount_usd": 1, "flag": None, "amount": 5}
    assert office.ask("deal.edit", id=row["id"], deal=sent).status == 200


def test_a_command_nobody_knows_is_answered(office: Office) -> None:
    assert office.ask("deal.burn", deal=1).status == 400


def test_a_command_that_fails_is_answered_and_the_next_one_obeyed(office: Office) -> None:
    broken, good = office.put("deal.edit", deal=1), office.put("deal.create", deal=PILOT)
    office.commands.run()
    assert office.answer(broken).status == 500
    assert office.answer(good).status == 201


def test_an_answered_command_is_forgotten_after_a_week(office: Office) -> None:
    office.ask("deal.create", "one", deal=PILOT)
    office.now += KEPT - DAY
    office.commands.run()
    assert office.rows("select count(*) from inbox") == [(1,)]
    office.now += 2 * DAY
    waiting = office.put("deal.create", "two", deal=PILOT)
    office.commands.run()
    assert office.rows("select id from inbox") == [(waiting,)]


class Crash(RuntimeError):
    """The process ends here."""


@pytest.mark.parametrize("step", range(4))
def test_a_command_whose_worker_dies_is_obeyed_once(office: Office, step: int) -> None:
    """The n-th thing the worker writes kills it; another one takes over."""
    number = office.put("deal.create", deal=PILOT)
    calls = 0

    def dying(_: Connection) -> None:
        nonlocal calls
        calls += 1
        if calls == step + 1:
            raise Crash

    office.guard = dying
    with suppress(Crash):
        office.commands.run()
    office.guard = unguarded
    office.restart()
    office.commands.run()
    assert office.answer(number).status == 201
    assert len(office.facts.deals()) == 1
    assert office.rows("select count(*) from audit") == [(1,)]


def test_a_worker_that_dies_between_the_fact_and_the_answer_writes_neither(
    office: Office,
) -> None:
    number = office.put("deal.create", deal=PILOT)

    class Halfway(Inbox):
        def answered(self, command: Any, status: int, body: Any) -> Any:  # noqa: ARG002
            def die(_: Connection) -> None:
                raise Crash

            return die

    with pytest.raises(Crash):
        Commands(office.facts, Halfway(office.engine), lambda: NOON).run()
    assert office.facts.deals() == []
    assert office.answer(number).status == 0


FILE = (
    "Deal Name,Revenue,Status,Closed Date,Currency\r\n"
    'Übersee GmbH,"1200.50",recognized,2026-11-02,USD\r\n'
    '"Two\r\nlines",-30,recognized,2026-11-03,EUR\r\n'
)


def test_a_dry_run_shows_and_changes_nothing(office: Office) -> None:
    told = office.load(FILE, dry_run=True)
    assert told.status == 200
    assert (told.body["dry_run"], told.body["applied"]) == (True, False)
    assert (told.body["rows"], told.body["new"], told.body["refused"]) == (2, 2, 0)
    first, second = told.body["preview"]
    assert (first["line"], first["deal"]["name"], first["action"]) == (2, "Übersee GmbH", "new")
    assert (second["line"], second["deal"]["amount"]) == (3, -30 * NANO)
    assert second["deal"]["flag"] == "no rate for EUR: not counted"
    assert office.facts.deals() == []


def test_an_import_is_taken_once_however_often_it_is_sent(office: Office) -> None:
    assert office.load(FILE).body["new"] == 2
    before = office.facts.deals()
    again = office.load(FILE)
    assert (again.body["new"], again.body["changed"], again.body["unchanged"]) == (0, 0, 2)
    assert office.facts.deals() == before
    assert office.rows("select count(*) from audit") == [(2,)]


def test_a_row_of_a_later_file_changes_its_deal(office: Office) -> None:
    office.load("id,name,status,amount,notes\na,Pilot,pending,5,old\n")
    told = office.load("id,name,status,amount\na,Pilot,pipeline,6\n")
    assert (told.body["changed"], told.body["new"]) == (1, 0)
    (deal,) = office.facts.deals()
    assert (deal.status, deal.amount, deal.notes) == (Status.PIPELINE, 6 * NANO, "old")


def test_one_bad_row_keeps_the_file_out_unless_the_good_ones_are_wanted(office: Office) -> None:
    text = 'id,name,status,amount\na,A,pending,1\nb,B,pending,"1,000.00"\nc,C,pending,3\n'
    told = office.load(text)
    assert (told.status, told.body["refused"], told.body["applied"]) == (400, 1, False)
    (error,) = told.body["errors"]
    assert (error["line"], error["column"]) == (3, "amount")
    assert "thousands" in error["remedy"]
    assert office.facts.deals() == []
    told = office.load(text, partial=True)
    assert (told.status, told.body["applied"], told.body["new"]) == (200, True, 2)
    assert [deal.id for deal in office.facts.deals()] == ["a", "c"]


def test_a_file_that_is_none_is_refused_with_its_line(office: Office) -> None:
    told = office.load('id,name,status,amount\na,"A,pending,1\n')
    assert told.status == 400
    assert told.body["errors"][0]["line"] == 2
    assert office.load("").status == 400


def test_a_file_may_edit_a_deal_made_by_hand(office: Office) -> None:
    row = office.create()
    text = f"id,source,name,status,amount\n{row['id']},manual,Pilot,recognized,5\n"
    told = office.load(text)
    assert told.body["changed"] == 1, told.body
    (deal,) = office.facts.deals()
    assert (deal.source, deal.amount, deal.closed_date) == ("manual", 5 * NANO, date(2026, 11, 2))


def test_a_file_exported_before_an_edit_does_not_undo_it(office: Office) -> None:
    row = office.create(status="pending")
    stamp = moment.text(NOON)
    text = "id,name,status,amount,updated_at\n{},Pilot,pending,5,{}\n"
    assert office.load(text.format(row["id"], stamp)).body["changed"] == 1
    stale = office.load(text.format(row["id"], stamp))
    assert stale.status == 400
    assert stale.body["errors"][0]["column"] == "updated_at"


def test_a_recognized_deal_takes_the_rate_of_the_day_for_good(office: Office) -> None:
    office.facts.convert({"EUR": Decimal("1.10")})
    row = office.create(currency="EUR")
    assert (row["rate"], row["rate_date"]) == (Decimal("1.1"), "2026-11-20")
    assert row["amount_usd"] == 110_110_000_000
    office.facts.convert({"EUR": Decimal(2)})
    told = office.ask("deal.edit", id=row["id"], deal={"notes": "seen"})
    assert told.body["deal"]["amount_usd"] == 110_110_000_000
    (entry,) = office.rows("select after from audit where action = 'edit'")
    assert json.loads(entry[0])["rate"] == 1.1


EDITS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1),
            "amount": st.decimals(-(10**6), 10**6, places=4).map(str),
            "status": st.sampled_from(["recognized", "pending", "pipeline", "lost", "void"]),
        },
    ),
    max_size=5,
)


@settings(max_examples=20, deadline=None)
@given(wishes=EDITS, fatal=st.integers(0, 12))
def test_commands_end_alike_wherever_the_worker_dies(
    tmp_path_factory: pytest.TempPathFactory, wishes: list[Mapping[str, Any]], fatal: int
) -> None:
    """Killed at its n-th write and begun again, it leaves what an unbroken one leaves."""
    ends = []
    for deaths in (None, fatal):
        made = engine.writer(f"sqlite:///{tmp_path_factory.mktemp('office') / 'northstar.db'}")
        schema.upgrade(made)
        office = Office(made)
        row = office.create()
        for wish in wishes:
            office.put("deal.edit", id=row["id"], deal=dict(wish))
        _die_at(office, deaths)
        ends.append((office.facts.deals(), office.rows("select status, answer from inbox")))
        ends[-1] += (office.rows("select action, before, after from audit order by id"),)
        made.dispose()
    assert ends[0] == ends[1]


def _die_at(office: Office, deaths: int | None) -> None:
    left = [-1 if deaths is None else deaths]

    def dying(_: Connection) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Crash

    office.guard = dying
    for _ in range(2):
        with suppress(Crash):
            office.commands.run()
        office.restart()


def test_a_deal_by_hand_is_in_the_next_snapshot(store: Store, url: str, hands: Hands) -> None:
    """Also when it is taken back, and when it was dated to a day long past."""
    other = engine.writer(url)
    inbox = Inbox(other)
    commands = Commands(store.facts, Inbox(other, clock=hands), hands)
    cycle, fetch = assembled(store, hands, Script(), inlets=[commands])
    cycle.run()
    nets = []
    for number, (kind, body) in enumerate(
        [
            ("deal.create", {"deal": PILOT}),
            ("deal.create", {"deal": PILOT | {"closed_date": "2026-11-20", "amount": "-0.10"}}),
            ("deal.create", {"deal": PILOT | {"status": "pending"}}),
        ]
    ):
        inbox.put(f"key-{number}", kind, body, "local")
        cycle.run()
        last = store.snapshots.last()
        assert last is not None
        nets.append(decode(last[2])["revenue"]["recognized"])
    fetch.close()
    other.dispose()
    assert nets == [Decimal("100.1"), 100, 100]
