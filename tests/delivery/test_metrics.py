"""Metrics: of one process, or of all that wrote to a folder."""

import subprocess
import sys
from pathlib import Path

import settings
from tests.delivery.conftest import ROOT, Web, eventually
from tests.delivery.peers import Socket

OF_ALL = """
import telemetry
from flask import Flask
from delivery import metrics
telemetry.SNAPSHOT_SEQ.set({value})
server = Flask("of_all")
metrics.mount(server, telemetry.REGISTRY, {folder!r})
print(server.test_client().get("/metrics").text)
"""


def test_live_connections_are_counted_by_transport(standing: Web) -> None:
    sample = 'northstar_clients{transport="ws"}'
    before = standing.metric(sample)
    peer = Socket(standing.port)
    peer.message()
    assert standing.metric(sample) == before + 1
    peer.close()
    eventually(lambda: standing.metric(sample) == before)


def test_what_other_processes_wrote_is_included(tmp_path: Path) -> None:
    environment = settings.inherited(PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    for value in (9, 3):
        program = OF_ALL.format(value=value, folder=str(tmp_path))
        shown = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    assert "northstar_snapshot_seq 9.0" in shown
