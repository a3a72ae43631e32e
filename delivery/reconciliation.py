"""The reconciliation: what differs from the sources' own figures, as a list and as CSV."""

from typing import Any

from flask import Flask, Response, request

from delivery import csv_export, cursor, query
from delivery.batches import away
from delivery.columns import TEXT, TIME, Columns, Unit
from ledger.difference import Kind
from ledger.money import dollars, number
from storage import text
from storage.reader import Reader
from storage.reconciliation import Wanted

JSON = "application/json"
ROWS = 100

DECIMAL = Unit(lambda value: number(dollars(value)), str)
"""A decimal kept as text, whatever it counts: six decimals as a member, all of them as a cell."""

DIFFERENCES: Columns = {
    "time": TIME,
    "source": TEXT,
    "subject": TEXT,
    "ours": TEXT,
    "theirs": TEXT,
    "difference": DECIMAL,
    "kind": TEXT,
    "unit": TEXT,
}


def mount(server: Flask, reader: Reader) -> None:
    """Serve `/api/reconciliation` and `/api/reconciliation.csv`."""

    def differences() -> Response:
        limit = query.whole(request.args, "limit", query.MOST_ROWS) or ROWS
        after = cursor.given(request.args, (int,))
        seq, rows = away(reader.reconciliation, _wanted(request.args, after))
        body = away(cursor.page, DIFFERENCES, rows, _place, after, limit) | {"seq": seq}
        return Response(text.encode(body), content_type=JSON, headers={"X-Seq": str(seq)})

    def differences_csv() -> Response:
        seq, rows = away(reader.reconciliation, _wanted(request.args, []))
        return csv_export.export("reconciliation", seq, DIFFERENCES, rows)

    server.add_url_rule("/api/reconciliation", "reconciliation", differences)
    server.add_url_rule("/api/reconciliation.csv", "reconciliation_csv", differences_csv)


def _wanted(arguments: query.Arguments, after: cursor.Place) -> Wanted:
    start, end = query.span(arguments)
    kind = query.choice(arguments, "kind", tuple(Kind))
    return Wanted(start, end, arguments.get("source"), kind, after[0] if after else None)


def _place(row: dict[str, Any]) -> cursor.Place:
    return [row["id"]]
