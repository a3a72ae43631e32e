"""The random walk is one path, however it is asked."""

from statistics import fmean, pvariance

from emulators.world.walk import Walk


def test_a_walk_says_the_same_in_any_order() -> None:
    places = [step / 977 for step in range(978)]
    forward = [Walk("a", 5_000).at(place) for place in places]
    backward = Walk("a", 5_000)
    assert [backward.at(place) for place in reversed(places)][::-1] == forward


def test_a_walk_is_still_outside_its_life() -> None:
    walk = Walk("a", 100)
    assert (walk.at(-1), walk.at(0), walk.at(1), walk.at(7)) == (0, 0, walk.end, walk.end)


def test_walks_spread_with_the_root_of_time() -> None:
    quarter = [Walk(str(number), 512).at(0.25) for number in range(2_000)]
    assert abs(fmean(quarter)) < 0.05
    assert 0.22 < pvariance(quarter) < 0.28


def test_steps_do_not_remember() -> None:
    walks = [Walk(str(number), 512) for number in range(2_000)]
    products = [walk.at(0.375) * (walk.at(0.5) - walk.at(0.375)) for walk in walks]
    assert abs(fmean(products)) < 0.02
