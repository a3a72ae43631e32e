"""Reads beside each other: one that fails keeps nothing from the others."""

from collections.abc import Iterator
from threading import Barrier

import pytest

from pipeline.sources.client import Broken
from pipeline.sources.parallel import Parallel, Reading
from storage.facts import Page


@pytest.fixture
def parallel() -> Iterator[Parallel]:
    made = Parallel(3, "test")
    yield made
    made.close()


def reading(*pages: Page, error: Exception | None = None) -> Reading:
    """Return a read that yields pages and then fails, if it is to."""

    def read() -> Iterator[Page]:
        yield from pages
        if error:
            raise error

    return read


def named(text: str) -> Page:
    return Page("kalshi", cursor={"name": text})


def pages(parallel: Parallel, reads: list[Reading]) -> list[Page]:
    return [page for outcome in parallel.outcomes(reads) for page in outcome.pages]


def test_pages_come_in_the_order_asked(parallel: Parallel) -> None:
    reads = [reading(named("a"), named("b")), reading(named("c"))]
    assert pages(parallel, reads) == [named("a"), named("b"), named("c")]


def test_reads_really_run_beside_each_other(parallel: Parallel) -> None:
    meeting = Barrier(3)

    def read() -> Iterator[Page]:
        meeting.wait(timeout=20)
        yield named("met")

    assert pages(parallel, [read] * 3) == [named("met")] * 3


def test_a_failure_keeps_nothing_from_the_others_nor_what_came_before_it(
    parallel: Parallel,
) -> None:
    reads = [reading(named("a"), error=Broken("later")), reading(named("b"))]
    first, second = parallel.outcomes(reads)
    assert (first.pages, str(first.error)) == ([named("a")], "later")
    assert (second.pages, second.error) == ([named("b")], None)
