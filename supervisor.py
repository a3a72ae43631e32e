"""The supervisor: our processes under one parent, in one process group, gone with it."""

import ctypes
import signal
import subprocess  # nosec B404  # starts only our own processes, by absolute path
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import FrameType

import structlog

STOP_SECONDS = 2.0
"""How long children may take to end by themselves before they are killed."""

BACKOFF = (1.0, 2.0, 5.0, 10.0)
HEALTHY_SECONDS = 30.0
MISCONFIGURED = 78
"""Exit code of a child that no restart would help (sysexits' EX_CONFIG)."""

_PR_SET_PDEATHSIG = 1

log = structlog.get_logger()


@dataclass(slots=True)
class Child:
    """One process: what it runs, and how often it had to be started again."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    due: float = field(default=0.0)


class Supervisor:
    """Starts children, restarts those that die, and ends them all together."""

    def __init__(self) -> None:
        """Begin with no children; SIGINT and SIGTERM ask for the end."""
        self._children: list[Child] = []
        self._code: int | None = None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked)

    def _asked(self, _number: int, _frame: FrameType | None) -> None:
        self._code = 0 if self._code is None else self._code

    def add(self, child: Child) -> None:
        """Start a child and look after it from now on."""
        self._children.append(child)
        self._start(child)

    def adopt(self, child: Child) -> None:
        """Look after a child that was started already."""
        child.started = time.monotonic()
        self._children.append(child)

    def run(self) -> int:
        """Watch the children until a signal or a misconfigured one; return the exit code."""
        while self._code is None:
            for child in self._children:
                self._watch(child)
            time.sleep(0.1)
        self.stop()
        return self._code

    def _start(self, child: Child) -> None:
        child.process = spawn(child.argv, child.environment)
        child.started = time.monotonic()

    def _watch(self, child: Child) -> None:
        if child.process is None:
            if time.monotonic() >= child.due:
                self._start(child)
            return
        code = child.process.poll()
        if code is None:
            return
        if code == MISCONFIGURED:
            self._code = code
            return
        lived = time.monotonic() - child.started
        child.failures = 0 if lived > HEALTHY_SECONDS else child.failures + 1
        wait = BACKOFF[min(child.failures, len(BACKOFF)) - 1] if child.failures else 0.0
        log.warning("process ended; starting it again", name=child.name, code=code, wait=wait)
        child.process, child.due = None, time.monotonic() + wait

    def stop(self) -> None:
        """End every child: SIGTERM, and SIGKILL for what is left."""
        running = [child.process for child in self._children if child.process]
        for process in running:
            process.terminate()
        until = time.monotonic() + STOP_SECONDS
        for process in running:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def spawn(
    argv: Sequence[str], environment: Mapping[str, str], stdout: int | None = None
) -> subprocess.Popen[bytes]:
    """Start one of our processes in our own process group; it gets SIGTERM when we die."""
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
    return subprocess.Popen(  # noqa: S603 -- argv is ours  # nosec B603
        argv,
        env=dict(environment),
        stdout=stdout,
        # One thread only runs here, so nothing can hold a lock across the fork.
        preexec_fn=prctl and partial(prctl, _PR_SET_PDEATHSIG, signal.SIGTERM),  # noqa: PLW1509
    )
