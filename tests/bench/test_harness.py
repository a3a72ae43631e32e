"""Harness: contenders that agree are timed in turn, round by round."""

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

import pytest

from bench.harness import Case, Contender, Differs, Goal, Spread, agree, measure


def case(*contenders: Contender, goals: tuple[Goal, ...] = (), operations: int = 1) -> Case:
    return Case("a job", "step", operations, contenders, goals)


def saying(name: str, said: list[str], result: object = 42) -> Contender:
    """Return a contender that writes its name down when it runs."""

    def run() -> object:
        said.append(name)
        return result

    return Contender(name, run)


def clock(durations: Iterable[int]) -> Callable[[], int]:
    """Return a timer: every second reading comes the next duration after the one before."""

    def readings() -> Iterator[int]:
        for end in accumulate(durations):
            yield now[0]
            now[0] = end
            yield end

    now = [0]
    steps = readings()
    return lambda: next(steps)


def test_every_contender_runs_once_untimed_and_then_once_a_round() -> None:
    said: list[str] = []
    read: list[str] = []

    def timer() -> int:
        read.append("")
        return len(said)

    measure(case(saying("ours", said), saying("peer", said)), repeat=4, timer=timer)
    assert sorted(said) == ["ours"] * 5 + ["peer"] * 5
    assert len(read) == 2 * 2 * 4


def test_rounds_interleave_and_each_begins_with_another_contender() -> None:
    said: list[str] = []
    measure(case(*(saying(name, said) for name in "abc")), repeat=4)
    assert "".join(said) == "abc" + "abc" + "bca" + "cab" + "abc"


def test_times_are_kept_with_their_contender_in_the_order_of_the_rounds() -> None:
    said: list[str] = []
    job = case(saying("ours", said), saying("peer", said))
    outcome = measure(job, repeat=2, timer=clock([10, 20, 40, 30]))
    assert outcome.nanos == {"ours": (10, 30), "peer": (20, 40)}
    assert outcome.ours == "ours"


def test_figures_are_microseconds_an_operation() -> None:
    outcome = measure(
        case(saying("ours", []), operations=4), repeat=3, timer=clock([8_000, 4_000, 12_000])
    )
    assert outcome.micros("ours") == [2.0, 1.0, 3.0]
    assert Spread.of(outcome.micros("ours")) == Spread(2.0, 1.0, 3.0)


def test_an_even_number_of_rounds_has_the_middle_of_two_as_its_median() -> None:
    assert Spread.of([4.0, 1.0, 2.0, 9.0]) == Spread(3.0, 1.0, 9.0)


def test_ratios_compare_neighbours_of_one_round() -> None:
    """A machine that slows down by half between rounds changes no ratio."""
    job = case(saying("ours", []), saying("peer", []))
    outcome = measure(job, repeat=2, timer=clock([10, 40, 80, 20]))
    assert outcome.ratios("peer") == [0.25, 0.25]


@pytest.mark.parametrize(
    ("goal", "met"),
    [
        (Goal(0.002), True),
        (Goal(0.0019), False),
        (Goal(0.5, "peer"), True),
        (Goal(0.49, "peer"), False),
    ],
)
def test_a_goal_is_met_when_the_median_is_within_it(goal: Goal, *, met: bool) -> None:
    """Ours takes 1, 2 and 9 ns, the peer 4, 4 and 3: median 2 ns, ratios 0.25, 0.5 and 3."""
    job = case(saying("ours", []), saying("peer", []), goals=(goal,))
    outcome = measure(job, repeat=3, timer=clock([1, 4, 4, 2, 9, 3]))
    assert outcome.met(goal) is met


def test_a_benchmark_whose_results_differ_is_refused_before_anything_is_timed() -> None:
    def timer() -> int:
        raise AssertionError("timed")

    job = case(saying("ours", [], 1), saying("same", [], 1), saying("other", [], 2))
    with pytest.raises(Differs, match="a job: other gives another result than ours"):
        measure(job, repeat=1, timer=timer)


def test_results_of_another_shape_agree_by_what_they_compare_as() -> None:
    job = case(Contender("ours", lambda: [3, 1], sorted), Contender("peer", lambda: (1, 3), list))
    agree(job)


@pytest.mark.parametrize(
    ("goal", "words"),
    [(Goal(3), "≤ 3 µs"), (Goal(0.7, "pandas"), "≤ 0.7 × pandas")],
)
def test_a_goal_words_its_bound(goal: Goal, words: str) -> None:
    assert str(goal) == words
