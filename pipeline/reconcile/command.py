"""The command: every configured source compared once, its differences in a table."""

import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ledger.difference import Kind
from pipeline.reconcile.run import Reconciler
from pipeline.sources.failure import SourceError
from pipeline.sources.source import Source
from pipeline.worker import Plan, WrongDatabase
from storage import engine, schema
from storage.engine import unguarded
from storage.facts import Facts
from storage.lease import Lease, LeaseLost
from storage.reconciliation import Reconciliations, Run
from storage.snapshots import Snapshots

AGREES, DIFFERS = 0, 1
"""How the command ends: all sources were read and nothing but lag differs, or not."""

COLUMNS = ("source", "subject", "ours", "theirs", "difference", "unit", "kind")


def reconcile(plan: Plan, sources: Callable[[], Sequence[Source]], console: Console) -> int:
    """Compare every source with what the database holds; return how the command ends.

    It only reads, so a worker may run beside it; what was found is kept when none does.
    WrongDatabase when the database holds figures of another mode, Unusable when it is none.
    """
    opened = engine.writer(plan.database_url)
    schema.upgrade(opened)
    _check(plan, Snapshots(opened, unguarded))
    lease = Lease(opened, f"{socket.gethostname()}:{os.getpid()}")
    # A look now lets the attempt at the end tell a worker that died from one that lives.
    if lease.attempt():
        lease.release()
    kept = Reconciliations(opened, lease.guard)
    reconciler = Reconciler(Facts(opened, unguarded, plan.clock), kept, plan.clock)
    runs, failed = _runs(reconciler, sources(), console)
    _show(runs, console)
    if not _keep(lease, kept, runs):
        console.print("A worker owns this database: it keeps the runs of its own schedule.")
    opened.dispose()
    return DIFFERS if failed or any(run.open for run in runs) else AGREES


def _check(plan: Plan, snapshots: Snapshots) -> None:
    known = snapshots.meta().get("mode", plan.mode)
    if known != plan.mode:
        raise WrongDatabase(f"it holds {known} figures, not {plan.mode}; choose another")


def _runs(
    reconciler: Reconciler, sources: Sequence[Source], console: Console
) -> tuple[list[Run], bool]:
    runs, failed = [], False
    for source in sources:
        try:
            with console.status(f"{source.name}: reading its own figures"):
                run = reconciler.run(source)
        except SourceError as error:
            console.print(f"{source.name}: {error}", markup=False)
            failed = True
        else:
            runs += [run] if run is not None else []
        finally:
            source.close()
    return runs, failed


def _show(runs: Sequence[Run], console: Console) -> None:
    table = Table(*COLUMNS)
    for run in runs:
        for each in run.differences:
            cells = (run.source, each.subject, each.ours, each.theirs, each.difference)
            table.add_row(*map(Text, (*cells, each.unit.value, each.kind.value)))
    if table.row_count:
        console.print(table)
    for run in runs:
        console.print(_sentence(run), markup=False, highlight=False)


def _sentence(run: Run) -> str:
    """Return what a run comes to, as `kalshi: 812 checked, 2 differences, 1 lag`."""
    count = len(run.open)
    lag = sum(each.kind is Kind.LAG for each in run.differences)
    parts = [
        f"{run.checked:,} checked",
        "all agree" if not count else f"{count} difference" + "s" * (count > 1),
        f"{lag} lag" if lag else "",
        run.detail,
    ]
    return f"{run.source}: " + ", ".join(part for part in parts if part)


def _keep(lease: Lease, kept: Reconciliations, runs: Sequence[Run]) -> bool:
    """Keep the runs unless a worker is alive: then its own are what counts."""
    if not lease.attempt():
        return False
    with suppress(LeaseLost):
        for run in runs:
            kept.keep(run)
    lease.release()
    return True
