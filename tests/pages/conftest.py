"""A server with the dashboard on it, over a database that tests append to."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import dash
import flask
import pytest
from dash import Dash

from components import live, shell
from ledger import moment
from ledger.bucket import Row
from storage import schema
from storage.engine import unguarded, writer
from storage.reader import Reader
from storage.snapshots import Snapshots
from tests.components.conftest import whole

ROOT = Path(__file__).parents[2]
ZONE = "America/Los_Angeles"


class Database:
    """One tmp database and the reader on it."""

    def __init__(self, path: Path) -> None:
        """Read what will be at `path`; there is nothing before the first append."""
        self.url = f"sqlite:///{path}"
        self.reader = Reader(self.url)

    def append(self, as_of: int, rows: list[Row], **members: Any) -> int:
        """Append a snapshot with its 1m rows; return its seq."""
        engine = writer(self.url)
        schema.upgrade(engine)
        seq, _ = Snapshots(engine, unguarded).append(
            as_of,
            dict.fromkeys(schema.FIGURES, 0),
            lambda epoch, seq: (
                whole() | {"epoch": epoch, "seq": seq, "as_of": moment.text(as_of)} | members
            ),
            {"1m": rows},
            {"complete": "1"},
        )
        engine.dispose()
        return seq


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "pages.db")
    yield made
    made.reader.close()


@pytest.fixture
def server(database: Database) -> Iterator[flask.Flask]:
    """Serve the pages of this repository as the roof does."""
    dash.page_registry.clear()
    made = flask.Flask("test", static_folder=None)
    made.config.update(DISPLAY_TIMEZONE=ZONE, TICK_SECONDS=10)
    made.extensions["reader"] = database.reader
    app = Dash(
        "app",
        server=made,
        use_pages=True,
        pages_folder=str(ROOT / "pages"),
        assets_folder=str(ROOT / "assets"),
        index_string=shell.INDEX,
        suppress_callback_exceptions=True,
    )
    app.layout = partial(shell.layout, ZONE, 10)
    live.connect(app)
    yield made
    dash.page_registry.clear()


@pytest.fixture
def overview(server: flask.Flask) -> Callable[[], Any]:
    """Render the overview as a request for it would."""
    page = dash.page_registry["pages.overview"]

    def render() -> Any:
        with server.test_request_context("/"):
            return page["layout"]()

    return render
