"""The pace: ticks, trades and marks, by a clock that a test moves."""

import pytest

from pipeline.pace import MARK_SECONDS, NEVER, TRADE_SECONDS, Pace, Waiting

NOTHING = Waiting()


class Clock:
    """Seconds that stand until they are moved."""

    def __init__(self) -> None:
        """Begin in the middle of nowhere."""
        self.seconds = 1_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(monotonic=clock)


def traded(clock: Clock) -> Waiting:
    return Waiting(traded=clock.seconds)


def test_nothing_is_due_while_nothing_waits(pace: Pace) -> None:
    assert not pace.due(NOTHING)
    assert pace.left(NOTHING) == NEVER


def test_a_tick_waits_for_what_it_asked_for(pace: Pace) -> None:
    pace.tick()
    asked = Waiting(answered=False)
    assert not pace.due(asked)
    assert pace.due(NOTHING)
    pace.taken(NOTHING)
    assert not pace.due(NOTHING)


def test_a_snapshot_before_the_answers_is_not_the_ticks(pace: Pace, clock: Clock) -> None:
    pace.tick()
    early = Waiting(traded=clock.seconds, answered=False)
    assert pace.due(early)
    pace.taken(early)
    assert not pace.due(Waiting(answered=False))
    assert pace.due(NOTHING)


def test_the_first_trade_is_due_at_once_and_then_one_in_a_hundred_milliseconds(
    pace: Pace, clock: Clock
) -> None:
    assert pace.due(traded(clock))
    pace.taken(traded(clock))
    clock.seconds += 0.03
    assert not pace.due(traded(clock))
    assert pace.left(traded(clock)) == pytest.approx(TRADE_SECONDS - 0.03)
    clock.seconds += 0.08
    assert pace.due(traded(clock))


def test_neither_a_tick_nor_a_mark_holds_a_trade_back(pace: Pace, clock: Clock) -> None:
    pace.tick()
    pace.taken(NOTHING)
    assert pace.due(traded(clock))
    pace.taken(Waiting(marked=True))
    assert pace.due(traded(clock))


def test_marks_are_due_once_a_second_at_most(pace: Pace, clock: Clock) -> None:
    marked = Waiting(marked=True)
    assert pace.due(marked)
    pace.taken(marked)
    clock.seconds += 0.4
    assert pace.left(marked) == pytest.approx(MARK_SECONDS - 0.4)
    clock.seconds += 0.7
    assert pace.due(marked)


def test_a_snapshot_for_a_trade_has_the_marks_too(pace: Pace, clock: Clock) -> None:
    pace.taken(traded(clock))
    assert not pace.due(Waiting(marked=True))


def test_marks_of_a_tick_wait_for_its_own_snapshot(pace: Pace) -> None:
    pace.tick()
    assert not pace.due(Waiting(marked=True, answered=False))
    assert pace.due(Waiting(marked=True))


def test_the_seconds_between_marks_can_be_told(clock: Clock) -> None:
    pace = Pace(5.0, clock)
    pace.taken(NOTHING)
    assert pace.left(Waiting(marked=True)) == 5.0
