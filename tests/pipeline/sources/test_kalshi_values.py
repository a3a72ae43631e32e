"""A settlement value nobody says: asked each minute, after an hour each hour."""

import pytest

from ledger.moment import HOUR, MINUTE
from pipeline.sources.client import TimedOut
from pipeline.sources.kalshi_values import Values


class Market:
    """A market that says its value, or not yet."""

    def __init__(self) -> None:
        """Say nothing yet."""
        self.value: int | None = None
        self.asked = 0

    def __call__(self) -> int | None:
        """Count the question."""
        self.asked += 1
        return self.value


def test_who_does_not_say_is_asked_each_minute_and_after_an_hour_each_hour() -> None:
    values, market = Values(), Market()
    for second in range(3 * 3_600):
        assert values.of("A", second * MINUTE // 60, market) is None
    assert market.asked == 60 + 2


def test_a_value_is_there_with_the_next_question_and_asked_each_time() -> None:
    values, market = Values(), Market()
    assert values.of("A", 0, market) is None
    market.value = 5
    assert values.of("A", MINUTE - 1, market) is None
    assert [values.of("A", MINUTE, market), values.of("A", MINUTE, market)] == [5, 5]
    assert values.of("B", 0, market) == 5


def test_a_question_that_failed_is_asked_again_at_once() -> None:
    values, market = Values(), Market()

    def failing() -> int | None:
        raise TimedOut("no answer")

    with pytest.raises(TimedOut):
        values.of("A", HOUR, failing)
    market.value = 7
    assert values.of("A", HOUR, market) == 7
