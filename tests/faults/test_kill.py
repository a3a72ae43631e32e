"""kill −9 of the worker at random instants, over and over: same totals, nothing doubled."""

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from storage import engine
from storage.lease import Lease
from storage.text import decode
from tests.product import ROOT, Emulators, Product, running, until

KILLS, ROUND = (1_000, 50) if os.environ.get("PROOF") else (20, 10)
"""How many, and after how many of them a new database begins with a new import.

Half of a round dies in the import, half of it with fills coming in live.
"""

SEED = 7
CENT = Decimal("0.000001")


@dataclass
class Nursery:
    """The process that bears workers."""

    process: "subprocess.Popen[str]"

    def told(self, *words: str) -> int:
        """Say a line; return the number it answers."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(*words, file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())


@contextmanager
def nursery(environment: dict[str, str]) -> Iterator[Nursery]:
    """Start a nursery; it ends with its input, and its last worker with it."""
    argv = [sys.executable, "-m", "tests.faults.nursery"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(argv, cwd=ROOT, env=environment, **pipes) as process:
        yield Nursery(process)


@dataclass
class Account:
    """One database, whose worker is killed again and again."""

    path: Path
    nursery: Nursery

    @property
    def url(self) -> str:
        """The database's address."""
        return f"sqlite:///{self.path}"

    def birth(self) -> None:
        """Let a worker begin at once: whoever saw the last one die need not wait for silence."""
        self._bury()
        self.nursery.told("birth", self.url)

    def death(self) -> None:
        """Kill it; it must not have ended by itself before."""
        assert self.nursery.told("death") == -9

    def _bury(self) -> None:
        if "lease" not in self._tables():
            return
        opened = engine.writer(self.url)
        steps = iter(range(0, 1_000, 10))
        lease = Lease(opened, "undertaker", lambda: float(next(steps)))
        while not lease.attempt():
            pass
        lease.release()
        opened.dispose()

    def _tables(self) -> set[str]:
        return {name for (name,) in self._rows("select name from sqlite_master")}

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        if not self.path.exists():
            return []
        with closing(sqlite3.connect(self.path, timeout=30)) as connection:
            return connection.execute(query).fetchall()

    def shown(self) -> dict[str, Any]:
        """Return the newest document, {} before the first."""
        if "documents" not in self._tables():
            return {}
        texts = self._rows("select text from documents order by seq desc limit 1")
        return decode(texts[0][0]) if texts else {}

    def beyond(self, seq: int) -> bool:
        """Tell whether there is a snapshot after one."""
        return bool(self.shown()["seq"] > seq)

    def fills(self) -> list[str]:
        """Return the id of every fill that is stored."""
        return [name for (name,) in self._rows("select fill_id from fills")]

    def instants(self) -> list[int]:
        """Return when the snapshots were, in the order of their numbers."""
        return [at for (at,) in self._rows("select as_of from snapshots order by seq")]


def test_a_worker_killed_at_any_instant_loses_and_doubles_nothing(tmp_path: Path) -> None:
    chance = random.Random(SEED)  # noqa: S311 -- moments to kill, no secret
    emulators = Emulators(tmp_path / "world", "--history-days", "8")
    environment = {**Product(tmp_path, emulators.environment()).environment, "LOG_LEVEL": "ERROR"}
    try:
        with nursery(environment) as bearing:
            for number in range(KILLS // ROUND):
                account = Account(tmp_path / f"round-{number}.db", bearing)
                killed(account, emulators, chance)
                proven(account, emulators)
    finally:
        emulators.stop()


def killed(account: Account, emulators: Emulators, chance: random.Random) -> None:
    """Kill a worker a round of times while fills arrive: in its import, then in its life."""
    emulators.ask("/trader", {"active": True})
    emulators.ask("/marks", {"frozen": False})
    for _ in range(ROUND // 2):
        account.birth()
        pestered(emulators, chance)
        account.death()
    account.birth()
    until(lambda: account.shown().get("complete"), "the whole history")
    for _ in range(ROUND - ROUND // 2):
        pestered(emulators, chance)
        account.death()
        before = account.shown()["seq"]
        account.birth()
        until(partial(account.beyond, before), "a first snapshot")
    account.death()


def pestered(emulators: Emulators, chance: random.Random) -> None:
    """Let one to three fills arrive, and some more time pass, perhaps none."""
    for _ in range(chance.randrange(1, 4)):
        time.sleep(chance.uniform(0.0, 0.4))
        side = chance.choice(["bid", "ask"])
        emulators.ask("/fill", {"book_side": side, "count": "3"})
    time.sleep(chance.uniform(0.0, 0.1))


def proven(account: Account, emulators: Emulators) -> None:
    """Check that the account comes to what the upstream's own books say."""
    emulators.freeze()
    account.birth()

    def agreeing() -> bool:
        shown, wanted = account.shown(), emulators.net()
        near = abs(Decimal(shown.get("net_pnl", "NaN")) - wanted) <= CENT
        return bool(shown.get("complete")) and near

    until(agreeing, "the net of the upstream's own books")
    totals, shown = emulators.ask("/totals"), account.shown()
    fills = account.fills()
    account.death()
    assert shown["trading"]["fills"] == totals["fills"] == len(fills) == len(set(fills))
    for name in ("realized", "fees"):
        assert abs(shown["trading"][name] - Decimal(str(totals[name]))) <= CENT
    assert all(later > earlier for earlier, later in pairwise(account.instants()))
    for path in account.path.parent.glob(f"{account.path.name}*"):
        path.unlink()


def test_a_standby_takes_over_from_a_killed_worker(tmp_path: Path) -> None:
    """Two real `northstar worker`: the lease alone says who writes."""
    with running(tmp_path, "--history-days", "5") as (emulators, product):
        product.complete()
        product.start("standby", "worker")
        emulators.ask("/fill", {"book_side": "bid", "count": "3"})
        product.kill("worker")
        emulators.ask("/fill", {"book_side": "ask", "count": "2"})
        emulators.freeze()
        shown = product.shows(emulators.net)
        assert shown["trading"]["fills"] == emulators.ask("/totals")["fills"]
