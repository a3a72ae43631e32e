"""A listener at the emulated stream: a client nobody here wrote, over a real socket."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import websocket

from tests.emulators.stage import Stage

PATH = "/trade-api/ws/v2"
PATIENCE = 10.0
Message = dict[str, Any]


class Ear:
    """One socket: what it asks, and what it hears in turn."""

    def __init__(self, socket: websocket.WebSocket) -> None:
        """Listen on a connected socket."""
        self.socket = socket
        self._number = 0

    def ask(self, command: str, **params: Any) -> int:
        """Send a command and return its id."""
        self._number += 1
        self.socket.send(json.dumps({"id": self._number, "cmd": command, "params": params}))
        return self._number

    def hear(self) -> Message:
        """Return the next message; fail after some patience, heartbeats or not."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            opcode, frame = self.socket.recv_data_frame(control_frame=True)
            if opcode == websocket.ABNF.OPCODE_TEXT:
                text = frame.data.decode()
                assert text.endswith("\n"), text
                found: Message = json.loads(text)
                return found
            assert opcode != websocket.ABNF.OPCODE_CLOSE, "closed"
        raise TimeoutError("heartbeats only")

    def until(self, wanted: Callable[[Message], bool]) -> Message:
        """Return the first message that is wanted."""
        while not wanted(found := self.hear()):
            pass
        return found

    def next(self, kind: str) -> Message:
        """Return the next message of a type."""
        return self.until(lambda message: message["type"] == kind)

    def answer(self, command: str, **params: Any) -> Message:
        """Send a command and return the first message that carries its id."""
        number = self.ask(command, **params)
        return self.until(lambda message: message.get("id") == number)

    def join(self, *channels: str, **params: Any) -> list[int]:
        """Subscribe to channels and return their sids."""
        self.ask("subscribe", channels=list(channels), **params)
        return [int(self.next("subscribed")["msg"]["sid"]) for _ in channels]


def url(stage: Stage) -> str:
    """Return where the stream is."""
    return stage.urls["kalshi"].replace("http://", "ws://") + PATH


@contextmanager
def listening(stage: Stage) -> Iterator[Ear]:
    """Connect, signed; close at the end."""
    socket = websocket.create_connection(url(stage), header=stage.signed(PATH), timeout=PATIENCE)
    raw = socket.sock
    try:
        yield Ear(socket)
    finally:
        socket.close()
        raw.close()
