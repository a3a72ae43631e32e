"""Databases for the cases: an empty one, and one that knows the base of all three upstreams."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PLAYS = ("case", "bodies", "fields", "orders", "pages", "stage", "statuses", "transport", "trust")
pytest.register_assert_rewrite(*(f"tests.faults.{name}" for name in PLAYS))

from storage import engine, schema  # noqa: E402 -- a failing play should say what it saw
from tests.faults import stage  # noqa: E402
from tests.faults.stage import Stage  # noqa: E402


@pytest.fixture(scope="session")
def knowing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database after the import of the base."""
    folder = tmp_path_factory.mktemp("knowing")
    opened = engine.writer(f"sqlite:///{folder / 'empty.db'}")
    schema.upgrade(opened)
    opened.dispose()
    return stage.known(folder / "empty.db", folder / "known.db")


@pytest.fixture
def staged(knowing: Path, tmp_path: Path) -> Iterator[Callable[[str], Stage]]:
    """Set the stage for a case at one upstream; all is well so far."""
    stages: list[Stage] = []

    def stage_of(name: str) -> Stage:
        shutil.copy(knowing, tmp_path / "case.db")
        stages.append(Stage(name, tmp_path / "case.db"))
        stages[-1].begin()
        return stages[-1]

    yield stage_of
    for each in stages:
        each.close()
