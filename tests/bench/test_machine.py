"""The machine a run was made on, as far as it says so itself."""

import os
import platform

from bench import machine


def test_the_machine_says_what_a_reader_needs_to_judge_the_figures() -> None:
    here = machine.this()
    assert here.cores == os.cpu_count()
    assert here.memory_gib > 0
    assert here.libraries.keys() == {"pandas", "numpy", "orjson"}
    for part in (here.processor, f"{here.cores} cores", f"Python {platform.python_version()}"):
        assert part in str(here)
