"""The command: every configured source compared once, its differences printed and kept."""

import os
import socket
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from time import sleep

from rich.console import Console

from pipeline.reconcile import handover
from pipeline.reconcile.run import Reconciler
from pipeline.reconcile.shown import line, show
from pipeline.reconcile.watch import PAUSE_SECONDS
from pipeline.sources.failure import SourceError
from pipeline.sources.source import Source
from pipeline.worker import Plan, WrongDatabase
from storage import engine, schema
from storage.engine import unguarded
from storage.facts import Facts
from storage.inbox import WAITING, Inbox
from storage.lease import Lease, LeaseLost
from storage.reconciliation import Reconciliations, Run
from storage.snapshots import Snapshots

AGREES, DIFFERS = 0, 1
"""How the command ends: all sources were read and nothing but lag differs, or not."""


def reconcile(plan: Plan, sources: Callable[[], Sequence[Source]], console: Console) -> int:
    """Compare every source with what the database holds; return how the command ends.

    It only reads, so a worker may run beside it, which then keeps what was found.
    WrongDatabase when the database holds figures of another mode, Unusable when it is none.
    """
    opened = engine.writer(plan.database_url)
    schema.upgrade(opened)
    _check(plan, Snapshots(opened, unguarded))
    lease = Lease(opened, f"{socket.gethostname()}:{os.getpid()}")
    kept = Reconciliations(opened, lease.guard)
    # A look now lets the attempt at the end tell a worker that died from one that lives.
    alone = lease.attempt()
    lease.release()
    # The account's budget is the worker's too, so beside one the pages are read as the watch does.
    pause = (lambda: None) if alone else partial(sleep, PAUSE_SECONDS)
    reconciler = Reconciler(Facts(opened, unguarded, plan.clock), kept, plan.clock, pause)
    runs, failed = _runs(reconciler, sources(), console)
    show(runs, console)
    if not _keep(lease, kept, runs):
        status = handover.handed(Inbox(opened, clock=plan.clock), runs) if runs else HTTPStatus.OK
        # Two seconds more may show that the owner of the lease is dead.
        if status != WAITING or not _keep(lease, kept, runs):
            line(_became(status), console)
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
            line(f"{source.name}: {error}", console)
            failed = True
        else:
            runs += [run] if run is not None else []
        finally:
            source.close()
    return runs, failed


def _keep(lease: Lease, kept: Reconciliations, runs: Sequence[Run]) -> bool:
    """Keep the runs unless a worker is alive; return whether they were kept."""
    if not lease.attempt():
        return False
    try:
        for run in runs:
            kept.keep(run)
    except LeaseLost:
        return False
    finally:
        lease.release()
    return True


def _became(status: int) -> str:
    """Say what became of runs that were handed to the worker."""
    if status == WAITING:
        return (
            "Not kept yet: the worker that owns this database did not answer within "
            f"{handover.PATIENCE_SECONDS:.0f} s; it keeps these runs once it does."
        )
    if status != HTTPStatus.OK:
        return f"Not kept: the worker refused these runs ({status}); its log has the reason."
    return "The worker that owns this database has kept these runs."
