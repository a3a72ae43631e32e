"""Reads of one poll that run beside each other."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pipeline.sources.client import SourceError, Throttled
from storage.facts import Page

Reading = Callable[[], Iterator[Page]]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a read brought, and how it failed after that, if it did."""

    pages: list[Page]
    error: SourceError | None


class Parallel:
    """A few threads that read pages; one failing read keeps nothing from the others."""

    def __init__(self, threads: int, name: str) -> None:
        """Start threads as they are needed."""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)

    def pages(self, reads: Iterable[Reading]) -> Iterator[Page]:
        """Yield what came, in the order asked; then raise the first failure, a 429 last."""
        errors: list[SourceError] = []
        for future in [self._pool.submit(_outcome, read) for read in reads]:
            outcome = future.result()
            yield from outcome.pages
            errors += [outcome.error] if outcome.error else []
        if errors:
            raise min(errors, key=lambda error: isinstance(error, Throttled))

    def close(self) -> None:
        """Start no more reads."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _outcome(read: Reading) -> _Outcome:
    pages: list[Page] = []
    try:
        pages.extend(read())
    except SourceError as error:
        return _Outcome(pages, error)
    return _Outcome(pages, None)
