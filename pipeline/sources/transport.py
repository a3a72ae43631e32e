"""HTTP connections of which no read outlives the deadline it was made under."""

import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from pipeline.sources.source import Deadline

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

POOL = 5

_deadline: ContextVar[Deadline] = ContextVar("deadline")


@contextmanager
def within(deadline: Deadline) -> Iterator[None]:
    """Bind every answer that begins inside to the deadline, headers and body alike."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


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


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection
