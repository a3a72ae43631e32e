"""A crew: few threads, each job told, none waited for at the end."""

import subprocess
import sys
import time
from threading import Barrier, Event

import pytest

from pipeline.sources.crew import Crew

HANGS = """
import time
from threading import Event
from pipeline.sources.crew import Crew
begun = Event()
def hang():
    begun.set()
    time.sleep(60)
crew = Crew(1, "crew")
crew.submit(hang)
begun.wait()
crew.close()
"""


def test_jobs_run_beside_each_other_and_tell_what_came_of_them() -> None:
    crew, together = Crew(2, "crew"), Barrier(2)
    first, second = crew.submit(lambda: together.wait(10)), crew.submit(lambda: together.wait(10))
    assert {first.result(10), second.result(10)} == {0, 1}
    with pytest.raises(ZeroDivisionError):
        crew.submit(lambda: 1 // 0).result(10)
    assert crew.submit(lambda: "on").result(10) == "on"
    crew.close()


def test_what_has_not_begun_at_the_end_never_does() -> None:
    crew, gate, begun = Crew(1, "crew"), Event(), Event()
    running = crew.submit(lambda: (begun.set(), gate.wait(10)))
    waiting = crew.submit(lambda: None)
    begun.wait(10)
    crew.close()
    assert waiting.cancelled()
    gate.set()
    assert running.result(10)
    with pytest.raises(RuntimeError, match="crew"):
        crew.submit(lambda: None)


def test_the_process_ends_while_a_job_hangs() -> None:
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", HANGS], check=True, timeout=50)
    assert time.monotonic() - began < 50
