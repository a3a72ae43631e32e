"""The command: the book as the last snapshot showed it, to a file or to standard output."""

import sys
from pathlib import Path

from pipeline.export import beancount
from pipeline.worker import Plan
from storage import engine, schema
from storage.engine import unguarded
from storage.facts import Facts
from storage.snapshots import Snapshots


def export(plan: Plan, file: Path | None) -> int:
    """Write the book to `file`, or to standard output; return the instant (µs) it stands at.

    It only reads, so a worker may run beside it. Unusable when the database is none; OSError
    when the file cannot be written.
    """
    opened = engine.writer(plan.database_url)
    schema.upgrade(opened)
    facts = Facts(opened, unguarded, plan.clock)
    last = Snapshots(opened, unguarded).last()
    until = plan.clock() if last is None else last[1]
    if file is None:
        beancount.write(facts, plan.policy, until, sys.stdout)
    else:
        beancount.save(facts, plan.policy, until, file)
    opened.dispose()
    return until
