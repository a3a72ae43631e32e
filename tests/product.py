"""The whole product as processes on free ports, for tests that look at it from outside."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

ROOT = Path(__file__).parents[1]
REQUIRED = bool(os.environ.get("REQUIRE_ALL"))
PATIENCE = 60.0


def program(name: str) -> str:
    """Return the program's path; skip, or fail when everything is required, without it."""
    path = shutil.which(name)
    if path is None:
        (pytest.fail if REQUIRED else pytest.skip)(f"{name} is not installed")
    return str(path)


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(seen: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Return what `seen` returns once it is true; fail after `patience` seconds."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = seen()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail(f"not within {patience} s: {what}")


class Emulators:
    """The emulated upstreams, and the admin's door to their world."""

    def __init__(self, state: Path, *options: str) -> None:
        """Start them and wait until they answer."""
        argv = [sys.executable, "-m", "emulators", "--state-dir", str(state), *options]
        self.process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.ready: dict[str, str] = json.loads(self.process.stdout.readline())

    def environment(self) -> dict[str, str]:
        """Return the settings that point every source here."""
        ready = self.ready
        return {
            "KALSHI_API_URL": ready["kalshi_url"],
            "KALSHI_WS_URL": ready["kalshi_ws_url"],
            "KALSHI_API_KEY_ID": ready["kalshi_key_id"],
            "KALSHI_PRIVATE_KEY_FILE": ready["kalshi_private_key_file"],
            "ANTHROPIC_API_URL": ready["anthropic_url"],
            "ANTHROPIC_ADMIN_KEY": ready["anthropic_admin_key"],
            "REVENUE_API_URL": ready["revenue_url"],
            "REVENUE_API_TOKEN": ready["revenue_token"],
        }

    def ask(self, route: str, body: dict[str, Any] | None = None) -> Any:
        """Get an admin route, or post to it."""
        url = f"{self.ready['admin_url']}{route}"
        answer = requests.get(url, timeout=30) if body is None else None
        answer = requests.post(url, json=body, timeout=30) if answer is None else answer
        assert answer.ok, answer.text
        return answer.json()

    def freeze(self) -> None:
        """Let nothing move by itself: no trader, no quotes, no new cost."""
        self.ask("/trader", {"active": False})
        self.ask("/marks", {"frozen": True})

    def net(self) -> Decimal:
        """Return net P&L by the world's own books."""
        totals = self.ask("/totals")
        figure = {name: Decimal(str(totals[name])) for name in TOTALS}
        trading = figure["realized"] + figure["unrealized_bid"] - figure["fees"]
        return trading + figure["recognized"] - figure["cost_total"]

    def stop(self) -> None:
        """End them."""
        self.process.terminate()
        self.process.wait(10)
        if self.process.stdout:
            self.process.stdout.close()


TOTALS = ("realized", "unrealized_bid", "fees", "recognized", "cost_total")


class Product:
    """Worker and web as processes on one database."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        """Choose a port; start nothing yet."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith("PYTEST")},
            "DATABASE_URL": f"sqlite:///{folder / 'northstar.db'}",
            "SECRET_KEY": "test",
            "PORT": str(self.port),
            "TICK_SECONDS": "0.5",
            "ANTHROPIC_POLL_SECONDS": "1",
            "REVENUE_POLL_SECONDS": "1",
            **environment,
        }
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, word: str = "") -> None:
        """Start `web` or `worker`, or the same `word` a second time under another name."""
        argv = [sys.executable, "-m", "cli", word or name]
        self.running[name] = subprocess.Popen(argv, cwd=ROOT, env=self.environment)

    def kill(self, name: str) -> None:
        """End a process without a word, and whatever it had started."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    def stop(self) -> None:
        """End what runs."""
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.wait(20)

    def current(self) -> dict[str, Any]:
        """Return the live document, its numbers exact; {} before the first."""
        try:
            answer = requests.get(f"{self.url}/api/pnl/current", timeout=10)
        except requests.ConnectionError:
            return {}
        return json.loads(answer.text, parse_float=Decimal) if answer.ok else {}

    def complete(self) -> dict[str, Any]:
        """Wait for the first complete document."""
        return until(lambda: (shown := self.current()).get("complete") and shown, "complete")

    def shows(self, net: Callable[[], Decimal]) -> dict[str, Any]:
        """Wait until the document shows `net` to the cent."""

        def agreeing() -> dict[str, Any] | None:
            shown = self.current()
            wanted = net()
            near = abs(Decimal(shown.get("net_pnl", "NaN")) - wanted)
            return shown if shown.get("complete") and near <= Decimal("0.000001") else None

        return until(agreeing, "the net of the upstream's own books")


@contextmanager
def running(folder: Path, *options: str) -> Iterator[tuple[Emulators, Product]]:
    """Start emulators, worker and web; end them all."""
    emulators = Emulators(folder / "world", *options)
    product = Product(folder, emulators.environment())
    try:
        product.start("worker")
        product.start("web")
        yield emulators, product
    finally:
        product.stop()
        emulators.stop()
