"""Reads of one poll that run beside each other."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from pipeline.sources.client import SourceError
from pipeline.sources.crew import Crew
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
        self._crew = Crew(threads, name)

    def outcomes(self, reads: Iterable[Reading]) -> Iterator[Outcome]:
        """Run all the reads at once; yield how each ended, in the order asked."""
        for future in [self._crew.submit(partial(_outcome, read)) for read in reads]:
            yield future.result()

    def close(self) -> None:
        """Start no more reads."""
        self._crew.close()


def _outcome(read: Reading) -> Outcome:
    pages: list[Page] = []
    try:
        pages.extend(read())
    except SourceError as error:
        return Outcome(pages, error)
    return Outcome(pages, None)
