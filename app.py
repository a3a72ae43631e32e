"""The roof of the web process: settings in, one Dash app out."""

from functools import partial

from dash import Dash
from flask import Flask

import telemetry
from components import live, shell
from delivery import (
    audit,
    auth,
    csv_export,
    deal_edits,
    deals,
    desk,
    errors,
    health,
    json_api,
    metrics,
    poll,
    reconciliation,
    restatements,
    sse,
    websocket,
)
from delivery.desk import Desk
from delivery.hub import Hub
from settings import Settings, inherited, load, secret_key
from storage.engine import writer
from storage.inbox import Inbox
from storage.reader import Reader


def create_app(chosen: Settings) -> Dash:
    """Return the dashboard with its feed and routes, reading the settings' database."""
    server = Flask("northstar", static_folder=None)
    server.config.update(
        SECRET_KEY=secret_key(chosen),
        DISPLAY_TIMEZONE=chosen.display_timezone,
        TICK_SECONDS=chosen.tick_seconds,
    )
    reader = Reader(chosen.database_read_url or chosen.database_url, chosen.redis_url or None)
    hub = Hub(reader, chosen.max_clients)
    server.extensions.update(reader=reader, hub=hub)
    _serve_machines(server, reader, hub, chosen)
    return _dashboard(server, chosen)


def _serve_machines(server: Flask, reader: Reader, hub: Hub, chosen: Settings) -> None:
    """Mount every route that is not a page."""
    auth.mount(server, chosen.allowed_origins)
    errors.mount(server)
    poll.mount(server, hub)
    sse.mount(server, hub)
    websocket.mount(server, hub)
    json_api.mount(server, reader)
    csv_export.mount(server, reader)
    deals.mount(server, reader)
    audit.mount(server, reader)
    reconciliation.mount(server, reader)
    restatements.mount(server, reader)
    taker = Desk(reader, lambda: Inbox(writer(chosen.database_url)))
    desk.mount(server, taker)
    deal_edits.mount(server, taker)
    health.mount(server, reader, chosen.tick_seconds)
    metrics.mount(server, telemetry.REGISTRY, inherited().get("PROMETHEUS_MULTIPROC_DIR", ""))


def _dashboard(server: Flask, chosen: Settings) -> Dash:
    """Mount the pages people see."""
    app = Dash(
        __name__,
        server=server,  # type: ignore[arg-type]  # Dash's own annotation forgets Flask
        use_pages=True,
        include_pages_meta=False,
        # Or Dash would write every page, figures included, into everybody's first HTML.
        suppress_callback_exceptions=True,
        compress=True,
        title="NorthStar",
        update_title="",
        enable_mcp=False,
        index_string=shell.INDEX,
    )
    app.layout = partial(shell.layout, chosen.display_timezone, chosen.tick_seconds)
    live.connect(app)
    return app


def wsgi() -> Flask:
    """Return the WSGI application for gunicorn, by the environment's settings."""
    server: Flask = create_app(load()).server
    return server
