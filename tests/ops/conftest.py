"""What the tests of ops share: promtool, and the instruments there are."""

import ast
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from telemetry import REGISTRY

ROOT = Path(__file__).parents[2]
SUFFIXES = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_sum", "_count"),
}


@pytest.fixture
def promtool() -> str:
    """Return promtool's path; skip without it, fail where everything is required."""
    path = shutil.which("promtool")
    if path is None:
        missing = "promtool is absent: apt-get install prometheus"
        if os.environ.get("REQUIRE_ALL") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    return path


@pytest.fixture(scope="session")
def exposed() -> dict[str, set[str]]:
    """Return the labels of every series that the registry exposes, by the series' name."""
    labels = dict(_declared(ast.parse((ROOT / "telemetry.py").read_text("utf-8"))))
    return {
        family.name + suffix: labels[family.name] | ({"le"} if suffix == "_bucket" else set())
        for family in REGISTRY.collect()
        for suffix in SUFFIXES[family.type]
    }


def _declared(tree: ast.Module) -> Iterator[tuple[str, set[str]]]:
    """Yield the name and labels that each instrument is made with."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        match call.args:
            case [ast.Constant(str(name)), ast.Constant(), *labels]:
                yield name, set(ast.literal_eval(labels[0])) if labels else set()


@pytest.fixture(scope="session")
def known(exposed: dict[str, set[str]]) -> set[str]:
    """Return every label an expression may group by."""
    return set().union(*exposed.values()) | {"job", "instance"}
