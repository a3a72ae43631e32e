"""The witness: what REST found and the stream did not tell."""

from collections.abc import Callable

import pytest

from ledger.facts import Fill, Mark, Side
from ledger.money import NANO
from pipeline.sources.kalshi_stream_socket import Ended
from pipeline.sources.kalshi_stream_witness import (
    JUDGED_SECONDS,
    KEPT,
    OWED_SECONDS,
    QUIET_SECONDS,
    Witness,
)

SINCE = 1_790_000_000_000_000
MARK = Mark("KXB", SINCE, NANO // 2, None, None)


class Watch:
    """Seconds that stand until they are moved."""

    seconds = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds


def fill(name: str = "a", time: int = SINCE) -> Fill:
    return Fill(name, time, "KXB", Side.YES, 100, NANO // 2, 0, is_taker=True)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def witness(watch: Watch) -> Witness:
    made = Witness(watch)
    made.begin(SINCE)
    return made


@pytest.fixture
def silent(witness: Witness) -> Callable[[], bool]:
    def judged() -> bool:
        try:
            witness.judge()
        except Ended:
            return True
        return False

    return judged


def test_a_fill_that_only_rest_knows_is_silence_after_a_while(
    witness: Witness, watch: Watch, silent: Callable[[], bool]
) -> None:
    witness.found([fill()], [])
    watch.seconds += OWED_SECONDS - 0.1
    assert not silent()
    watch.seconds += 0.2
    assert silent()


@pytest.mark.parametrize("first", [True, False])
def test_a_fill_that_both_tell_is_none_whoever_was_first(
    witness: Witness, watch: Watch, silent: Callable[[], bool], *, first: bool
) -> None:
    if first:
        witness.told("a")
    witness.found([fill()], [])
    if not first:
        witness.told("a")
    watch.seconds += 10 * OWED_SECONDS
    assert not silent()


def test_what_happened_before_the_stream_was_there_is_not_owed(
    witness: Witness, watch: Watch, silent: Callable[[], bool]
) -> None:
    witness.found([fill(time=SINCE - 1)], [])
    watch.seconds += OWED_SECONDS
    assert not silent()
    witness.end()
    witness.found([fill()], [MARK])
    witness.begin(SINCE + 1)
    watch.seconds += OWED_SECONDS
    assert not silent()


def test_a_quote_that_moved_while_none_came_is_silence(
    witness: Witness, watch: Watch, silent: Callable[[], bool]
) -> None:
    watch.seconds += QUIET_SECONDS
    witness.found([], [MARK])
    watch.seconds += OWED_SECONDS - 1
    witness.found([], [MARK])
    assert not silent()
    watch.seconds += 1
    assert silent()


def test_a_quote_that_moved_is_none_while_others_come_or_one_comes_after_it(
    witness: Witness, watch: Watch, silent: Callable[[], bool]
) -> None:
    watch.seconds += QUIET_SECONDS - 1
    witness.found([], [MARK])
    watch.seconds += QUIET_SECONDS
    assert not silent()
    witness.found([], [MARK])
    witness.quoted()
    watch.seconds += OWED_SECONDS
    assert not silent()


def test_what_a_market_was_determined_to_pay_proves_nothing(
    witness: Witness, watch: Watch, silent: Callable[[], bool]
) -> None:
    watch.seconds += QUIET_SECONDS
    witness.found([], [Mark("KXB", SINCE, None, None, None, NANO)])
    watch.seconds += OWED_SECONDS
    assert not silent()


def test_it_judges_at_most_once_a_minute(
    witness: Witness, watch: Watch, silent: Callable[[], bool]
) -> None:
    witness.found([fill()], [])
    watch.seconds += OWED_SECONDS
    assert silent()
    witness.begin(SINCE)
    witness.found([fill("b")], [])
    watch.seconds += JUDGED_SECONDS - 1
    assert not silent()
    watch.seconds += 1
    assert silent()


def test_only_the_newest_fills_are_remembered(
    witness: Witness, watch: Watch, silent: Callable[[], bool]
) -> None:
    for number in range(KEPT + 1):
        witness.told(str(number))
    witness.found([fill("1")], [])
    watch.seconds += OWED_SECONDS
    assert not silent()
    witness.found([fill("0")], [])
    watch.seconds += OWED_SECONDS
    assert silent()
