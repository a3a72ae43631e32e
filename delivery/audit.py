"""The audit: who did what and when, as a list and as CSV."""

from typing import Any

from flask import Flask, Response, request

from delivery import csv_export, cursor, query
from delivery.batches import away
from delivery.columns import TEXT, TIME, WHOLE, Columns
from storage import text
from storage.audit import Wanted
from storage.reader import Reader

JSON = "application/json"
ROWS = 100

AUDIT: Columns = {
    "id": WHOLE,
    "time": TIME,
    "actor": TEXT,
    "action": TEXT,
    "subject": TEXT,
    "before": TEXT,
    "after": TEXT,
}


def mount(server: Flask, reader: Reader) -> None:
    """Serve `/api/audit` and `/api/audit.csv`."""

    def entries() -> Response:
        limit = query.whole(request.args, "limit", query.MOST_ROWS) or ROWS
        after = cursor.given(request.args, (int,))
        seq, rows = away(reader.audit, _wanted(request.args, after))
        body = away(cursor.page, AUDIT, rows, _place, after, limit) | {"seq": seq}
        return Response(text.encode(body), content_type=JSON, headers={"X-Seq": str(seq)})

    def entries_csv() -> Response:
        seq, rows = away(reader.audit, _wanted(request.args, []))
        return csv_export.export("audit", seq, AUDIT, rows)

    server.add_url_rule("/api/audit", "audit", entries)
    server.add_url_rule("/api/audit.csv", "audit_csv", entries_csv)


def _wanted(arguments: query.Arguments, after: cursor.Place) -> Wanted:
    start, end = query.span(arguments)
    return Wanted(start, end, arguments.get("subject"), after[0] if after else None)


def _place(row: dict[str, Any]) -> cursor.Place:
    return [row["id"]]
