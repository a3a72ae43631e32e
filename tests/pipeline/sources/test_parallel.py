"""Reads beside each other: one that fails keeps nothing from the others."""

from collections.abc import Iterator
from threading import Barrier

import pytest

from pipeline.sources.client import Broken, Throttled
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


def test_pages_come_in_the_order_asked(parallel: Parallel) -> None:
    reads = [reading(named("a"), named("b")), reading(named("c"))]
    assert list(parallel.pages(reads)) == [named("a"), named("b"), named("c")]


def test_reads_really_run_beside_each_other(parallel: Parallel) -> None:
    meeting = Barrier(3)

    def read() -> Iterator[Page]:
        meeting.wait(timeout=20)
        yield named("met")

    assert list(parallel.pages([read] * 3)) == [named("met")] * 3


def test_a_failure_is_raised_after_everything_that_came(parallel: Parallel) -> None:
    came = []
    reads = [reading(named("a"), error=Broken("later")), reading(named("b"))]
    with pytest.raises(Broken):
        came.extend(parallel.pages(reads))
    assert came == [named("a"), named("b")]


def test_a_real_failure_is_told_before_a_429(parallel: Parallel) -> None:
    reads = [reading(error=Throttled("busy")), reading(error=Broken("bad"))]
    with pytest.raises(Broken):
        list(parallel.pages(reads))
