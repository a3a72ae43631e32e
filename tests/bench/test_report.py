"""Reports: a run's tables for people and its raw numbers for machines."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench import machine
from bench.harness import Benchmark, Case, Contender, Goal, Outcome, Scale
from bench.registry import BENCHMARKS
from bench.report import Run, keep, placed, section

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
JOB = Benchmark("job", "How long is a job?", lambda _: [])


@pytest.fixture
def run() -> Run:
    """Ours takes 2, 1 and 3 µs a step, the peer 4, 4 and 2: ratios 0.5, 0.25 and 1.5."""
    case = Case(
        title="some steps",
        operation="step",
        operations=10,
        contenders=(Contender("mine", int), Contender("theirs", int)),
        goals=(Goal(2.5), Goal(0.4, "theirs")),
        note="Side by side.",
    )
    nanos = {"mine": (20_000, 10_000, 30_000), "theirs": (40_000, 40_000, 20_000)}
    began = datetime(2026, 11, 21, 18, 40, 10, 500, UTC)
    return Run(began, machine.this(), Scale.USUAL, 3, {"job": [Outcome(case, nanos)]}, 1.25)


def test_a_section_states_the_run_and_each_contender_with_its_spread(run: Run) -> None:
    text = section(run, JOB)
    assert "How long is a job?" in text
    assert "One run of 3 interleaved rounds on 2026-11-21 18:40 UTC." in text
    assert f"{run.machine}, 1.2 at the end." in text
    assert "| **mine** (ours) | 2.00 | 1.00–3.00 | | |" in text
    assert "| theirs | 4.00 | 2.00–4.00 | 0.50 | 0.25–1.50 |" in text
    assert text.endswith("Side by side.")


def test_a_verdict_counts_the_rounds_within_its_goal(run: Run) -> None:
    text = section(run, JOB)
    assert "| ≤ 2.5 µs | 2.00 | 1.00–3.00 | met, 2 of 3 rounds |" in text
    assert "| ≤ 0.4 × theirs | 0.50 | 0.25–1.50 | **missed**, 1 of 3 rounds |" in text


def test_raw_numbers_are_kept_with_machine_and_goals(run: Run, tmp_path: Path) -> None:
    file = keep(run, tmp_path / "bench")
    assert file.name == "20261121T184010000500Z.json"
    kept = json.loads(file.read_text("utf-8"))
    assert kept["machine"]["cores"] == run.machine.cores
    assert (kept["scale"], kept["repeat"]) == ("usual", 3)
    [case] = kept["benchmarks"]["job"]
    assert case["nanos"] == {"mine": [20_000, 10_000, 30_000], "theirs": [40_000, 40_000, 20_000]}
    assert [(goal["goal"], goal["met"]) for goal in case["goals"]] == [
        ("≤ 2.5 µs", True),
        ("≤ 0.4 × theirs", False),
    ]


def test_a_section_replaces_its_own_part_and_nothing_else() -> None:
    page = placed(placed("# Benchmarks\n", "a", "old"), "b", "other")
    assert placed(page, "a", "new") == page.replace("old", "new")


def test_a_new_section_comes_last() -> None:
    assert placed("# Benchmarks\n", "a", "text") == (
        "# Benchmarks\n\n<!-- bench:a -->\ntext\n<!-- /bench:a -->\n"
    )


@pytest.mark.parametrize("name", BENCHMARKS)
def test_the_page_shows_every_benchmark_that_there_is(name: str) -> None:
    page = PAGE.read_text("utf-8")
    part = page.partition(f"<!-- bench:{name} -->")[2].partition(f"<!-- /bench:{name} -->")[0]
    for case in BENCHMARKS[name].prepare(Scale.QUICK):
        for contender in case.contenders:
            assert contender.name in part
        for goal in case.goals:
            assert f"| {goal} |" in part
