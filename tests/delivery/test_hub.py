"""The hub: when it looks, what it says, and that nothing silences it."""

import logging
import select
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

import gevent
import pytest
from gevent import socket

from delivery import frames, messages
from delivery.client import Client, Wire
from delivery.errors import Closing, Full
from delivery.hub import OVERLAP, Hub, Listener
from delivery.messages import Message
from delivery.pace import Pace
from delivery.query import NOWHERE, Position
from ledger.snapshot import apply
from storage import text
from storage.errors import NotReady
from storage.reader import Reader
from tests.delivery.conftest import Database

LINES = Wire("sse", attrgetter("event"), lambda _code, _reason: b"")
QUICK = Pace(bell=0.001, spacing=0.001, look=0.01, farewell=0.2)


def fields(message: Message) -> dict[str, Any]:
    return dict(text.decode(message.body))


class Unsteady(Reader):
    """A reader whose disk fails when told to."""

    failing = False

    def head(self) -> Any:
        if self.failing:
            raise OSError("the disk is busy")
        return super().head()


class Listening:
    """One client of a hub in this process, and the lines it reads."""

    def __init__(self, hub: Hub, position: Position | None = None) -> None:
        """Join the hub over a socket pair."""
        self._ours, self._theirs = socket.socketpair()
        self._theirs.settimeout(20)
        hub.admit()
        self.greenlet = gevent.spawn(hub.serve, self._ours, LINES, position, self._listen)
        self._lines = self._theirs.makefile("rb")

    @staticmethod
    def _listen(_: Client) -> Listener:
        return lambda data: not data.endswith(b"leave")

    def message(self) -> dict[str, Any]:
        for line in self._lines:
            if line.startswith(b"data: "):
                return dict(text.decode(line[6:]))
        raise EOFError

    def quiet(self) -> bool:
        """Tell whether nothing more has arrived."""
        return not select.select([self._theirs], [], [], 0)[0]

    def say(self, data: bytes) -> None:
        self._theirs.sendall(data)

    def close(self) -> None:
        self._lines.close()
        self._theirs.close()
        self.greenlet.join(20)
        self._ours.close()


@pytest.fixture
def begin(database: Database) -> Iterator[Callable[..., Hub]]:
    hubs: list[Hub] = []

    def made(pace: Pace = QUICK, reader: Reader | None = None, **chosen: Any) -> Hub:
        hub = Hub(reader or database.reader(), pace=pace, **chosen)
        hub.start(lambda: True)
        hubs.append(hub)
        return hub

    yield made
    for hub in hubs:
        hub.close()


def settle(holds: Callable[[], Any]) -> None:
    with gevent.Timeout(20):
        while not holds():
            gevent.sleep(0.001)


def knows(hub: Hub, seq: int) -> bool:
    try:
        return hub.history.head.seq == seq
    except NotReady:
        return False


def test_before_the_first_snapshot_nothing_is_known(database: Database) -> None:
    hub = Hub(database.reader())
    with pytest.raises(NotReady):
        _ = hub.history
    with pytest.raises(NotReady):
        hub.admit()
    database.append(1)
    assert hub.history.head.seq == 1


def test_a_hub_that_is_not_started_looks_when_asked(database: Database) -> None:
    hub = Hub(database.reader())
    for net in range(3):
        seq = database.append(net)
        assert fields(hub.answer(None))["seq"] == seq


def test_an_answer_brings_every_position_to_the_head(database: Database) -> None:
    hub = Hub(database.reader())
    for net in range(20):
        last = database.append(net, trading={f"m{net}": net})
        hub.look()
    for seq, document in database.documents.items():
        answer = fields(hub.answer(Position(database.epoch, seq)))
        if seq == last:
            assert answer["type"] == "beat"
        else:
            assert answer["recovered"]
            assert apply(document, answer["data"]) == database.documents[last]
    for unknown in (NOWHERE, Position("other", 3), Position(database.epoch, last + 1)):
        answer = fields(hub.answer(unknown))
        assert (answer["type"], answer["recovered"]) == ("snapshot", False)


def test_what_was_pruned_before_it_was_read_is_no_delta(database: Database) -> None:
    database.append(0, trading={"a": 1})
    hub = Hub(database.reader())
    hub.look()
    database.append(1, trading={"a": 2})
    for net in range(9):
        last = database.append(net, trading={"a": 1})
    database.prune(keep=5, seconds=0)
    answer = fields(hub.answer(Position(database.epoch, 2)))
    assert (answer["type"], answer["data"]) == ("snapshot", database.documents[last])


def test_a_broadcast_reaches_back_ten_snapshots(
    begin: Callable[..., Hub], database: Database
) -> None:
    for net in range(30):
        last = database.append(net)
    hub = begin()
    settle(lambda: knows(hub, last))
    client = Listening(hub)
    assert client.message()["type"] == "snapshot"
    last = database.append(99)
    delta = client.message()
    assert (delta["seq"], delta["prev"]) == (last, last - OVERLAP)
    client.close()


def test_news_wait_until_the_last_message_is_long_enough_ago(
    begin: Callable[..., Hub], database: Database
) -> None:
    database.append(0)
    hub = begin(Pace(bell=0.001, look=0.01, spacing=1000, silence=2000))
    settle(lambda: knows(hub, 1))
    gevent.sleep(0.01)
    early = Listening(hub)
    early.message()
    last = database.append(1)
    settle(lambda: knows(hub, last))
    late = Listening(hub)
    assert late.message()["seq"] == last
    assert early.quiet()
    early.close()
    late.close()


def test_a_disk_that_fails_for_a_while_silences_nobody(
    begin: Callable[..., Hub], database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    database.append(0)
    reader = Unsteady(database.url)
    hub = begin(reader=reader)
    settle(lambda: knows(hub, 1))
    client = Listening(hub)
    client.message()
    reader.failing = True
    last = database.append(1)
    with caplog.at_level(logging.ERROR):
        settle(lambda: caplog.records)
    reader.failing = False
    assert client.message()["seq"] == last
    client.close()


def test_places_are_given_back(database: Database) -> None:
    database.append(0)
    hub = Hub(database.reader(), max_clients=1)
    hub.admit()
    with pytest.raises(Full):
        hub.admit()
    hub.release()
    hub.admit()


def test_a_listener_may_end_the_connection(begin: Callable[..., Hub], database: Database) -> None:
    database.append(0)
    hub = begin()
    settle(lambda: knows(hub, 1))
    client = Listening(hub)
    client.message()
    client.say(b"stay")
    client.say(b"leave")
    client.greenlet.get(timeout=20)
    client.close()


def test_the_end_is_said_to_all_and_nobody_comes_in_after(
    begin: Callable[..., Hub], database: Database
) -> None:
    database.append(0)
    hub = begin()
    settle(lambda: knows(hub, 1))
    clients = [Listening(hub) for _ in range(40)]
    for client in clients:
        client.message()
    hub.close()
    retries = {client.message()["retry_ms"] for client in clients}
    assert len(retries) == 16
    with pytest.raises(Closing):
        hub.admit()
    for client in clients:
        client.close()


def test_one_that_ignores_the_end_does_not_hold_it_up(
    begin: Callable[..., Hub], database: Database
) -> None:
    database.append(0)
    hub = begin()
    settle(lambda: knows(hub, 1))
    ours, theirs = socket.socketpair()
    patient = Wire("ws", attrgetter("frame"), frames.close, frames.PING)
    hub.admit()
    serving = gevent.spawn(hub.serve, ours, patient, None, lambda _: lambda _data: True)
    theirs.recv(1)
    hub.close()
    serving.get(timeout=20)
    ours.close()
    theirs.close()


def test_messages_are_the_protocol_s() -> None:
    assert {messages.SNAPSHOT, messages.DELTA, messages.BEAT, messages.BYE} == {
        "snapshot",
        "delta",
        "beat",
        "bye",
    }
