"""Reads of one poll that run beside each other."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pipeline.sources.client import SourceError
from storage.facts import Page

Reading = Callable[[], Iterator[Page]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a read brought, and how it failed after that, if it did."""

    pages: list[Page]
    error: SourceError | None


class Parallel:
    """A few threads that read pages; one failing read keeps nothing from the others."""

    def __init__(self, threads: int, name: str) -> None:
        """Start threads as they are needed."""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)

    def outcomes(self, reads: Iterable[Reading]) -> Iterator[Outcome]:
        """Run all the reads at once; yield how each ended, in the order asked."""
        for future in [self._pool.submit(_outcome, read) for read in reads]:
            yield future.result()

    def close(self) -> None:
        """Start no more reads."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _outcome(read: Reading) -> Outcome:
    pages: list[Page] = []
    try:
        pages.extend(read())
    except SourceError as error:
        return Outcome(pages, error)
    return Outcome(pages, None)
