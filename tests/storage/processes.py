"""Other processes: Python code with our rooms importable, and a Redis of our own."""

import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from redis import Redis
from redis.exceptions import RedisError

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0

Process = subprocess.Popen[str]
Start = Callable[..., Process]


def run(code: str, *arguments: str) -> Process:
    """Begin Python code in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def end(process: Process) -> None:
    """Kill a process and let go of its pipe."""
    process.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()


def line(process: Process) -> str:
    """Return the next line a process prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def eventually(holds: Callable[[], bool]) -> None:
    """Return once the condition holds; fail when it never does."""
    until = monotonic() + PATIENCE
    while not holds():
        assert monotonic() < until, "it never came true"
        sleep(0.005)


@dataclass
class RedisServer:
    """A redis-server on a free port, which can be killed and come back."""

    binary: str
    folder: Path
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, on the port it had before when there was one."""
        self.port = self.port or free_port()
        options = {"port": self.port, "bind": "127.0.0.1", "save": "", "dir": self.folder}
        words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
        self.process = subprocess.Popen([self.binary, *words], stdout=subprocess.DEVNULL)
        eventually(self.answers)

    def kill(self) -> None:
        """End it without a word."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.process = None

    def answers(self) -> bool:
        """Tell whether it answers a ping."""
        with Redis.from_url(self.url) as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False


def free_port() -> int:
    """Return a port nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
