"""Waits before the stream is opened again."""

from pipeline.sources.kalshi_stream_retry import (
    FIRST_WAIT,
    HEALTHY_SECONDS,
    LONGEST_WAIT,
    REFUSED_WAIT,
    Retry,
)


def within(wait: float, most: float) -> bool:
    return most / 2 <= wait <= most


def test_each_failure_doubles_the_wait_up_to_the_longest() -> None:
    retry = Retry()
    waits = [retry.lost(0) for _ in range(40)]
    assert all(within(wait, FIRST_WAIT * 2**n) for n, wait in enumerate(waits[:6]))
    assert all(within(wait, LONGEST_WAIT) for wait in waits[8:])
    assert len(set(waits[8:])) > 1


def test_a_connection_that_lasted_begins_anew() -> None:
    retry = Retry()
    for _ in range(9):
        retry.lost(0)
    assert within(retry.lost(HEALTHY_SECONDS), FIRST_WAIT)


def test_a_refusal_waits_long() -> None:
    assert within(Retry().refused(), REFUSED_WAIT)
