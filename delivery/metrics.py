"""Metrics: `/metrics` in the Prometheus text format, of this process or of all."""

from flask import Flask, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector


def mount(server: Flask, registry: CollectorRegistry, multiprocess_dir: str = "") -> None:
    """Serve `registry`, or what all processes wrote to `multiprocess_dir`."""

    def metrics() -> Response:
        return Response(
            generate_latest(_collected(registry, multiprocess_dir)),
            content_type=CONTENT_TYPE_LATEST,
        )

    server.add_url_rule("/metrics", "metrics", metrics)


def _collected(registry: CollectorRegistry, multiprocess_dir: str) -> CollectorRegistry:
    if not multiprocess_dir:
        return registry
    together = CollectorRegistry()
    MultiProcessCollector(together, path=multiprocess_dir)
    return together
