"""A minimal web process: storage, hub and every route, nothing else; configured by JSON."""

import json
import os
from pathlib import Path

from flask import Flask
from flask_compress import Compress

import telemetry
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
from delivery.hub import Hub
from delivery.pace import Pace
from storage.engine import writer
from storage.inbox import Inbox
from storage.reader import Reader


def wsgi() -> Flask:
    chosen = json.loads(Path(os.environ["MINIMAL"]).read_text())
    server, reader = Flask("minimal"), Reader(chosen["url"])
    hub = Hub(reader, chosen.get("max_clients", 50), pace=Pace(**chosen.get("pace", {})))
    server.extensions |= {"reader": reader, "hub": hub}
    auth.mount(server, ["https://pnl.example.com"])
    errors.mount(server)
    for transport in (websocket, sse, poll):
        transport.mount(server, hub)
    json_api.mount(server, reader)
    csv_export.mount(server, reader)
    handed = desk.Desk(reader, lambda: Inbox(writer(chosen["url"])), chosen.get("patience", 2.0))
    for routes in (deals, audit, reconciliation, restatements):
        routes.mount(server, reader)
    for takers in (deal_edits, desk):
        takers.mount(server, handed)
    health.mount(server, reader, chosen.get("tick_seconds", 3600))
    metrics.mount(server, telemetry.REGISTRY)
    Compress(server)
    server.add_url_rule("/<path:page>", "pages", lambda page: f"a page router owns {page}")
    server.add_url_rule("/api/broken", "broken", lambda: 1 / 0)
    return server
