"""The fetch of a smaller plotly.js: a line when it can't be had, never an error."""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "ops" / "vendor.sh"
TOOLS = ("cp", "dirname", "mkdir", "mktemp", "rm", "sha256sum", "timeout")


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Return a folder with the script and the few tools it may find."""
    for folder in ("ops", "assets", "bin"):
        (tmp_path / folder).mkdir()
    shutil.copy(SCRIPT, tmp_path / "ops")
    for name in TOOLS:
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    return tmp_path


def vendored(house: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", house / "ops" / "vendor.sh"],
        env={"PATH": str(house / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )


def npm(house: Path, script: str) -> None:
    """Put an npm there that does what `script` says; $3 is the folder it installs into."""
    path = house / "bin" / "npm"
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)


def told(house: Path, reason: str) -> None:
    done = vendored(house)
    assert done.returncode == 0
    assert done.stderr == f"vendor: {reason}; charts load the full plotly.js instead\n"
    assert not list((house / "assets").iterdir())


def test_without_npm_the_full_bundle_serves(house: Path) -> None:
    told(house, "npm is not there")


def test_a_fetch_that_fails_is_a_line_and_no_error(house: Path) -> None:
    npm(house, "echo noise; echo more >&2; exit 1")
    told(house, "npm could not fetch plotly.js-finance-dist-min 4.1.0")


def test_other_bytes_than_the_known_ones_are_not_served(house: Path) -> None:
    package = "$3/node_modules/plotly.js-finance-dist-min"
    npm(house, f"mkdir -p {package} && echo other > {package}/plotly-finance.min.js")
    told(house, "plotly.js-finance-dist-min 4.1.0 is not what it was")


def test_known_bytes_are_served_and_not_fetched_again(house: Path) -> None:
    """The script's own sum is replaced, as the real file is a megabyte from a registry."""
    script = house / "ops" / "vendor.sh"
    known = "7aa7a5359173d05b63cfd682e3c38487f3cb4f7f1d60659fe59fab1505977d4c"
    lines = script.read_text("utf-8").splitlines()
    swapped = [f"sum={known}" if line.startswith("sum=") else line for line in lines]
    script.write_text("\n".join(swapped) + "\n", "utf-8")
    package = "$3/node_modules/plotly.js-finance-dist-min"
    npm(house, f"mkdir -p {package} && echo new > {package}/plotly-finance.min.js")
    assert vendored(house).stderr == ""
    assert (house / "assets" / "vendor" / "plotly-finance.min.js").read_text("utf-8") == "new\n"
    npm(house, "exit 1")
    assert vendored(house).stderr == ""
