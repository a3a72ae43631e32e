"""The local token bucket, by a clock that only sleeping moves: 160 of the Basic tier's 200."""

import pytest

from pipeline.sources.budget import Budget
from tests.pipeline.sources.conftest import Hands


@pytest.fixture
def budget(hands: Hands) -> Budget:
    return Budget(200.0, 200.0, 10.0, hands.timepiece())


def at_once(budget: Budget, hands: Hands) -> int:
    """Return how many requests go without waiting."""
    return next(n for n in range(1_000) if not budget.take(hands.deadline(0.0)))


def test_what_is_saved_up_goes_at_once_but_for_the_headroom(budget: Budget, hands: Hands) -> None:
    assert at_once(budget, hands) == 16
    assert hands.slept == []


def test_beyond_it_requests_keep_the_rate(budget: Budget, hands: Hands) -> None:
    for _ in range(16 + 32):
        budget.take(hands.deadline())
    assert hands.seconds == pytest.approx(2.0)


def test_the_basic_tier_is_never_exceeded(budget: Budget, hands: Hands) -> None:
    """Ledger of the upstream: 200 tokens, 200 a second, 10 a request, arrivals 40 ms early.

    Another program takes 30 tokens a second from the same bucket.
    """
    tokens, seen = 200.0, 0.0
    for _ in range(200):
        budget.take(hands.deadline())
        arrival = max(seen, hands.seconds - 0.04)
        tokens = min(200.0, tokens + (arrival - seen) * (200.0 - 30.0)) - 10.0
        seen = arrival
        assert tokens >= 0


def test_a_wait_beyond_the_deadline_takes_nothing(budget: Budget, hands: Hands) -> None:
    at_once(budget, hands)
    assert hands.slept == []
    hands.sleep(10.0 / 160.0)
    assert budget.take(hands.deadline(0.0))


def test_a_quarter_of_the_bucket_is_spare(budget: Budget, hands: Hands) -> None:
    for _ in range(12):
        budget.take(hands.deadline())
    assert budget.spare()
    budget.take(hands.deadline())
    assert not budget.spare()
    hands.sleep(1.0)
    assert budget.spare()


def test_the_account_s_own_limits_are_taken_over(budget: Budget, hands: Hands) -> None:
    budget.grant(1_000.0, 500.0)
    hands.sleep(10.0)
    assert at_once(budget, hands) == 40
    hands.sleep(0.11)
    assert at_once(budget, hands) == 8


def test_a_request_costs_what_its_path_costs(budget: Budget) -> None:
    budget.price(5.0, {"/portfolio/orders/{order_id}": 2.0, "/portfolio/:any": 3.0, "/x": 7.0})
    assert budget.cost("/x") == 7.0
    assert budget.cost("/portfolio/orders/abc") == 2.0
    assert budget.cost("/portfolio/fills") == 3.0
    assert budget.cost("/markets") == 5.0


def test_a_429_leaves_nothing_and_halves_the_limits_once_a_storm(
    budget: Budget, hands: Hands
) -> None:
    budget.dry(first=True)
    budget.dry(first=False)
    assert at_once(budget, hands) == 0
    hands.sleep(100.0)
    assert at_once(budget, hands) == 8


def test_answers_give_back_what_a_429_took_but_never_the_headroom(
    budget: Budget, hands: Hands
) -> None:
    budget.dry(first=True)
    for _ in range(1_000):
        budget.answered()
    hands.sleep(100.0)
    assert at_once(budget, hands) == 16


def test_two_polls_of_answers_give_back_what_a_long_storm_took(
    budget: Budget, hands: Hands
) -> None:
    """Twenty 429 by chance among answers; then three polls' time for two of eight requests."""
    for number in range(100):
        hands.sleep(0.4)
        if number % 5:
            budget.answered()
        else:
            budget.dry(first=True)
    began = hands.seconds
    for _ in range(2 * 8):
        assert budget.take(hands.deadline())
        budget.answered()
    assert hands.seconds - began < 3 * 2.0
    for _ in range(20):
        budget.answered()
    hands.sleep(100.0)
    assert at_once(budget, hands) == 16
