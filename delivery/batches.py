"""Batches: long reads, 500 rows at a time, off the event loop."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, ParamSpec, TypeVar

import gevent

SIZE = 500

P = ParamSpec("P")
T = TypeVar("T")


def away(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what `work` returns or raises, run on gevent's threadpool: nothing else waits."""
    # The pool prints what its threads raise, so the error comes back as a value.
    result, error = gevent.get_hub().threadpool.apply(_outcome, (work, args, kwargs))
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return] # the pool has no types


def batches(rows: Iterator[T], write: Callable[[list[T]], bytes]) -> Iterator[bytes]:
    """Yield `write` of each 500 rows; the read ends with the response, however that ends."""
    try:
        while part := away(_written, rows, write):
            yield part
    finally:
        close = getattr(rows, "close", None)
        if close is not None:
            away(close)


def _written(rows: Iterator[T], write: Callable[[list[T]], bytes]) -> bytes:
    part = list(islice(rows, SIZE))
    return write(part) if part else b""


def _outcome(
    work: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[T | None, Exception | None]:
    try:
        return work(*args, **kwargs), None
    except Exception as error:  # noqa: BLE001 -- raised again by `away`, on the caller's side
        return None, error
