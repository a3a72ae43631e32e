"""The local token bucket, by a clock that only sleeping moves."""

import pytest

from pipeline.sources.budget import Budget
from tests.pipeline.sources.conftest import Hands


@pytest.fixture
def budget(hands: Hands) -> Budget:
    return Budget(190.0, 190.0, 10.0, hands.timepiece())


def test_what_is_saved_up_goes_at_once(budget: Budget, hands: Hands) -> None:
    assert all(budget.take(hands.deadline()) for _ in range(19))
    assert hands.slept == []


def test_beyond_it_requests_keep_the_rate(budget: Budget, hands: Hands) -> None:
    for _ in range(19 + 38):
        budget.take(hands.deadline())
    assert hands.seconds == pytest.approx(2.0)


def test_the_basic_tier_is_never_exceeded(budget: Budget, hands: Hands) -> None:
    """Ledger of the upstream: 200 tokens, 200 a second, 10 a request, arrivals 40 ms early."""
    tokens, seen = 200.0, 0.0
    for _ in range(200):
        budget.take(hands.deadline())
        arrival = max(seen, hands.seconds - 0.04)
        tokens = min(200.0, tokens + (arrival - seen) * 200.0) - 10.0
        seen = arrival
        assert tokens >= 0


def test_a_wait_beyond_the_deadline_takes_nothing(budget: Budget, hands: Hands) -> None:
    while budget.take(hands.deadline(0.0)):
        pass
    assert hands.slept == []
    hands.sleep(10.0 / 190.0)
    assert budget.take(hands.deadline(0.0))


def test_half_a_bucket_is_spare(budget: Budget, hands: Hands) -> None:
    for _ in range(9):
        budget.take(hands.deadline())
    assert budget.spare()
    budget.take(hands.deadline())
    assert not budget.spare()
    hands.sleep(1.0)
    assert budget.spare()
