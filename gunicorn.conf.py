"""gunicorn: web processes whose gevent workers hold every live connection."""

import logging
import os
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
# The worker looks once a second whether it should end; by then the hub has said goodbye.
graceful_timeout = 2


def post_worker_init(worker: Any) -> None:  # noqa: ANN401 -- gunicorn has no types
    """Let the hub speak for as long as the worker lives."""
    worker.wsgi.extensions["hub"].start(lambda: worker.alive)


def worker_exit(_server: Any, worker: Any) -> None:  # noqa: ANN401 -- likewise
    """Leave at once: taking the interpreter down would cost half a second of the restart."""
    if worker.booted:
        logging.shutdown()
        os._exit(0)


def child_exit(_server: Any, worker: Any) -> None:  # noqa: ANN401 -- likewise
    """Take a dead worker's gauges out of the sum."""
    if _metrics_dir:
        from prometheus_client import multiprocess  # noqa: PLC0415 -- reads its folder on import

        multiprocess.mark_process_dead(worker.pid, _metrics_dir)
