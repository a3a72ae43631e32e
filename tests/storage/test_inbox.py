"""The inbox: a command is kept once by its key, and answered through its own row."""

import threading

import pytest

from storage import engine
from storage.errors import NotExact, Reused
from storage.facts import Page
from storage.inbox import WAITING, Inbox, answer
from tests.storage.databases import NOW, Database


@pytest.fixture
def inbox(db: Database) -> Inbox:
    return Inbox(db.engine, clock=lambda: NOW)


def test_a_command_waits_with_all_that_was_said(db: Database, inbox: Inbox) -> None:
    number = inbox.put("k", "deal.create", {"amount": "1.50", "n": None}, "local")
    (command,) = inbox.waiting()
    assert (command.id, command.kind, command.actor) == (number, "deal.create", "local")
    assert command.body == {"amount": "1.50", "n": None}
    assert command.made_at == NOW
    db.append()
    found = db.reader.answer(number)
    assert found is not None
    assert (found.status, found.body) == (WAITING, None)


def test_commands_are_obeyed_in_the_order_they_came(inbox: Inbox) -> None:
    numbers = [inbox.put(f"k{n}", "x", n, "local") for n in range(5)]
    assert [command.id for command in inbox.waiting()] == numbers
    assert [command.id for command in inbox.waiting(2)] == numbers[:2]


def test_a_key_belongs_to_one_command_of_one_actor(inbox: Inbox) -> None:
    first = inbox.put("k", "x", {"a": 1}, "one")
    assert inbox.put("k", "x", {"a": 1}, "one") == first
    assert inbox.put("k", "x", {"a": 2}, "two") != first
    for kind, body in (("x", {"a": 2}), ("y", {"a": 1})):
        with pytest.raises(Reused):
            inbox.put("k", kind, body, "one")


def test_an_answered_command_waits_no_more_and_keeps_only_a_seal(
    db: Database, inbox: Inbox
) -> None:
    number = inbox.put("k", "x", {"text": "long" * 100}, "local")
    (command,) = inbox.waiting()
    db.facts.record(Page("manual"), inbox.answered(command, 201, {"deal": 1}))
    assert inbox.waiting() == []
    db.append()
    found = db.reader.answer(number)
    assert found is not None
    assert (found.status, found.body, found.actor) == (201, {"deal": 1}, "local")
    ((body,),) = db.rows("select body from inbox")
    assert body.startswith("sha256:")
    assert inbox.put("k", "x", {"text": "long" * 100}, "local") == number


def test_there_is_no_answer_to_nothing(db: Database) -> None:
    with engine.deferred(db.engine).connect() as connection:
        assert answer(connection, 7) is None


def test_old_answers_are_forgotten_and_waiting_commands_never(db: Database, inbox: Inbox) -> None:
    inbox.put("old", "x", 1, "local")
    (command,) = inbox.waiting()
    db.facts.record(Page("manual"), inbox.answered(command, 200, 1))
    waiting = inbox.put("new", "x", 1, "local")
    inbox.prune(NOW)
    assert len(db.rows("select id from inbox")) == 2
    inbox.prune(NOW + 1)
    assert db.rows("select id from inbox") == [(waiting,)]
    assert inbox.put("old", "x", 1, "local") > waiting


def test_what_is_no_exact_json_is_no_command(inbox: Inbox) -> None:
    with pytest.raises(NotExact):
        inbox.put("k", "x", {"a": float("nan")}, "local")
    assert inbox.waiting() == []


def test_two_processes_with_one_key_make_one_command(db: Database) -> None:
    """Each has an engine of its own, as web processes have."""
    engines = [engine.writer(db.url) for _ in range(4)]
    numbers: list[int] = []
    threads = [
        threading.Thread(target=lambda made=made: numbers.append(Inbox(made).put("k", "x", 1, "a")))
        for made in engines
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for made in engines:
        made.dispose()
    assert len(numbers) == 4
    assert len(set(numbers)) == 1
