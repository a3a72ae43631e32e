"""A database that tests append to, and real web processes that serve it."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

import settings
from ledger import moment
from ledger.bucket import Row
from storage import schema, text
from storage.engine import unguarded, writer
from storage.facts import Facts
from storage.reader import Reader
from storage.snapshots import Snapshots
from tests.delivery.peers import Stream

ROOT = Path(__file__).parents[2]


class Database:
    """One tmp database: appends numbered documents and remembers each."""

    def __init__(self, path: Path) -> None:
        """Create the file and its tables."""
        self.path, self.url = path, f"sqlite:///{path}"
        self.engine = writer(self.url)
        schema.upgrade(self.engine)
        self._snapshots = Snapshots(self.engine, unguarded)
        self.facts = Facts(self.engine, unguarded)
        self.documents: dict[int, dict[str, Any]] = {}

    @property
    def last(self) -> int:
        """The newest seq."""
        return max(self.documents)

    @property
    def epoch(self) -> str:
        return self._snapshots.epoch()

    def append(
        self,
        net: Decimal | int = 0,
        *,
        as_of: int | None = None,
        rows: Mapping[str, Sequence[Row]] | None = None,
        meta: Mapping[str, str] | None = None,
        **members: Any,
    ) -> int:
        """Append a snapshot of this net and these members; return its seq."""
        instant = moment.system() if as_of is None else as_of

        def render(epoch: str, seq: int) -> dict[str, Any]:
            known = {"epoch": epoch, "seq": seq, "as_of": moment.text(instant), "net_pnl": net}
            fixed = {"currency": "USD", "since": moment.text(moment.EARLIEST), "filler": "x" * 900}
            return known | fixed | members

        figures = dict.fromkeys(schema.FIGURES, 0)
        seq, written = self._snapshots.append(instant, figures, render, rows or {}, meta or {})
        self.documents[seq] = text.decode(written)
        return seq

    def prune(self, keep: int, seconds: int) -> None:
        self._snapshots.prune(keep, seconds)

    def reader(self) -> Reader:
        return Reader(self.url)

    def close(self) -> None:
        self.engine.dispose()


class Web:
    """One gunicorn with its gevent worker, as production starts it."""

    def __init__(self, folder: Path, chosen: dict[str, Any]) -> None:
        """Start it on a free port and wait until it answers."""
        config = folder / "minimal.json"
        config.write_text(json.dumps(chosen))
        command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"]
        command += ["--bind", "127.0.0.1:0", "--pythonpath", f"{ROOT},{ROOT / 'tests/delivery'}"]
        self.process = subprocess.Popen(
            [*command, "minimal:wsgi()"],
            cwd=ROOT,
            env=settings.inherited(MINIMAL=str(config)),
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log: list[str] = []
        self.port = self._listening()
        self.base = f"http://127.0.0.1:{self.port}"
        self._drain = threading.Thread(target=self._keep_log)
        self._drain.start()
        eventually(self._up)

    def get(self, path: str, **given: Any) -> requests.Response:
        return requests.get(self.base + path, timeout=20, **given)

    def metric(self, sample: str) -> float:
        found = re.search(rf"^{re.escape(sample)} (\S+)$", self.get("/metrics").text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        code = self.process.wait(20)
        self._drain.join(20)
        assert self.process.stderr
        self.process.stderr.close()
        return code

    def _listening(self) -> int:
        assert self.process.stderr
        for line in self.process.stderr:
            self.log.append(line)
            found = re.search(r"Listening at: http://127.0.0.1:(\d+)", line)
            if found:
                return int(found[1])
        raise AssertionError("".join(self.log))

    def _keep_log(self) -> None:
        assert self.process.stderr
        self.log.extend(self.process.stderr)

    def _up(self) -> bool:
        with suppress(requests.ConnectionError):
            return self.get("/healthz").ok
        return False


def eventually(holds: Callable[[], Any], seconds: float = 20) -> Any:
    """Return the first true answer; fail when none comes."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)
    return found


@pytest.fixture(autouse=True)
def hang_up() -> Iterator[None]:
    """Close what a test dialled."""
    yield
    while Stream.opened:
        Stream.opened.pop().close()


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Make a database; beside `web` it is the one that `web` serves."""
    if "web" in request.fixturenames:
        yield request.getfixturevalue("pair")[1]
        return
    found = Database(tmp_path / "northstar.db")
    yield found
    found.close()


@pytest.fixture
def start(tmp_path: Path, database: Database) -> Iterator[Callable[..., Web]]:
    """Start web processes that end with the test; none may have logged a traceback."""
    running: list[Web] = []

    def begin(**chosen: Any) -> Web:
        running.append(Web(tmp_path, {"url": database.url} | chosen))
        return running[-1]

    yield begin
    for web in running:
        end(web)


def end(web: Web) -> None:
    """End a web process the quick way; it may not have logged a traceback."""
    if web.process.poll() is None:
        web.stop(signal.SIGINT)
    assert "Traceback" not in "".join(web.log), "".join(web.log)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Web, Database]]:
    """Start one web process for all tests of a module that break neither it nor its database."""
    folder = tmp_path_factory.mktemp("pair")
    database = Database(folder / "northstar.db")
    database.append(1)
    web = Web(folder, {"url": database.url})
    yield web, database
    end(web)
    database.close()


@pytest.fixture
def web(pair: tuple[Web, Database]) -> Web:
    """Return the module's web process, at a snapshot of this test's own."""
    web, database = pair
    seq = database.append(1)
    eventually(lambda: web.get("/api/pnl/current").json()["seq"] == seq)
    return web


@pytest.fixture
def standing(pair: tuple[Web, Database]) -> Web:
    """Return the module's web process, wherever it stands."""
    return pair[0]


@pytest.fixture
def fresh(start: Callable[..., Web], database: Database) -> Web:
    """Start a web process of this test's own, whose database has one snapshot."""
    database.append(1)
    return start()
