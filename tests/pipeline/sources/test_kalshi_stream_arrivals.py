"""What waits to be recorded: taken once, bounded, and the oldest fill's age known."""

import pytest

from ledger.facts import Fill, Mark, Side
from pipeline.sources.kalshi_stream_arrivals import MOST, Arrivals, Full
from storage.facts import Page, Reject
from tests.pipeline.sources.conftest import Hands

REJECT = Reject("kalshi", "a", "count_fp", "is missing", "{}")


def fill(name: str) -> Fill:
    return Fill(name, 1, "A", Side.YES, 100, 5, 0, is_taker=True)


@pytest.fixture
def arrivals(hands: Hands) -> Arrivals:
    return Arrivals(lambda: hands.seconds)


def test_everything_is_taken_once(arrivals: Arrivals) -> None:
    mark = Mark("A", 1, 5, 6, None)
    arrivals.fill(fill("a"))
    arrivals.mark(mark)
    arrivals.refuse(REJECT)
    assert arrivals.take() == Page("kalshi", (fill("a"), mark), rejects=(REJECT,))
    assert arrivals.take() is None


def test_the_oldest_fill_that_waits_gives_the_time(arrivals: Arrivals, hands: Hands) -> None:
    assert arrivals.traded is None
    hands.sleep(2)
    arrivals.fill(fill("a"))
    hands.sleep(2)
    arrivals.fill(fill("b"))
    assert arrivals.traded == 2
    arrivals.take()
    assert arrivals.traded is None


def test_a_mark_or_a_refusal_waits_without_haste(arrivals: Arrivals) -> None:
    arrivals.refuse(REJECT)
    assert (arrivals.traded, arrivals.marked) == (None, True)
    arrivals.take()
    assert not arrivals.marked


def test_more_than_may_wait_is_said(arrivals: Arrivals) -> None:
    for number in range(MOST):
        arrivals.fill(fill(str(number)))
    with pytest.raises(Full):
        arrivals.fill(fill("one more"))
    with pytest.raises(Full):
        arrivals.refuse(REJECT)
    page = arrivals.take()
    assert page is not None
    assert len(page.facts) == MOST
