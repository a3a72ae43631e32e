"""The seam: deadlines, and that every source fills it."""

import inspect

import pytest

from pipeline.sources.anthropic import Anthropic
from pipeline.sources.kalshi import Kalshi
from pipeline.sources.revenue import Revenue
from pipeline.sources.source import Deadline, Source


def test_a_deadline_counts_down_to_nothing() -> None:
    now = [10.0]
    deadline = Deadline.after(3.0, lambda: now[0])
    assert deadline.remaining() == 3.0
    now[0] = 12.0
    assert (deadline.remaining(), deadline.passed) == (1.0, False)
    now[0] = 99.0
    assert (deadline.remaining(), deadline.passed) == (0.0, True)


def methods(kind: type[object], names: set[str]) -> list[tuple[str, inspect.Signature]]:
    """Return the named methods in the order they are written, with their signatures."""
    return [(name, inspect.signature(vars(kind)[name])) for name in vars(kind) if name in names]


@pytest.mark.parametrize("kind", [Kalshi, Anthropic, Revenue])
def test_every_source_has_the_same_methods_in_the_same_order(kind: type[object]) -> None:
    seam = {"history", "poll", "close"}
    assert methods(kind, seam) == methods(Source, seam)


def test_every_source_has_a_name_of_its_own() -> None:
    assert {Kalshi.name, Anthropic.name, Revenue.name} == {"kalshi", "anthropic", "revenue"}
