"""HTTP connections of which no read outlives the deadline it was made under."""

import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.connection import create_connection

from pipeline.sources.source import Deadline

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

POOL = 5
LEAST = 0.001
"""Seconds; a socket takes 0 for «do not wait at all»."""

Address = tuple[str, int]
LookUp = Callable[..., list[Any]]

_deadline: ContextVar[Deadline] = ContextVar("deadline")


@contextmanager
def within(deadline: Deadline) -> Iterator[None]:
    """Bind every answer that begins inside to the deadline, headers and body alike."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


def connected(
    connection: HTTPConnection, host: str, deadline: Deadline, look_up: LookUp = socket.getaddrinfo
) -> socket.socket:
    """Return a socket to the host by the deadline; its name's look-up, too, ends by then.

    Each of its addresses has an equal part of the time that is left, so that one which swallows
    everything keeps nothing from the next.
    """
    try:
        addresses = _resolved(host.strip("[]"), connection.port, deadline, look_up)
        return _first(addresses, deadline, connection.socket_options)
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, str(error)) from error
    except OSError as error:
        raise NewConnectionError(connection, f"no connection to {host}: {error}") from error


def _first(addresses: list[Address], deadline: Deadline, options: Any) -> socket.socket:  # noqa: ANN401 (urllib3's own type)
    """Return a socket to the first address that answers in its part of the time."""
    failure = OSError("it has no address")
    for tried, address in enumerate(addresses):
        part = max(deadline.remaining() / (len(addresses) - tried), LEAST)
        try:
            return create_connection(address, part, socket_options=options)
        except OSError as error:
            failure = error
    raise failure


def _resolved(host: str, port: int, deadline: Deadline, look_up: LookUp) -> list[Address]:
    """Return the addresses of a host; the system's resolver knows no time limit of its own."""
    answers: Queue[list[Any] | OSError] = Queue(1)

    def ask() -> None:
        try:
            answers.put(look_up(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            answers.put(error)
        except UnicodeError as error:
            answers.put(OSError(f"no name of a host: {error}"))

    threading.Thread(target=ask, name="resolver", daemon=True).start()
    try:
        answer = answers.get(timeout=max(deadline.remaining(), LEAST))
    except Empty:
        raise TimeoutError(f"the name {host} was not resolved by the deadline") from None
    if isinstance(answer, OSError):
        raise answer
    return [(each[4][0], each[4][1]) for each in answer]


class BoundAdapter(HTTPAdapter):
    """A pool of kept-alive connections whose answers end by the deadline of `within`."""

    def __init__(self) -> None:
        """Keep five connections to the one host."""
        super().__init__(pool_connections=1, pool_maxsize=POOL, pool_block=False)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (requests' own signature)
        """Make the pools with our connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


class _BoundStream(io.RawIOBase):
    """A socket's stream: a socket timeout alone begins again with each byte that drips in."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: Deadline) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        left = self._deadline.remaining()
        if not left:
            raise TimeoutError("the deadline passed")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (http.client's own signature)
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_BoundStream(self.fp.detach(), sock, _deadline.get()))


class _Connection(HTTPConnection):
    response_class = _Response

    def _new_conn(self) -> socket.socket:
        return connected(self, self.host, _deadline.get())


class _SecureConnection(HTTPSConnection):
    response_class = _Response

    def _new_conn(self) -> socket.socket:
        return connected(self, self.host, _deadline.get())


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection
