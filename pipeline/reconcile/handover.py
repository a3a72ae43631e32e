"""The handover: runs that another process made, kept by the worker, which alone may write."""

from collections.abc import Sequence
from hashlib import sha256
from http import HTTPStatus
from time import monotonic, sleep
from typing import Any

from ledger.difference import Difference, Kind, Unit
from pipeline.outcome import Outcome
from storage.inbox import WAITING, Command, Inbox
from storage.reconciliation import Run, appended
from storage.text import encode

KIND = "reconciled"
ACTOR = "northstar reconcile"

PATIENCE_SECONDS = 2.0
"""How long a worker that lives has to keep what it is handed: it looks ten times a second."""

GLANCE_SECONDS = 0.05


def handed(inbox: Inbox, runs: Sequence[Run], patience: float = PATIENCE_SECONDS) -> int:
    """Hand runs to the worker and return its answer's status, WAITING when none came in time.

    The key is the runs' own digest, so the same runs are kept once however often they are handed.
    """
    body = {"runs": [_told(run) for run in runs]}
    number = inbox.put(sha256(encode(body)).hexdigest(), KIND, body, ACTOR)
    end = monotonic() + patience
    while (status := inbox.status(number)) == WAITING and monotonic() < end:
        sleep(GLANCE_SECONDS)
    return status


def taken(command: Command) -> Outcome:
    """Return what keeps the runs of a command; ValueError and its like when they are none."""
    runs = [_read(each) for each in command.body["runs"]]
    return Outcome(HTTPStatus.OK, {"runs": len(runs)}, also=(appended(runs),))


def _told(run: Run) -> dict[str, Any]:
    return {
        "source": run.source,
        "time": run.time,
        "checked": run.checked,
        "detail": run.detail,
        "differences": [_row(each) for each in run.differences],
    }


def _row(found: Difference) -> dict[str, Any]:
    return {
        "subject": found.subject,
        "ours": found.ours,
        "theirs": found.theirs,
        "amount": str(found.amount),  # its own text, since it may be wider than 64 bits
        "unit": found.unit.value,
        "kind": found.kind.value,
    }


def _read(told: dict[str, Any]) -> Run:
    found = tuple(_difference(each) for each in told["differences"])
    return Run(str(told["source"]), int(told["time"]), int(told["checked"]), found, told["detail"])


def _difference(row: dict[str, Any]) -> Difference:
    unit, kind = Unit(row["unit"]), Kind(row["kind"])
    return Difference(row["subject"], row["ours"], row["theirs"], int(row["amount"]), unit, kind)
