"""One WebSocket peer: texts come in, texts go out in their order, a heartbeat in between."""

from collections.abc import Iterator
from contextlib import suppress
from io import BufferedIOBase
from queue import Empty, SimpleQueue
from socket import SHUT_RDWR, socket
from threading import Thread
from time import monotonic, sleep

from emulators import frames
from emulators.world.stream_faults import StreamFaults

HEARTBEAT_SECONDS = 10.0
_END = b""


class Peer:
    """A connection after its upgrade; every method but `texts` may be called by any thread."""

    def __init__(self, connection: socket, stream: BufferedIOBase, faults: StreamFaults) -> None:
        """Say nothing yet; `stream` reads what `connection` receives."""
        self._connection = connection
        self._stream = stream
        self._faults = faults
        self._queue: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
        connection.settimeout(None)

    @property
    def waiting(self) -> int:
        """How many frames are not yet sent."""
        return self._queue.qsize()

    def begin(self) -> None:
        """Write what is said, in a thread of its own."""
        Thread(target=self._write, daemon=True).start()

    def say(self, text: str) -> None:
        """Send a text, after what was said before."""
        self._put(frames.packed(frames.TEXT, text.encode()))

    def close(self, code: int = 1001) -> None:
        """Say goodbye, then end."""
        self._put(frames.packed(frames.CLOSE, code.to_bytes(2, "big")))
        self._put(_END)

    def abort(self) -> None:
        """End without a word."""
        with suppress(OSError):
            self._connection.shutdown(SHUT_RDWR)
        self._put(_END)

    def texts(self) -> Iterator[str]:
        """Yield what the peer says until it goes; answers its pings."""
        try:
            for frame in frames.messages(self._stream):
                if frame.opcode == frames.CLOSE:
                    break
                if frame.opcode == frames.PING and not self._faults.withhold_pongs:
                    self._put(frames.packed(frames.PONG, frame.payload))
                if frame.opcode in (frames.TEXT, frames.BINARY):
                    yield frame.payload.decode(errors="replace")
        except frames.Broken as broken:
            self.close(broken.code)
        except (OSError, ValueError):
            self.abort()
        else:
            self.close(1000)

    def _put(self, frame: bytes) -> None:
        self._queue.put((monotonic() + self._faults.delay_ms / 1_000, frame))

    def _write(self) -> None:
        beat = monotonic() + HEARTBEAT_SECONDS
        while True:
            try:
                due, frame = self._queue.get(timeout=max(0.0, beat - monotonic()))
            except Empty:
                beat += HEARTBEAT_SECONDS
                due, frame = 0.0, frames.packed(frames.PING, b"heartbeat")
            sleep(max(0.0, due - monotonic()))
            if frame == _END or not self._sent(frame):
                break
        with suppress(OSError):
            self._connection.shutdown(SHUT_RDWR)

    def _sent(self, frame: bytes) -> bool:
        if self._faults.silent:
            return True
        try:
            self._connection.sendall(frame)
        except OSError:
            return False
        return True
