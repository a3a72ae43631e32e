"""Health: whether the process is up (`/healthz`) and fit to be asked (`/readyz`)."""

from collections.abc import Callable

from flask import Flask, Response

from delivery.batches import away
from delivery.errors import Unfit
from ledger import moment
from storage import text
from storage.errors import NotReady
from storage.reader import Head, Reader

GRACE = 5 * moment.MICROS
_JSON = "application/json"


def mount(
    server: Flask, reader: Reader, tick_seconds: float, clock: moment.Clock = moment.system
) -> None:
    """Serve both probes; figures older than 3 ticks + 5 s are unfit."""
    oldest = round(3 * tick_seconds * moment.MICROS) + GRACE

    def healthz() -> Response:
        return Response(text.encode({"status": "ok"}), content_type=_JSON)

    def readyz() -> Response:
        head = _read(reader)
        age = clock() - head.as_of
        if age > oldest:
            raise Unfit(f"No new figures since {moment.text(head.as_of)}; see the worker's log.")
        body = {"status": "ok", "seq": head.seq, "as_of": moment.text(head.as_of)}
        return Response(text.encode(body), content_type=_JSON)

    _probe(server, "/healthz", healthz)
    _probe(server, "/readyz", readyz)


def _read(reader: Reader) -> Head:
    try:
        away(reader.ping)
        return away(reader.head)
    except NotReady:
        raise
    except Exception as error:  # whatever the reason, the answer to a probe is «not now»
        raise Unfit("The database cannot be read; see the log of the web process.") from error


def _probe(server: Flask, path: str, view: Callable[[], Response]) -> None:
    server.add_url_rule(path, path.strip("/"), view)
