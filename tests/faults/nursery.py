"""A process that has loaded everything and bears workers: `birth <url>` and `death` on its input.

A child is `northstar worker` itself, by fork: born in milliseconds instead of seconds, so that a
thousand of them can be killed. It answers with the child's process id, then with how it ended.
"""

import os
import signal
import sys
import traceback

import pandas as pd  # the slowest to load of all a worker needs

import cli
import pipeline.accounts
import pipeline.schedule
import pipeline.sources.anthropic
import pipeline.sources.kalshi
import pipeline.sources.revenue
import pipeline.worker
import settings

LOADED = (pd, pipeline, settings)


def born(url: str) -> int:
    """Bear a worker on a database; return its process id."""
    child = os.fork()
    if child:
        return child
    os.environ["DATABASE_URL"] = url
    try:
        cli.worker()
    except BaseException:  # noqa: BLE001 -- a child must never go on as its parent
        traceback.print_exc()
    os._exit(1)


def main() -> None:
    """Bear and kill until the input ends."""
    child = 0
    for line in sys.stdin:
        word, _, url = line.strip().partition(" ")
        if word == "birth":
            child = born(url)
            print(child, flush=True)  # noqa: T201 -- the answer
            continue
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 -- the answer


if __name__ == "__main__":
    main()
