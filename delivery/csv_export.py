"""Series and lists as CSV (RFC 4180): every row, streamed, exact numbers."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from flask import Flask, Response, request

from delivery import columns, lists
from delivery.batches import batches
from delivery.columns import Columns
from storage.reader import Reader

CSV = "text/csv; charset=utf-8; header=present"


def mount(server: Flask, reader: Reader) -> None:
    """Serve `.csv` beside each list and series, with the same filters."""

    def series() -> Response:
        found = lists.series(reader, request.args)
        return export("series", found.seq, columns.SERIES, found.rows)

    def fills() -> Response:
        seq, rows = lists.fills(reader, request.args)
        return export("fills", seq, columns.FILLS, rows)

    server.add_url_rule("/api/pnl/series.csv", "series_csv", series)
    server.add_url_rule("/api/trading/fills.csv", "fills_csv", fills)


def export(name: str, seq: int, kinds: Columns, rows: Iterator[dict[str, Any]]) -> Response:
    """Return every row as a file of this name, streamed."""
    headers = {
        "X-Seq": str(seq),
        "Content-Disposition": f'attachment; filename="{name}-{seq}.csv"',
    }
    return Response(_body(kinds, rows), content_type=CSV, headers=headers)


def _body(kinds: Columns, rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    yield _lines([list(kinds)])
    yield from batches(rows, lambda part: _lines(columns.cells(kinds, row) for row in part))


def _lines(rows: Iterable[list[str]]) -> bytes:
    page = io.StringIO()
    csv.writer(page, lineterminator="\r\n").writerows(rows)
    return page.getvalue().encode()
