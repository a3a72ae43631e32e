"""gunicorn: web processes whose gevent workers hold every live connection."""

import os
import signal
from typing import Any

import settings

_chosen = settings.load()
_metrics_dir = settings.inherited().get("PROMETHEUS_MULTIPROC_DIR")

wsgi_app = "app:wsgi()"
proc_name = "northstar-web"
bind = f"{_chosen.host}:{_chosen.port}"
workers = _chosen.web_concurrency
worker_class = "gevent"
worker_connections = _chosen.max_clients + 200
loglevel = _chosen.log_level.lower()
http_parser = "auto"
preload_app = False
control_socket_disable = True
# The hub has said goodbye after 0.3 s; what is left then are browsers' idle connections.
graceful_timeout = 1


def when_ready(_server: Any) -> None:  # noqa: ANN401 -- gunicorn has no types
    """Take Ctrl-C as the end that says goodbye: gunicorn's own ends its workers in mid-word."""
    signal.signal(signal.SIGINT, lambda *_: os.kill(os.getpid(), signal.SIGTERM))


def post_worker_init(worker: Any) -> None:  # noqa: ANN401 -- likewise
    """Let the hub speak for as long as the worker lives; Ctrl-C is the master's to hear."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker.wsgi.extensions["hub"].start(lambda: worker.alive)


def child_exit(_server: Any, worker: Any) -> None:  # noqa: ANN401 -- likewise
    """Take a dead worker's gauges out of the sum."""
    if _metrics_dir:
        from prometheus_client import multiprocess  # noqa: PLC0415 -- reads its folder on import

        multiprocess.mark_process_dead(worker.pid, _metrics_dir)
