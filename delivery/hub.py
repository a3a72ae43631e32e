"""The hub: what every live client of one web process hears, and when."""

import logging
from collections import deque
from collections.abc import Callable
from itertools import cycle
from time import monotonic
from typing import Any, Protocol

import gevent

import telemetry
from delivery import messages
from delivery.client import Client, Wire
from delivery.errors import Closing, Full
from delivery.history import History
from delivery.messages import Message
from delivery.pace import Pace
from delivery.query import Position
from ledger import moment
from storage.errors import NotReady
from storage.reader import Head

OVERLAP = 10
"""A broadcast applies to any of the last ten snapshots, and to any of the last ten broadcasts."""

GOING_AWAY = 1001
_FIRST_RETRY_MS, _RETRY_STEPS = 250, 16
_log = logging.getLogger(__name__)

Listener = Callable[[bytes], bool]
"""Takes inbound bytes; False ends the connection."""


class Documents(Protocol):
    """What the hub reads from storage."""

    def head(self) -> Head:
        """Return the newest document; NotReady before the first."""

    def documents(self, after: int) -> list[Head]:
        """Return the kept documents with seq > after, ascending."""

    def oldest(self) -> int:
        """Return the oldest seq whose document is kept."""

    def changed(self) -> bool:
        """Tell whether something was committed since the last call."""


class Hub:
    """One per web process: reads each new document once, writes each message once per socket.

    Everything here runs on the event loop's thread, and nothing that writes waits: a turn is
    atomic, so a client joins exactly between two messages.
    """

    def __init__(
        self,
        reader: Documents,
        max_clients: int = 2000,
        clock: moment.Clock = moment.system,
        pace: Pace | None = None,
    ) -> None:
        """Read from `reader`; admit at most `max_clients`; `clock` gives microseconds."""
        self._reader, self._clock, self._pace = reader, clock, pace or Pace()
        self._places, self._taken = max_clients, 0
        self._clients: set[Client] = set()
        self._history: History | None = None
        self._told: deque[int] = deque(maxlen=OVERLAP)
        self._spoke = self._look_at = self._sweep_at = 0.0
        self._alive: Callable[[], bool] = bool
        self._greenlet: Any = None
        self._ending = False

    # --- life

    def start(self, alive: Callable[[], bool]) -> None:
        """Begin to listen and speak, until `alive` says no or `close` is called."""
        self._alive = alive
        self._greenlet = gevent.spawn(self._run)

    def close(self) -> None:
        """Say `bye` to all and end."""
        if not self._ending:
            self._farewell()

    @property
    def running(self) -> bool:
        """Whether somebody listens to the bell; otherwise callers `look` themselves."""
        return self._greenlet is not None and not self._greenlet.dead

    # --- what is known

    @property
    def history(self) -> History:
        """The newest document and the way to it; NotReady before the first."""
        if not self.running:
            self.look()
        if self._history is None:
            raise NotReady
        return self._history

    def look(self) -> None:
        """Take in what storage has beyond what is known; another epoch begins anew."""
        try:
            head = self._reader.head()
        except NotReady:
            return
        known = self._history
        if known is None or known.head.epoch != head.epoch:
            self._begin_anew()
        elif known.head.seq < self._reader.oldest():
            self._history = self._read_all()
        elif known.head.seq < head.seq:
            for document in self._reader.documents(known.head.seq):
                if document.epoch == known.head.epoch:
                    known.add(document)

    def answer(self, position: Position | None) -> Message:
        """Return the one message that brings a caller who holds `position` to the head."""
        head = self.history.head
        if position is None:
            return messages.snapshot(head, self._now_ms())
        if position == Position(head.epoch, head.seq):
            return messages.beat(head, self._now_ms())
        after = position.seq if position.epoch == head.epoch else messages.ANYWHERE
        return self._reach(after, resumed=True)

    # --- clients

    def admit(self) -> None:
        """Take a place; Full, Closing or NotReady otherwise. `release` gives it back."""
        if self._ending:
            raise Closing("This process is about to end; come back in a second.")
        if self._taken >= self._places:
            raise Full(f"All {self._places} places are taken; come back in 5 seconds or poll.")
        _ = self.history
        self._taken += 1

    def release(self) -> None:
        """Give a place back."""
        self._taken -= 1

    def serve(
        self,
        sock: Any,  # noqa: ANN401 -- gevent's socket
        wire: Wire,
        position: Position | None,
        listen: Callable[[Client], Listener],
        greeting: bytes = b"",
    ) -> None:
        """Keep an admitted client at the head until it leaves; returns when it has."""
        first = self.answer(position)
        client = Client(sock, wire, self._repair)
        heard = listen(client)
        self._clients.add(client)
        telemetry.CLIENTS.labels(wire.name).inc()
        try:
            client.begin(greeting, first)
            while (data := client.read()) and heard(data):
                pass
        finally:
            self._clients.discard(client)
            telemetry.CLIENTS.labels(wire.name).dec()
            client.drop()

    # --- the greenlet

    def _run(self) -> None:
        while self._alive() and not self._ending:
            try:
                self._turn(monotonic())
            except Exception:  # noqa: BLE001 -- one bad turn (a busy disk) must not silence every client
                _log.exception("the hub failed a turn; it goes on")
            gevent.sleep(self._pace.bell)
        self.close()

    def _turn(self, now: float) -> None:
        if now >= self._look_at or self._reader.changed():
            self._look_at = now + self._pace.look
            self.look()
        if self._history is not None:
            self._speak(self._history, now)
        if now >= self._sweep_at:
            self._sweep_at = now + self._pace.sweep
            self._sweep(now)

    def _speak(self, history: History, now: float) -> None:
        news = not self._told or self._told[-1] != history.head.seq
        if news and now - self._spoke >= self._pace.spacing:
            self._broadcast(self._reach(self._overlap(history), resumed=False))
            self._told.append(history.head.seq)
        elif now - self._spoke >= self._pace.silence:
            beat = messages.beat(history.head, self._now_ms())
            for client in self._clients:
                client.tell(beat)
            telemetry.MESSAGES.labels(messages.BEAT).inc(len(self._clients))
        else:
            return
        self._spoke = now

    def _broadcast(self, message: Message) -> None:
        with telemetry.BROADCAST_SECONDS.time():
            for client in self._clients:
                client.push(message)
        telemetry.MESSAGES.labels(message.kind).inc(len(self._clients))

    def _sweep(self, now: float) -> None:
        for client in self._clients:
            reason = client.verdict(now, self._pace)
            if reason:
                client.cut()
                telemetry.CUT.labels(reason).inc()

    def _farewell(self) -> None:
        self._ending = True
        spread = max(1000, 2 * len(self._clients)) // _RETRY_STEPS
        retries = (_FIRST_RETRY_MS + step * spread for step in range(_RETRY_STEPS))
        byes = cycle([messages.bye("shutdown", "the server restarts", ms) for ms in retries])
        for client, bye in zip(tuple(self._clients), byes, strict=False):
            client.close(GOING_AWAY, "shutdown", bye)
        deadline = monotonic() + self._pace.farewell
        while self._clients and monotonic() < deadline:
            gevent.sleep(self._pace.bell)
        for client in self._clients:
            client.drop()

    # --- messages

    def _reach(self, after: int, *, resumed: bool) -> Message:
        history = self.history
        head = history.head
        if history.covers(head.epoch, after):
            data = history.encoded(after)
            if len(data) < len(head.text):
                recovered = True if resumed else None
                return messages.delta(head, after, data, self._now_ms(), recovered=recovered)
        return messages.snapshot(head, self._now_ms(), recovered=False if resumed else None)

    def _repair(self, seq: int) -> Message:
        return self._reach(seq, resumed=False)

    def _overlap(self, history: History) -> int:
        if not self._told or self._told[-1] < history.floor:
            return messages.ANYWHERE
        return max(history.floor, min(history.head.seq - OVERLAP, self._told[0]))

    def _begin_anew(self) -> None:
        self._history = self._read_all()
        self._told.clear()
        for client in self._clients:
            client.seq = messages.ANYWHERE

    def _read_all(self) -> History:
        first, *others = self._reader.documents(messages.ANYWHERE)
        history = History(first)
        for document in others:
            history.add(document)
        return history

    def _now_ms(self) -> int:
        return self._clock() // 1000
