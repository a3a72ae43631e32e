"""The restatements: what changed late, when it was seen, by how much, as a list and as CSV."""

from typing import Any

from flask import Flask, Response, request

from delivery import csv_export, cursor, query
from delivery.batches import away
from delivery.columns import MONEY, TEXT, TIME, Columns
from storage import text
from storage.reader import Reader
from storage.restatements import Wanted

JSON = "application/json"
ROWS = 100

RESTATEMENTS: Columns = {
    "seen_at": TIME,
    "source": TEXT,
    "fact": TEXT,
    "from": TIME,
    "to": TIME,
    "amount": MONEY,
}


def mount(server: Flask, reader: Reader) -> None:
    """Serve `/api/restatements` and `/api/restatements.csv`."""

    def restatements() -> Response:
        limit = query.whole(request.args, "limit", query.MOST_ROWS) or ROWS
        after = cursor.given(request.args, (int,))
        seq, rows = away(reader.restatements, _wanted(request.args, after))
        body = away(cursor.page, RESTATEMENTS, rows, _place, after, limit) | {"seq": seq}
        return Response(text.encode(body), content_type=JSON, headers={"X-Seq": str(seq)})

    def restatements_csv() -> Response:
        seq, rows = away(reader.restatements, _wanted(request.args, []))
        return csv_export.export("restatements", seq, RESTATEMENTS, rows)

    server.add_url_rule("/api/restatements", "restatements", restatements)
    server.add_url_rule("/api/restatements.csv", "restatements_csv", restatements_csv)


def _wanted(arguments: query.Arguments, after: cursor.Place) -> Wanted:
    start, end = query.span(arguments)
    return Wanted(start, end, arguments.get("source"), after[0] if after else None)


def _place(row: dict[str, Any]) -> cursor.Place:
    return [row["id"]]
