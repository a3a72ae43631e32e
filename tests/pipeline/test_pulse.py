"""The pulse: whatever the owner is busy with, a standby sees that it lives."""

from pathlib import Path
from threading import enumerate as threads

from pipeline.pulse import beating
from storage import engine, schema
from storage.lease import Lease
from tests.product import until


def beat(opened: engine.Engine) -> int:
    with engine.deferred(opened).connect() as connection:
        return int(connection.exec_driver_sql("select beat from lease").scalar_one())


def test_an_owner_that_loads_for_long_beats_all_the_same(tmp_path: Path) -> None:
    opened = engine.writer(f"sqlite:///{tmp_path / 'pulse.db'}")
    schema.upgrade(opened)
    lease = Lease(opened, "owner")
    assert lease.attempt()
    first = beat(opened)
    with beating(lease):
        until(lambda: beat(opened) >= first + 2, "two beats")
    last = beat(opened)
    assert lease.token == 1
    opened.dispose()
    assert last >= first + 2


def test_a_pulse_ends_by_itself_once_the_lease_is_anothers(tmp_path: Path) -> None:
    opened = engine.writer(f"sqlite:///{tmp_path / 'pulse.db'}")
    schema.upgrade(opened)
    lease = Lease(opened, "owner")
    assert lease.attempt()
    with opened.begin() as connection:
        connection.exec_driver_sql("update lease set owner = 'other', token = token + 1")
    with beating(lease):
        until(lambda: "pulse" not in {thread.name for thread in threads()}, "its end")
    opened.dispose()
