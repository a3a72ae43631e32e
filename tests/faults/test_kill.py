"""kill −9 of the worker at any time, then a restart: same totals, nothing doubled."""

import os
import random
import time
from pathlib import Path

from tests.product import running

KILLS = 200 if os.environ.get("PROOF") else 6


def test_a_worker_killed_at_any_time_loses_and_doubles_nothing(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311 -- moments to kill, no secret
    with running(tmp_path) as (emulators, product):
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.2, 3.0))
            emulators.ask("/fill", {"book_side": chance.choice(["bid", "ask"]), "count": "3"})
            product.kill("worker")
            product.start("worker")
        emulators.freeze()
        product.complete()
        shown = product.shows(emulators.net)
        assert shown["trading"]["fills"] == emulators.ask("/totals")["fills"]
