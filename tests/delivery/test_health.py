"""Probes: up, and fit to be asked."""

from collections.abc import Callable

from ledger import moment
from tests.delivery.conftest import Database, Web, eventually


def test_a_running_process_is_up_and_fit(standing: Web) -> None:
    assert standing.get("/healthz").json() == {"status": "ok"}
    ready = standing.get("/readyz")
    assert (ready.status_code, ready.json()["seq"]) == (200, 1)


def test_old_figures_are_unfit(start: Callable[..., Web], database: Database) -> None:
    database.append(1, as_of=moment.system() - 60 * moment.MICROS)
    web = start(tick_seconds=10)
    answer = web.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("No new figures since 20")
    database.append(2)
    assert web.get("/readyz").ok


def test_figures_of_three_ticks_ago_still_count(
    start: Callable[..., Web], database: Database
) -> None:
    database.append(1, as_of=moment.system() - 20 * moment.MICROS)
    assert start(tick_seconds=10).get("/readyz").ok


def test_a_database_that_cannot_be_read_is_unfit(
    start: Callable[..., Web], database: Database
) -> None:
    database.append(1)
    web = start()
    database.close()
    for name in ("northstar.db", "northstar.db-wal", "northstar.db-shm"):
        database.path.with_name(name).unlink(missing_ok=True)
    database.path.write_bytes(b"no database at all" * 1000)
    assert eventually(lambda: web.get("/readyz").status_code == 503)
    assert web.get("/healthz").ok
    web.stop()
    web.log.clear()
