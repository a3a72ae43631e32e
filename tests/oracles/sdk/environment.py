"""An interpreter with Kalshi's own client: made on demand outside the repository's sources.

The client needs Python 3.13 and stays proprietary: it is installed by name, never kept.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "build" / "kalshi-sdk"
WANTED = "kalshi_python_sync==3.34.*"
_SECONDS = 300


class Unobtainable(Exception):
    """There is no Python 3.13 here, or the client cannot be installed."""


def interpreter() -> Path:
    """Return a Python that can import the client; Unobtainable with the reason."""
    python = FOLDER / "bin" / "python"
    if not _answers(python, "import kalshi_python_sync"):
        shutil.rmtree(FOLDER, ignore_errors=True)
        _run(_python(), "-m", "venv", str(FOLDER))
        _run(python, "-m", "pip", "install", "--disable-pip-version-check", "-q", WANTED)
    return python


def _python() -> Path:
    for candidate in _candidates():
        if _answers(candidate, "import sys, venv; sys.exit(sys.version_info < (3, 13))"):
            return candidate
    raise Unobtainable("Python 3.13 is not installed")


def _candidates() -> Iterator[Path]:
    for name in ("python3.13", "python3.14", "python3"):
        found = shutil.which(name)
        if found:
            yield Path(found)
    yield from sorted(Path.home().glob(".pyenv/versions/3.1[3-9]*/bin/python"))
    yield from sorted(Path.home().glob(".local/share/uv/python/cpython-3.1[3-9]*/bin/python3"))


def _answers(python: Path, code: str) -> bool:
    try:
        found = subprocess.run([python, "-c", code], capture_output=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return found.returncode == 0


def _run(*command: Path | str) -> None:
    try:
        subprocess.run(command, capture_output=True, check=True, text=True, timeout=_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", "") or ""
        raise Unobtainable(f"{WANTED} cannot be installed: {said[-300:] or error}") from error
