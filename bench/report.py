"""Reports: a run's tables for people and its raw numbers for machines."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.harness import Benchmark, Goal, Outcome, Scale, Spread
from bench.machine import Machine


@dataclass(frozen=True, slots=True)
class Run:
    """One run: when, where, how, what each benchmark's cases took, and the load at its end."""

    began: datetime
    machine: Machine
    scale: Scale
    repeat: int
    outcomes: Mapping[str, Sequence[Outcome]]
    load_after: float


def keep(run: Run, folder: Path) -> Path:
    """Write the raw numbers as JSON into `folder`, named by the run's begin; return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{run.began:%Y%m%dT%H%M%S%fZ}.json"
    file.write_text(json.dumps(_raw(run), indent=1, ensure_ascii=False) + "\n", "utf-8")
    return file


def _raw(run: Run) -> dict[str, Any]:
    return {
        "began": run.began.isoformat(),
        "machine": asdict(run.machine),
        "scale": run.scale.value,
        "repeat": run.repeat,
        "load_after": run.load_after,
        "benchmarks": {
            name: [_case(each) for each in cases] for name, cases in run.outcomes.items()
        },
    }


def _case(outcome: Outcome) -> dict[str, Any]:
    case = outcome.case
    return {
        "title": case.title,
        "operation": case.operation,
        "operations": case.operations,
        "nanos": outcome.nanos,
        "goals": [
            {"goal": str(goal), "figures": outcome.figures(goal), "met": outcome.met(goal)}
            for goal in case.goals
        ],
    }


def section(run: Run, benchmark: Benchmark) -> str:
    """Return the benchmark's part of the page, in Markdown."""
    tables = [_table(outcome) for outcome in run.outcomes[benchmark.name]]
    made = (
        f"One run of {run.repeat} interleaved rounds on {run.began:%Y-%m-%d %H:%M} UTC. "
        f"{run.machine}, {run.load_after:.1f} at the end."
    )
    return "\n\n".join([f"## {benchmark.name}", benchmark.question, made, *tables])


def _table(outcome: Outcome) -> str:
    case = outcome.case
    rows = [
        f"### {case.title[0].upper()}{case.title[1:]}",
        "",
        f"| | µs a {case.operation} | min–max | ours ÷ it | min–max |",
        "|---|---:|---:|---:|---:|",
        *(_row(outcome, contender.name) for contender in case.contenders),
    ]
    return "\n".join([*rows, *_verdicts(outcome), *(["", case.note] if case.note else [])])


def _verdicts(outcome: Outcome) -> list[str]:
    rows = [_verdict(outcome, goal) for goal in outcome.case.goals]
    head = ["", "| goal | measured | min–max | verdict |", "|---|---:|---:|---|"]
    return head + rows if rows else []


def _row(outcome: Outcome, name: str) -> str:
    taken = Spread.of(outcome.micros(name))
    if name == outcome.ours:
        return f"| **{name}** (ours) | {_cells(taken)} | | |"
    return f"| {name} | {_cells(taken)} | {_cells(Spread.of(outcome.ratios(name)))} |"


def _verdict(outcome: Outcome, goal: Goal) -> str:
    figures = outcome.figures(goal)
    within = sum(figure <= goal.most for figure in figures)
    word = "met" if outcome.met(goal) else "**missed**"
    return f"| {goal} | {_cells(Spread.of(figures))} | {word}, {within} of {len(figures)} rounds |"


def _cells(spread: Spread) -> str:
    return f"{spread.median:.2f} | {spread.low:.2f}–{spread.high:.2f}"


def placed(page: str, name: str, text: str) -> str:
    """Return the page with the benchmark's part replaced, or added at its end."""
    begin, end = f"<!-- bench:{name} -->", f"<!-- /bench:{name} -->"
    part = f"{begin}\n{text}\n{end}"
    if begin not in page:
        return f"{page.rstrip()}\n\n{part}\n".lstrip()
    before, _, rest = page.partition(begin)
    return before + part + rest.partition(end)[2]
