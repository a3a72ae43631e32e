"""The registry: every benchmark there is, by name."""

from bench import document, fold, minutes
from bench.harness import Benchmark

BENCHMARKS: dict[str, Benchmark] = {
    each.name: each for each in (fold.BENCHMARK, minutes.BENCHMARK, document.BENCHMARK)
}
