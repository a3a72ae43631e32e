"""The bench command: runs benchmarks, prints their tables, keeps their numbers."""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import machine, report
from bench.harness import Benchmark, Outcome, Scale, measure
from bench.registry import BENCHMARKS
from bench.report import Run

ROOT = Path(__file__).parents[1]
ROUNDS = {Scale.QUICK: 3, Scale.USUAL: 7, Scale.FULL: 5}


def main(arguments: Sequence[str]) -> None:
    """Run what was asked for; a quick run leaves the page alone."""
    asked = _parser().parse_args(arguments)
    run = _run(asked)
    texts = {name: report.section(run, BENCHMARKS[name]) for name in run.outcomes}
    print(*texts.values(), sep="\n\n")
    print(f"\nraw numbers: {report.keep(run, asked.raw)}")
    if asked.scale is not Scale.QUICK:
        _publish(asked.page, texts)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m bench", description=main.__doc__)
    parser.add_argument(
        "--only", action="append", choices=BENCHMARKS, metavar="NAME", help="again for more"
    )
    parser.add_argument("--repeat", type=_rounds, metavar="N", help="rounds, from 1")
    size = parser.add_mutually_exclusive_group()
    for scale, words in ((Scale.QUICK, "little data, page unchanged"), (Scale.FULL, "all data")):
        size.add_argument(f"--{scale}", dest="scale", action="store_const", const=scale, help=words)
    parser.add_argument("--raw", type=Path, default=ROOT / "var" / "bench", metavar="FOLDER")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "benchmarks.md")
    parser.set_defaults(scale=Scale.USUAL)
    return parser


def _rounds(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError(f"{text} is no number of rounds; from 1")
    return int(text)


def _run(asked: Namespace) -> Run:
    began, here = datetime.now(UTC), machine.this()
    repeat = asked.repeat or ROUNDS[asked.scale]
    outcomes = {
        name: _measured(BENCHMARKS[name], asked.scale, repeat) for name in asked.only or BENCHMARKS
    }
    return Run(began, here, asked.scale, repeat, outcomes, machine.load())


def _measured(benchmark: Benchmark, scale: Scale, repeat: int) -> list[Outcome]:
    print(f"{benchmark.name} …", file=sys.stderr, flush=True)
    return [measure(case, repeat) for case in benchmark.prepare(scale)]


def _publish(page: Path, texts: dict[str, str]) -> None:
    text = page.read_text("utf-8") if page.exists() else "# Benchmarks\n"
    for name, part in texts.items():
        text = report.placed(text, name, part)
    page.write_text(text, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
