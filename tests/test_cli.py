"""The command: what it refuses, says and leaves behind."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import requests
from beancount.loader import load_file
from click.testing import Result
from typer.testing import CliRunner

import cli
import settings
from ledger.pnl import Policy
from pipeline.worker import Plan, Worker
from supervisor import MISCONFIGURED
from tests.product import ROOT, Emulators, free_port, until
from tests.test_supervisor import command, measured

NOWHERE = "http://127.0.0.1:9"


Said = Callable[..., Result]


@pytest.fixture
def backfilled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Said:
    """Run `northstar backfill` in this process, with these settings only."""
    for name in settings.Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)

    def run(**environment: str) -> Result:
        url = f"sqlite:///{tmp_path / 'northstar.db'}"
        given = {"DATABASE_URL": url, **environment}
        return CliRunner().invoke(cli.northstar, ["backfill"], env=given)

    return run


def demo_database(folder: Path) -> str:
    """Make a database of demo figures."""
    url = f"sqlite:///{folder / 'demo.db'}"
    plan = Plan(url, "", Policy.BID, ZoneInfo("UTC"), 1.0, "demo")
    Worker(plan, list).own(lambda *_: None)
    return url


def test_the_worker_counts_nothing_without_a_source(tmp_path: Path) -> None:
    database = tmp_path / "northstar.db"
    ended = command("worker", DATABASE_URL=f"sqlite:///{database}")
    assert ended.returncode == MISCONFIGURED
    assert "no source is configured" in ended.stderr
    assert not database.exists()


def test_the_worker_refuses_a_demo_database_for_live_figures(tmp_path: Path) -> None:
    url = demo_database(tmp_path)
    ended = command("worker", DATABASE_URL=url, REVENUE_API_URL=NOWHERE)
    assert ended.returncode == MISCONFIGURED
    assert "DATABASE_URL: it holds demo figures, not live" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_backfill_says_what_is_not_configured(backfilled: Said) -> None:
    ended = backfilled()
    assert ended.exit_code == MISCONFIGURED
    assert "no source is configured" in ended.stderr


def test_backfill_refuses_a_demo_database_for_live_figures(
    backfilled: Said, tmp_path: Path
) -> None:
    ended = backfilled(DATABASE_URL=demo_database(tmp_path), REVENUE_API_URL=NOWHERE)
    assert ended.exit_code == MISCONFIGURED
    assert "holds demo figures, not live" in ended.stderr


def test_backfill_says_in_one_sentence_that_a_key_is_none(backfilled: Said) -> None:
    key = "-----BEGIN PRIVATE KEY-----\nnone\n-----END PRIVATE KEY-----"
    ended = backfilled(KALSHI_API_KEY_ID="k", KALSHI_PRIVATE_KEY=key)
    assert ended.exit_code == MISCONFIGURED
    assert ended.stderr.startswith("northstar: ")
    assert ended.stderr.count("\n") == 1


def test_backfill_says_which_source_failed(backfilled: Said) -> None:
    ended = backfilled(REVENUE_API_URL=NOWHERE)
    assert ended.exit_code == MISCONFIGURED
    assert "northstar: revenue: " in ended.stderr
    assert "run it again to go on from here" in ended.stderr


def test_an_account_is_imported_agrees_with_its_sources_and_is_exported(tmp_path: Path) -> None:
    """Backfill, reconcile, export; then the exchange reports another balance."""
    emulators = Emulators(tmp_path / "world", "--history-days", "2")
    try:
        emulators.freeze()
        given = {"DATABASE_URL": f"sqlite:///{tmp_path / 'northstar.db'}"}
        given |= emulators.environment()
        ended = command("backfill", **given)
        assert ended.returncode == 0, ended.stderr
        assert "History is whole." in ended.stdout
        for name in ("kalshi", "anthropic", "revenue"):
            assert re.search(rf"{name} .* facts .* whole", ended.stdout)
        agreed = command("reconcile", **given)
        assert (agreed.returncode, agreed.stdout.count("all agree")) == (0, 3), agreed.stdout
        book = tmp_path / "book.beancount"
        assert command("export", "--out", str(book), **given).returncode == 0
        assert load_file(str(book))[1] == []
        emulators.ask("/discrepancy", {"row": "balance", "amount": "12.34"})

        def differs() -> str:
            ended = command("reconcile", **given)
            return ended.stdout if ended.returncode == 1 else ""

        # A fill of the last half minute would make it lag for as long.
        assert "12.34" in until(differs, "the balance differs", 100)
    finally:
        emulators.stop()


def test_a_book_that_is_not_there_cannot_be_exported(tmp_path: Path) -> None:
    ended = command("export", DATABASE_URL=f"sqlite:///{tmp_path}/none.db")
    assert ended.returncode == MISCONFIGURED
    assert ended.stderr.startswith("northstar: DATABASE_URL: ")
    assert command("export", "--format", "xls").returncode == 2


def test_every_command_is_listed() -> None:
    listed = command("--help").stdout
    for word in ("run", "demo", "web", "worker", "backfill", "reconcile", "export", "sources"):
        assert f" {word} " in listed


def test_the_demo_serves_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    bare = {
        **measured(),
        "PATH": os.environ["PATH"],
        "PORT": str(port),
        "SECRET_KEY": "test",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'demo.db'}",
    }
    argv = [sys.executable, "-m", "cli", "demo", "--state", str(tmp_path / "world")]
    demo = subprocess.Popen(
        argv, cwd=ROOT, env=bare, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert demo.stdout is not None
    try:
        assert url in demo.stdout.readline()
        until(lambda: answers(f"{url}/healthz"), "the demo serves")
        os.killpg(demo.pid, signal.SIGINT)
        assert demo.wait(20) == 0
        until(lambda: not group(demo.pid), "nothing is left", 10)
    finally:
        for pid in group(demo.pid):
            os.kill(pid, signal.SIGKILL)
        demo.wait(10)
        demo.stdout.close()


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


def group(leader: int) -> list[int]:
    """Return the processes of a group that still run."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            state, _, pgrp = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(pgrp) == leader and state != "Z":
            found.append(int(entry.name))
    return found
