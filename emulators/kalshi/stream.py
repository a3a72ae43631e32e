"""The trade API's WebSocket: signed handshakes, sockets, and the thread that brings the news."""

from collections.abc import Collection, Mapping
from functools import partial
from io import BufferedIOBase
from socket import socket
from threading import Lock, Thread

from emulators import frames
from emulators.kalshi.errors import bad_request, forced
from emulators.kalshi.session import Session
from emulators.kalshi.signature import PublicKey, refusal
from emulators.kalshi.watch import Wanted, Watch
from emulators.peer import Peer
from emulators.server import Reply, Request
from emulators.world.world import World

PACE_SECONDS = 0.025
"""How often the world is looked at while somebody listens; what is told comes at once."""


class Stream:
    """All sockets of a world; several at once."""

    def __init__(self, world: World, keys: Mapping[str, PublicKey]) -> None:
        """Have no socket yet; `keys` by key id."""
        self._world = world
        self._keys = keys
        self._guard = Lock()
        self._sessions: list[Session] = []
        self._watch: Watch | None = None

    def handshake(self, request: Request) -> Reply:
        """Answer the upgrade: 101 when it is one and signed, else what REST would say."""
        faults = self._world.faults.stream
        refused = refusal(request, self._keys, self._world.clock() // 1_000)
        if refused:
            return refused
        if faults.refuse:
            return forced(faults.refuse)
        key = request.header("sec-websocket-key")
        if request.header("upgrade").lower() != "websocket" or not key:
            return bad_request("the client is not using the websocket protocol").reply
        headers = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Accept": frames.accept(key),
        }
        return Reply(101, None, headers, partial(self._serve))

    def _serve(self, connection: socket, stream: BufferedIOBase) -> None:
        peer = Peer(connection, stream, self._world.faults.stream)
        session = self._joined(peer)
        peer.begin()
        try:
            for text in peer.texts():
                session.hear(text)
        finally:
            with self._guard:
                self._sessions = [one for one in self._sessions if one is not session]

    def _joined(self, peer: Peer) -> Session:
        with self._world.lock, self._guard:
            if self._watch is None:
                self._watch = Watch(self._world)
                Thread(target=self._bring, args=(self._watch,), daemon=True).start()
            session = Session(self._world, peer, self._watch)
            self._sessions.append(session)
            return session

    def _bring(self, watch: Watch) -> None:
        while True:
            stirred = self._world.stirred.wait(PACE_SECONDS)
            self._world.stirred.clear()
            with self._world.lock:
                sessions = self._listening()
                if not sessions:
                    return
                news = watch.look(_wanted(sessions), stirred=stirred)
                for session in sessions:
                    session.take(news)
            self._strike(sessions)

    def _listening(self) -> list[Session]:
        with self._guard:
            if not self._sessions:
                self._watch = None
            return list(self._sessions)

    def _strike(self, sessions: list[Session]) -> None:
        faults = self._world.faults.stream
        ending, overflow = faults.disconnect, faults.overflow
        faults.disconnect, faults.overflow = "", False
        for session in sessions:
            if overflow:
                session.overflow()
            if ending == "close":
                session.peer.close()
            if ending == "abort":
                session.peer.abort()


def _wanted(sessions: list[Session]) -> Wanted:
    wanted: dict[str, Collection[str] | None] = {}
    for session in sessions:
        for channel, tickers in session.subscriptions.wanted():
            known = wanted.get(channel, ())
            both = None if known is None or tickers is None else {*known, *tickers}
            wanted[channel] = both
    return wanted
