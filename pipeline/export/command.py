"""The command: the book as the last snapshot showed it, to a file or to standard output."""

import sys
from pathlib import Path

from pipeline.export import beancount
from pipeline.worker import Plan
from storage import engine
from storage.engine import unguarded
from storage.facts import Facts
from storage.reader import newest


def export(plan: Plan, file: Path | None) -> int:
    """Write the book to `file`, or to standard output; return the instant (µs) it stands at.

    It only reads, so a worker may run beside it. NotReady before the first snapshot, Unusable
    when it is no database; OSError when the file cannot be written.
    """
    until = newest(plan.database_url)
    opened = engine.reading(plan.database_url)
    facts = Facts(opened, unguarded, plan.clock)
    if file is None:
        beancount.write(facts, plan.policy, until, sys.stdout)
    else:
        beancount.save(facts, plan.policy, until, file)
    opened.dispose()
    return until
