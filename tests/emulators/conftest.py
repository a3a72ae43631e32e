"""Stages for the tests: small ones of their own, and one long season to read from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulators.stage import Make, Stage, Stages


@pytest.fixture(scope="session", autouse=True)
def servers() -> Iterator[None]:
    """Stop the servers when all is done."""
    yield
    Stages.close()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Return a maker of stages; all of them end with the test."""
    with Stages(tmp_path) as stages:
        yield stages.make


@pytest.fixture
def stage(make: Make) -> Stage:
    """Return a stage with three days of history."""
    return make()


@pytest.fixture(scope="session")
def season(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Return a stage with ninety days of history, for tests that only read."""
    with Stages(tmp_path_factory.mktemp("season")) as stages:
        yield stages.make(days=90)
