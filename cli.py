"""The northstar command: run, demo, web, worker, backfill, reconcile, export, sources."""

import json
import logging
import os
import signal
import socket
import subprocess  # nosec B404  # only its PIPE is used
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from enum import StrEnum
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, NoReturn
from zoneinfo import ZoneInfo

import structlog
import typer

import demo as emulated
import settings
from supervisor import MISCONFIGURED, Child, Supervisor, spawn

if TYPE_CHECKING:
    from pipeline.accounts import Accounts
    from pipeline.worker import Plan, Worker

NONE_CONFIGURED = 3
ROOT = Path(__file__).parent

northstar = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__
)
Mode = Annotated[str, typer.Option(help="Label of the figures.", hidden=True)]


class Format(StrEnum):
    """What the book can be exported as."""

    BEANCOUNT = "beancount"


Form = Annotated[Format, typer.Option("--format", help="Whose format.")]
Out = Annotated[Path | None, typer.Option(help="File; standard output unless given.")]
State = Annotated[Path, typer.Option(help="Folder that keeps the emulated world.")]


@northstar.command()
def sources() -> None:
    """List the configured sources; exit 3 when there is none."""
    chosen = settings.load()
    for name in chosen.sources:
        typer.echo(name)
    if not chosen.sources:
        raise typer.Exit(NONE_CONFIGURED)


@northstar.command()
def run() -> None:
    """Start web and worker on the configured accounts."""
    chosen = _configured()
    _check_port(chosen)
    _supervise(chosen, Supervisor(), "live", {})


@northstar.command()
def demo(state: State = Path("var/emulators")) -> None:
    """Start web and worker on emulated accounts, with a database of their own."""
    chosen = settings.load()
    _check_port(chosen)
    argv = [sys.executable, "-m", "emulators", "--state-dir", str(state)]
    process = spawn(argv, settings.inherited(), stdout=subprocess.PIPE)
    line = process.stdout.readline() if process.stdout else b""
    if not line:
        _end("the emulators ended before they were ready; their message is above")
    ready = json.loads(line)
    supervisor = Supervisor()
    supervisor.adopt(
        Child("emulators", argv + emulated.ports(ready), settings.inherited(), process)
    )
    given = chosen.model_fields_set
    database = chosen.database_url if "database_url" in given else None
    more = emulated.environment(ready, database, paced="tick_seconds" in given)
    _supervise(chosen, supervisor, "demo", more)


def _configured() -> settings.Settings:
    """Return the settings; the end when they name no source: nothing is not a net of 0."""
    chosen = settings.load()
    if not chosen.sources:
        _end(
            "no source is configured: set KALSHI_API_KEY_ID and KALSHI_PRIVATE_KEY, "
            "ANTHROPIC_ADMIN_KEY or REVENUE_API_URL (docs/settings.md), "
            "or look around with: northstar demo"
        )
    _check(chosen)
    return chosen


def _check(chosen: settings.Settings) -> None:
    from pipeline.sources.hubspot_stages import StagesError  # noqa: PLC0415 -- slow to load
    from pipeline.sources.signature import PrivateKeyError  # noqa: PLC0415

    try:
        _accounts(chosen).check()
    except PrivateKeyError as error:
        _end(f"KALSHI_PRIVATE_KEY: {error}. Example: KALSHI_PRIVATE_KEY_FILE=~/kalshi.pem")
    except StagesError as error:
        _end(f"HUBSPOT_STAGES: {error}")


def _check_port(chosen: settings.Settings) -> None:
    family = socket.AF_INET6 if ":" in chosen.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((chosen.host, chosen.port))
        except OSError as error:
            _end(
                f"PORT: {chosen.host}:{chosen.port} can't be used: {error.strerror}. "
                f"Example: PORT={chosen.port + 1}"
            )


def _supervise(
    chosen: settings.Settings, supervisor: Supervisor, mode: str, more: dict[str, str]
) -> NoReturn:
    with tempfile.TemporaryDirectory(prefix="northstar-metrics-") as folder:
        environment = settings.inherited(PROMETHEUS_MULTIPROC_DIR=folder, **more)
        command = [sys.executable, "-m", "cli"]
        supervisor.add(Child("worker", [*command, "worker", "--mode", mode], environment))
        supervisor.add(Child("web", [*command, "web"], environment))
        label = " (demo)" if mode == "demo" else ""
        typer.echo(f"NorthStar{label}: http://{chosen.host}:{chosen.port}  -  Ctrl-C ends it")
        code = supervisor.run()
    raise SystemExit(code)


@northstar.command()
def web() -> None:
    """Serve the dashboard and the live feed."""
    settings.load()
    config = str(ROOT / "gunicorn.conf.py")
    argv = [sys.executable, "-m", "gunicorn", "--config", config, "app:wsgi()"]
    os.execv(sys.executable, argv)  # noqa: S606  # nosec B606  # argv is ours


@northstar.command()
def worker(mode: Mode = "live") -> None:
    """Poll the sources and keep the figures; a second worker waits as a hot standby."""
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    chosen = _configured()
    _log(chosen.log_level)
    with _told():
        _worker(chosen, mode).run(stop)


@northstar.command()
def backfill(mode: Mode = "live") -> None:
    """Import the whole history of every source, showing progress, then end."""
    chosen = _configured()
    from rich.console import Console  # noqa: PLC0415 -- only commands draw

    from pipeline import backfill as history  # noqa: PLC0415 -- pandas is slow to load
    from storage.errors import LeaseLost  # noqa: PLC0415

    _log("WARNING")
    with _told():
        try:
            history.backfill(_worker(chosen, mode), Console())
        except (LeaseLost, history.Unfinished) as error:
            _end(str(error))


@northstar.command()
def reconcile(mode: Mode = "live") -> None:
    """Compare every figure with its source; exit 1 when one differs."""
    chosen = _configured()
    from rich.console import Console  # noqa: PLC0415 -- only commands draw

    from pipeline.reconcile import command  # noqa: PLC0415 -- pandas is slow to load

    _log("ERROR")
    with _told():
        sources = partial(_accounts(chosen).opened, settings.reread)
        raise typer.Exit(command.reconcile(_plan(chosen, mode), sources, Console()))


@northstar.command()
def export(form: Form = Format.BEANCOUNT, out: Out = None, mode: Mode = "live") -> None:
    """Write the whole book for an accountant's own tool."""
    del form  # there is one so far, and the option refuses any other
    from pipeline.export import command  # noqa: PLC0415 -- pandas is slow to load

    _log("ERROR")
    with _told():
        try:
            command.export(_plan(settings.load(), mode), out)
        except OSError as error:
            _end(f"--out: {out} can't be written: {error.strerror}. Example: --out book.beancount")


@contextmanager
def _told() -> Iterator[None]:
    """End with a sentence instead of a trace where the database is not what is needed."""
    from pipeline.worker import Busy, WrongDatabase  # noqa: PLC0415 -- pandas is slow to load
    from storage.errors import LeaseLost, NotReady, Unusable  # noqa: PLC0415

    try:
        yield
    except (NotReady, Unusable, WrongDatabase) as error:
        _end(_database(error))
    except Busy as error:
        _end(str(error))
    except LeaseLost as error:
        raise SystemExit(f"northstar: {error}") from None


def _database(error: Exception) -> str:
    """Return what is wrong with the database, and the remedy."""
    return f"DATABASE_URL: {str(error).rstrip('.')}. Example: DATABASE_URL=sqlite:///var/another.db"


def _worker(chosen: settings.Settings, mode: str) -> "Worker":
    """Return the worker the settings describe."""
    from pipeline.worker import Worker  # noqa: PLC0415 -- pandas is slow to load

    return Worker(_plan(chosen, mode), partial(_accounts(chosen).opened, settings.reread))


def _plan(chosen: settings.Settings, mode: str) -> "Plan":
    """Return what a worker is told."""
    from ledger.pnl import Policy  # noqa: PLC0415
    from pipeline.worker import Plan  # noqa: PLC0415 -- pandas is slow to load

    return Plan(
        chosen.database_url,
        chosen.redis_url,
        Policy(chosen.mark_policy),
        ZoneInfo(chosen.display_timezone),
        chosen.tick_seconds,
        mode,
        mark=chosen.mark_seconds,
        rates=chosen.revenue_rates,
    )


def _accounts(chosen: settings.Settings) -> "Accounts":
    """Return what is configured, as plain values."""
    from pipeline.accounts import Accounts  # noqa: PLC0415

    return Accounts(**{field.name: getattr(chosen, field.name) for field in fields(Accounts)})


def _log(level: str) -> None:
    """Say what `level` asks for; a tick that was skipped is shown by the figures' own age."""
    least = logging.getLevelNamesMapping()[level]
    logging.basicConfig(level=least, format="%(asctime)s [%(levelname)s] %(message)s")
    for chatty, floor in (("apscheduler", logging.ERROR), ("alembic", logging.WARNING)):
        logging.getLogger(chatty).setLevel(floor)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(least))


def _end(sentence: str) -> NoReturn:
    typer.echo(f"northstar: {sentence}", err=True)
    raise SystemExit(MISCONFIGURED)


def main() -> None:
    """Run the command."""
    northstar(prog_name="northstar")


if __name__ == "__main__":
    main()
