"""The breaker: three failed polls open it, a minute later one probe decides."""

import threading
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import pytest

from pipeline.sources.breaker import Breaker, counted
from pipeline.sources.failure import (
    Broken,
    Missing,
    Refused,
    Resting,
    SourceError,
    Throttled,
    Unreachable,
)
from pipeline.sources.source import Deadline
from tests.pipeline.sources.conftest import Hands


@pytest.fixture
def breaker(hands: Hands) -> Breaker:
    return Breaker("the account is", hands.timepiece())


def poll(breaker: Breaker, error: SourceError | None = None) -> None:
    """Make one poll of one request that ends so."""

    def pages() -> Iterator[None]:
        with breaker.asking(Deadline.after(5.0)):
            if error:
                raise error
        yield

    list(breaker.whole(pages()))


def fail(breaker: Breaker, times: int, error: SourceError | None = None) -> None:
    for _ in range(times):
        with pytest.raises(SourceError):
            poll(breaker, error or Broken("GET /x was answered 500", 500))


def test_three_failed_polls_in_a_row_open_it(breaker: Breaker) -> None:
    fail(breaker, 2)
    assert breaker.state == "closed"
    fail(breaker, 1)
    assert breaker.state == "open"


def test_a_poll_that_succeeds_begins_the_count_anew(breaker: Breaker) -> None:
    fail(breaker, 2)
    poll(breaker)
    fail(breaker, 2)
    assert breaker.state == "closed"


def test_a_429_counts_neither_as_failure_nor_as_success(breaker: Breaker) -> None:
    fail(breaker, 2)
    fail(breaker, 9, Throttled("busy", 429))
    assert breaker.state == "closed"
    fail(breaker, 1)
    assert breaker.state == "open"


def test_a_poll_that_asked_nothing_says_nothing(breaker: Breaker) -> None:
    fail(breaker, 2)
    breaker.ended(None)
    fail(breaker, 1)
    assert breaker.state == "open"


def test_a_poll_counts_once_however_many_requests_it_made(breaker: Breaker) -> None:
    def pages() -> Iterator[None]:
        for _ in range(5):
            with breaker.asking(Deadline.after(5.0)):
                yield
        raise Broken("the fifth page", 200)

    with pytest.raises(Broken):
        list(breaker.whole(pages()))
    fail(breaker, 1)
    assert breaker.state == "closed"


def test_while_it_is_open_nothing_is_asked_and_it_says_until_when(
    breaker: Breaker, hands: Hands
) -> None:
    fail(breaker, 3)
    hands.sleep(59.0)
    said = r"the account is not asked until 12:01:00Z: GET /x was answered 500"
    with pytest.raises(Resting, match=said) as raised:
        poll(breaker)
    assert raised.value.wait == pytest.approx(1.0)
    assert breaker.state == "open"


def test_being_asked_while_open_does_not_prolong_the_rest(breaker: Breaker, hands: Hands) -> None:
    fail(breaker, 3)
    for _ in range(6):
        hands.sleep(10.0)
        if breaker.state == "open":
            fail(breaker, 1, Broken("never raised"))
    assert breaker.state == "half-open"


def test_a_probe_that_is_answered_closes_it(breaker: Breaker, hands: Hands) -> None:
    fail(breaker, 3)
    hands.sleep(60.0)
    assert breaker.state == "half-open"
    poll(breaker)
    assert breaker.state == "closed"
    fail(breaker, 2)
    assert breaker.state == "closed"


@pytest.mark.parametrize("error", [Broken("b", 503), Unreachable("u"), Refused("r", 401)])
def test_a_probe_that_fails_opens_it_for_another_minute(
    breaker: Breaker, hands: Hands, error: SourceError
) -> None:
    fail(breaker, 3)
    hands.sleep(60.0)
    fail(breaker, 1, error)
    assert breaker.state == "open"
    hands.sleep(59.0)
    assert breaker.state == "open"
    hands.sleep(1.0)
    assert breaker.state == "half-open"


def test_a_probe_that_is_throttled_leaves_the_question_open(breaker: Breaker, hands: Hands) -> None:
    fail(breaker, 3)
    hands.sleep(60.0)
    fail(breaker, 1, Throttled("busy", 429))
    assert breaker.state == "half-open"
    poll(breaker)
    assert breaker.state == "closed"


def test_a_probe_that_is_told_no_has_found_somebody_there(breaker: Breaker, hands: Hands) -> None:
    """A narrow key's 403 or a 404 must not keep a living upstream closed off."""
    fail(breaker, 3)
    hands.sleep(60.0)
    for error in (Missing("m", 404), Refused("r", 403)):
        with pytest.raises(SourceError), breaker.asking(Deadline.after(5.0)):
            raise error
    poll(breaker)
    assert breaker.state == "closed"


@pytest.mark.parametrize("alive", [True, False])
def test_half_open_one_probe_goes_ahead_and_the_others_do_as_it_did(
    breaker: Breaker, hands: Hands, *, alive: bool
) -> None:
    fail(breaker, 3)
    hands.sleep(60.0)
    under_way, held_up = threading.Event(), threading.Event()
    went: list[str] = []

    def probe() -> None:
        with nullcontext() if alive else pytest.raises(Broken), breaker.asking(soon()):
            went.append("probe")
            under_way.set()
            held_up.wait(20)
            if not alive:
                raise Broken("still", 500)

    def other() -> None:
        try:
            with breaker.asking(soon()):
                went.append("other")
        except Resting:
            went.append("resting")

    def soon() -> Deadline:
        return Deadline.after(20.0)

    threads = [threading.Thread(target=probe)]
    threads[0].start()
    assert under_way.wait(20)
    threads += [threading.Thread(target=other) for _ in range(4)]
    for thread in threads[1:]:
        thread.start()
    assert went == ["probe"]
    held_up.set()
    for thread in threads:
        thread.join(20)
    assert went == ["probe", *["other" if alive else "resting"] * 4]


def test_a_request_does_not_wait_for_the_probe_beyond_its_deadline(
    breaker: Breaker, hands: Hands
) -> None:
    fail(breaker, 3)
    hands.sleep(60.0)
    ended: list[str] = []

    def other() -> None:
        with pytest.raises(Resting), breaker.asking(Deadline.after(0.0)):
            ended.append("it went although the probe was under way")
        ended.append("resting")

    with breaker.asking(Deadline.after(20.0)):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(20)
        assert ended == ["resting"]


def test_a_source_s_polls_are_counted_by_a_mark_on_its_method(breaker: Breaker) -> None:
    @dataclass
    class Source:
        breaker: Breaker

        @counted
        def poll(self, pages: int) -> Iterator[int]:
            """Yield so many pages, then fail."""
            yield from range(pages)
            raise Broken("then", 500)

    for pages in (1, 2, 3):
        with pytest.raises(Broken):
            list(Source(breaker).poll(pages))
    assert breaker.state == "open"


def test_a_poll_that_its_reader_gave_up_says_nothing(breaker: Breaker) -> None:
    fail(breaker, 2)
    given_up = breaker.whole(iter([1, 2]))
    next(given_up)
    given_up.close()  # type: ignore[attr-defined]
    fail(breaker, 1)
    assert breaker.state == "open"
