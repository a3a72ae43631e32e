"""Waits before the stream is opened again."""

import pytest

from pipeline.sources.kalshi_stream_retry import (
    FIRST_WAIT,
    HEALTHY_SECONDS,
    LONGEST_WAIT,
    REFUSED_LONG_WAIT,
    REFUSED_SECONDS,
    REFUSED_WAIT,
    Retry,
)
from pipeline.sources.kalshi_stream_socket import Ended, Rejected
from pipeline.sources.kalshi_stream_subscriptions import Unsubscribed

NOT_THERE = [Rejected(404, "", None), Rejected(302, "", None), Unsubscribed(9, "not for you")]


def within(wait: float, most: float, least: float = 0.5) -> bool:
    return most * least <= wait <= most


def refused(status: int) -> Rejected:
    return Rejected(status, "", None)


@pytest.mark.parametrize("error", [Ended("no"), refused(503), refused(429), Unsubscribed(25, "")])
def test_each_failure_doubles_the_wait_up_to_the_longest(error: Exception) -> None:
    retry = Retry()
    waits = [retry.after(error, 0, 0) for _ in range(40)]
    assert all(within(wait, FIRST_WAIT * 2**n) for n, wait in enumerate(waits[:6]))
    assert all(within(wait, LONGEST_WAIT) for wait in waits[8:])
    assert len(set(waits[8:])) > 1
    assert LONGEST_WAIT == 30


def test_a_connection_that_lasted_begins_anew() -> None:
    retry = Retry()
    for _ in range(9):
        retry.after(Ended("no"), 0, 0)
    assert within(retry.after(Ended("no"), 0, HEALTHY_SECONDS), FIRST_WAIT)


@pytest.mark.parametrize("error", NOT_THERE)
def test_what_is_not_there_is_asked_for_each_minute_and_later_each_ten(error: Exception) -> None:
    retry = Retry()
    assert within(retry.after(error, 50, 50), REFUSED_WAIT, 0.9)
    assert within(retry.after(error, 649, 649), REFUSED_WAIT, 0.9)
    late = 50 + REFUSED_SECONDS
    assert within(retry.after(error, late, late), REFUSED_LONG_WAIT, 0.9)


@pytest.mark.parametrize("status", [401, 403])
def test_who_asks_may_be_let_in_at_any_time(status: int) -> None:
    retry = Retry()
    waits = [retry.after(refused(status), at, at) for at in range(0, 10_000, 60)]
    assert all(within(wait, REFUSED_WAIT, 0.9) for wait in waits)


def test_a_refusal_that_was_over_is_a_new_one() -> None:
    retry = Retry()
    retry.after(refused(404), 0, 0)
    retry.after(Ended("it broke off"), 0, 5_000)
    assert within(retry.after(refused(404), 6_000, 6_000), REFUSED_WAIT, 0.9)
