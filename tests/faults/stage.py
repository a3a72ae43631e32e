"""The real sources on a real cycle and database, over three upstreams of which one is spoiled."""

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.moment import HOUR
from pipeline.sources.source import Source
from storage import engine
from storage.bell import Bell
from storage.engine import unguarded
from storage.text import decode
from tests.faults.clock import Clock
from tests.faults.deals import Deals
from tests.faults.exchange import Exchange
from tests.faults.provider import Provider
from tests.faults.upstream import Upstream
from tests.pipeline.conftest import assembled, stored

if TYPE_CHECKING:
    from pipeline.cycle import Cycle
    from pipeline.fetch import Fetch

KINDS: tuple[type[Upstream], ...] = (Exchange, Provider, Deals)
NAMES = tuple(kind.name for kind in KINDS)
TICK = 10.0
MOST_RUNS = 5


class Stage:
    """Three upstreams, one of them in trouble, and the product that reads them."""

    def __init__(self, name: str, path: Path) -> None:
        """Serve three healthy upstreams; `name` is the one a fault will befall."""
        self.clock = Clock()
        self.path = path
        self.upstreams = {kind.name: kind(self.clock) for kind in KINDS}
        self.spoiled = self.upstreams[name]
        self.others = [each for each in self.upstreams.values() if each is not self.spoiled]
        self._urls: dict[str, str] = {}
        self._running: tuple[Cycle, Fetch] | None = None

    def start(self, **urls: str) -> None:
        """Start the product anew, some sources at another address."""
        self._stop()
        self._urls = urls
        self._sources = [self._opened(each) for each in self.upstreams.values()]
        self._engine = engine.writer(f"sqlite:///{self.path}", "off")
        self._bell = Bell(f"sqlite:///{self.path}")
        store = stored(self._engine, unguarded, self.clock, self._bell)  # type: ignore[arg-type]
        self._running = assembled(store, self.clock, *self._sources)  # type: ignore[arg-type]

    def _opened(self, upstream: Upstream) -> Source:
        return upstream.source(self.clock.timepiece(), self._urls.get(upstream.name, ""))

    def tick(self, count: int = 1, seconds: float = TICK) -> dict[str, Any]:
        """Let some ticks pass; return the newest document."""
        assert self._running is not None
        for _ in range(count):
            self.clock.skip(seconds)
            for _ in range(MOST_RUNS):
                if not self._running[0].run():
                    break
        return self.shown()

    def begin(self) -> None:
        """Start on a database that knows the base, and poll once: all is well."""
        self.start()
        document = self.tick()
        assert document["complete"] is True
        for each in self.upstreams.values():
            assert each.figure(document) == Decimal(each.expected.base)
            assert self.status(each.name, document)[0] == "ok", document["sources"]
        assert document["alerts"] == []

    def arrive(self) -> None:
        """Let the fresh row come to be at every upstream, and the victim at the spoiled one."""
        for each in self.others:
            each.arrive(each.fresh())
        self.spoiled.arrive(self.spoiled.victim(), self.spoiled.fresh())

    def shown(self) -> dict[str, Any]:
        """Return the newest document."""
        (text,) = self.rows("select text from documents order by seq desc limit 1")[0]
        return decode(text)

    def figure(self, document: dict[str, Any] | None = None) -> Decimal:
        """Return what the spoiled upstream's figure is."""
        return self.spoiled.figure(document or self.shown())

    def status(self, name: str = "", document: dict[str, Any] | None = None) -> tuple[str, str]:
        """Return a source's status and what it says, of the spoiled one by default."""
        source = (document or self.shown())["sources"][name or self.spoiled.name]
        return source["status"], source.get("detail", "")

    def alerts(self) -> dict[str, str]:
        """Return the open alerts by id."""
        return {alert["id"]: alert["title"] for alert in self.shown()["alerts"]}

    def refused(self) -> list[tuple[str, str, str]]:
        """Return (source, field, reason) of every row in quarantine."""
        return self.rows("select source, field, reason from quarantine order by id")

    def rows(self, query: str) -> list[Any]:
        """Return what a query finds, past every layer of ours."""
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(query).fetchall()

    def texts(self) -> str:
        """Return everything a person may come to read: documents, quarantine, cursors."""
        queries = (
            "select text from documents",
            "select identity, field, reason, row from quarantine",
            "select value from cursors",
        )
        return "\n".join(str(row) for query in queries for row in self.rows(query))

    def until(self, seen: Callable[[], bool], most: int = 30, seconds: float = 31.0) -> None:
        """Let ticks pass until something is seen; fail when it is not."""
        for _ in range(most):
            if seen():
                return
            self.tick(1, seconds)
        assert seen(), (self.figure(), self.status(), self.refused())

    def whole(self, figure: str) -> bool:
        """Tell whether the spoiled figure is this one and its source is well again."""
        return self.figure() == Decimal(figure) and self.status()[0] == "ok"

    def _stop(self) -> None:
        if self._running is not None:
            self._running[1].close()
            for source in self._sources:
                source.close()
            self._bell.close()
            self._engine.dispose()
        self._running = None

    def close(self) -> None:
        """End everything."""
        self._stop()
        for each in self.upstreams.values():
            each.server.close()


def known(template: Path, path: Path) -> Path:
    """Make the database of a product that has imported the base of all three."""
    shutil.copy(template, path)
    stage = Stage(NAMES[0], path)
    stage.clock.now -= HOUR // 2
    stage.start()
    stage.until(lambda: bool(stage.rows("select 1 from documents")) and stage.shown()["complete"])
    stage.close()
    return path


def secrets(upstreams: Sequence[Upstream]) -> list[str]:
    """Return what must not be said by anybody."""
    return [secret for each in upstreams for secret in each.secrets()]
