"""One database with everything that writes to it and reads from it, and facts to put in."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from ledger.bucket import Row
from ledger.facts import Cost, Deal, Fact, Fill, Mark, Settlement, Side, Status
from ledger.money import NANO
from storage import engine
from storage.facts import Facts, Page, Recorded
from storage.lease import Lease
from storage.reader import Reader
from storage.rollups import Rollups
from storage.schema import FIGURES
from storage.snapshots import Snapshots

NOW = 1_795_000_000_000_000
"""What the worker's clock says: 2026-11-18."""

FILL = Fill("f1", NOW, "RAIN", Side.YES, 100, NANO // 2, 1_000, is_taker=True)
SETTLEMENT = Settlement("RAIN", NOW, "yes", NANO)
MARK = Mark("RAIN", NOW, NANO // 4, NANO // 2, None)
COST = Cost("analytics", NOW, 3_600_000_000, (("model", "m"), ("workspace", "w")), NANO)
DEAL = Deal("manual", "d1", "Pilot", Status.PENDING, NANO, NOW)


@dataclass(frozen=True)
class Database:
    """One database with everything that writes to it and reads from it."""

    url: str
    engine: Engine
    lease: Lease
    facts: Facts
    rollups: Rollups
    snapshots: Snapshots
    reader: Reader

    def record(self, *facts: Fact, source: str = "kalshi", **page: object) -> Recorded:
        """Record one page."""
        return self.facts.record(Page(source, facts, **page))

    def append(
        self,
        as_of: int = NOW,
        rows: Mapping[str, Sequence[Row]] | None = None,
        meta: Mapping[str, str] | None = None,
        net: int = 0,
    ) -> int:
        """Append a snapshot; return its seq."""
        figures = dict.fromkeys(FIGURES, 0) | {"net": net}
        seq, _ = self.snapshots.append(as_of, figures, document, rows or {}, meta or {})
        return seq

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what a query finds, read aside."""
        with engine.deferred(self.engine).connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    def close(self) -> None:
        """Let go of every connection."""
        self.reader.close()
        self.engine.dispose()


def database(file: Path) -> Database:
    """Open a database that has its schema, and take its lease."""
    url = f"sqlite:///{file}"
    written = engine.writer(url)
    lease = Lease(written, "test")
    assert lease.acquire(threading.Event())
    facts = Facts(written, lease.guard, lambda: NOW)
    rollups, snapshots = Rollups(written, lease.guard), Snapshots(written, lease.guard)
    return Database(url, written, lease, facts, rollups, snapshots, Reader(url))


def document(epoch: str, seq: int) -> dict[str, Any]:
    """Return the smallest document that names itself."""
    return {"epoch": epoch, "seq": seq}


def fill(name: str, time: int = NOW, **other: object) -> Fill:
    """Return a fill by its id."""
    return replace(FILL, fill_id=name, time=time, **other)
