"""A breaker: an upstream that failed three polls in a row is left alone for a minute."""

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Concatenate, ParamSpec, Protocol, TypeVar

import pybreaker

from ledger import moment
from pipeline.sources.failure import PATIENT, Resting, SourceError
from pipeline.sources.source import Deadline, Timepiece

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half-open"
FAILURES = 3
REST_SECONDS = 60.0
_FOREVER = 1e8
"""Seconds the library would wait by itself: its clock is the wall's, which a machine may set."""

T = TypeVar("T")
P = ParamSpec("P")


class Breaker:
    """Closed, open after three failed polls in a row, half-open for one probe after a minute.

    What counts is a whole poll after its retries (`ended`); a 429 counts for nothing. Requests
    pass through `asking`; while it is half-open one goes ahead and the others wait for its end.
    """

    def __init__(self, name: str, timepiece: Timepiece) -> None:
        """Begin closed; `name` says what is not asked while it is open."""
        self._name = name
        self._timepiece = timepiece
        self._circuit = pybreaker.CircuitBreaker(fail_max=FAILURES, reset_timeout=_FOREVER)
        self._lock = threading.RLock()
        self._probe = threading.Lock()
        self._probed = False
        self._asked = False
        self._until = 0.0
        self._sentence = ""

    @property
    def state(self) -> str:
        """Return closed, open or half-open; open ends with its minute, asked or not."""
        with self._lock:
            rested = self._timepiece.monotonic() >= self._until
            if self._circuit.current_state == OPEN and rested:
                self._circuit.half_open()
                self._probed = False
            return self._circuit.current_state

    @contextmanager
    def asking(self, deadline: Deadline) -> Iterator[None]:
        """Let one request, its retries included, go ahead; Resting when it may not."""
        probing = self._probes(deadline)
        self._asked = True
        if not probing:
            yield
            return
        try:
            yield
        except SourceError as error:
            self._probed = _alive(error)
            if not self._probed:
                self.ended(error)
            raise
        else:
            self._probed = True
        finally:
            self._probe.release()

    def ended(self, error: SourceError | None) -> None:
        """Count one whole poll: how it failed after its retries, or None when it did not.

        A poll that asked nothing, or was told to ask later, says nothing.
        """
        if not isinstance(error, PATIENT) and (self._asked or error is not None):
            self._asked = False
            self._count(error)

    def whole(self, items: Iterator[T]) -> Iterator[T]:
        """Yield the items of one whole poll and count how it ended."""
        try:
            yield from items
        except SourceError as error:
            self.ended(error)
            raise
        self.ended(None)

    def _probes(self, deadline: Deadline) -> bool:
        """Return whether this request is the probe, which then holds the lock for it."""
        if self._passable():
            return False
        if not self._probe.acquire(timeout=deadline.remaining()):
            raise self._resting()
        try:
            probing = not self._passable()
        except Resting:
            self._probe.release()
            raise
        if not probing:
            self._probe.release()
        return probing

    def _passable(self) -> bool:
        state = self.state
        if state == OPEN:
            raise self._resting()
        return state == CLOSED or self._probed

    def _count(self, error: SourceError | None) -> None:
        with self._lock:
            was = self.state
            with suppress(pybreaker.CircuitBreakerError, SourceError):
                self._circuit.call(_end, error)
            if was != OPEN and self._circuit.current_state == OPEN:
                self._opened(error)

    def _opened(self, error: SourceError | None) -> None:
        self._until = self._timepiece.monotonic() + REST_SECONDS
        until = moment.text(self._timepiece.now() + round(REST_SECONDS * moment.MICROS))
        self._sentence = f"{self._name} not asked until {until[11:19]}Z: {error}"

    def _resting(self) -> Resting:
        return Resting(self._sentence, wait=max(0.0, self._until - self._timepiece.monotonic()))


class Guarded(Protocol):
    """A source whose polls one breaker counts."""

    @property
    def breaker(self) -> Breaker:
        """Return the breaker of its requests."""
        ...


S = TypeVar("S", bound=Guarded)


def counted(
    method: Callable[Concatenate[S, P], Iterator[T]],
) -> Callable[Concatenate[S, P], Iterator[T]]:
    """Make each run of a source's method one whole poll of its breaker."""

    @functools.wraps(method)
    def polled(source: S, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        return source.breaker.whole(method(source, *args, **kwargs))

    return polled


def _end(error: SourceError | None) -> None:
    if error is not None:
        raise error


def _alive(error: SourceError) -> bool:
    """Return whether the upstream answered this one request: it lives, the poll shall go on."""
    return 400 <= error.status < 500 and error.status not in {401, 429}  # noqa: PLR2004 (HTTP's)
