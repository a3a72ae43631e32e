"""The bench command: runs benchmarks, prints their tables, keeps their numbers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import ROOT, main


def test_a_quick_run_keeps_its_numbers_and_leaves_the_page_alone(tmp_path: Path) -> None:
    raw, page = tmp_path / "raw", tmp_path / "page.md"
    options = ["--only", "document", "--repeat", "2", "--quick"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *options, "--raw", raw, "--page", page],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    [file] = raw.glob("*.json")
    kept = json.loads(file.read_text("utf-8"))
    assert [*kept["benchmarks"]] == ["document"]
    rounds = [len(taken) for taken in kept["benchmarks"]["document"][0]["nanos"].values()]
    assert rounds == [2, 2, 2]
    assert "## document" in done.stdout
    assert str(file) in done.stdout
    assert not page.exists()


@pytest.mark.parametrize(
    ("options", "wrong"),
    [(["--only", "nothing"], "nothing"), (["--repeat", "0"], "0 is no number of rounds")],
)
def test_what_cannot_be_run_is_named(
    options: list[str], wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(options)
    assert wrong in capsys.readouterr().err
