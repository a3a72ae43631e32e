"""The browser's scripts under Node's own test runner."""

import shutil
import subprocess
from pathlib import Path

import pytest

import settings

HERE = Path(__file__).parent


def test_the_scripts_pass_under_node() -> None:
    node = shutil.which("node")
    if node is None:
        missing = "node is not installed: the scripts of assets/ are not tested"
        if settings.inherited().get("REQUIRE_ALL") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    files = sorted(map(str, HERE.glob("*.test.mjs")))
    done = subprocess.run([node, "--test", *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
