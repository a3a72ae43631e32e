"""Deals: the list with its filters and its pages, one deal, and all of them as CSV."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Flask, Response, request

from delivery import columns, csv_export, cursor, query
from delivery.batches import away
from delivery.columns import MONEY, TEXT, TIME, Columns, Unit
from delivery.errors import Absent
from ledger.facts import Status
from storage import text
from storage.deals import Wanted
from storage.reader import Reader

JSON = "application/json"
ROWS = 100

DAY = Unit(str, str)
RATIO = Unit(lambda value: value, lambda value: format(value, "f"))

DEALS: Columns = {
    "id": TEXT,
    "name": TEXT,
    "status": TEXT,
    "amount": MONEY,
    "currency": TEXT,
    "amount_usd": MONEY,
    "closed_date": DAY,
    "recognized_at": DAY,
    "probability": RATIO,
    "updated_at": TIME,
    "source": TEXT,
    "rate": RATIO,
    "rate_date": DAY,
    "service_start": DAY,
    "service_end": DAY,
    "customer": TEXT,
    "owner": TEXT,
    "stage": TEXT,
    "url": TEXT,
    "notes": TEXT,
    "flag": TEXT,
}

_PLACE = (str, int, str, str)


def mount(server: Flask, reader: Reader) -> None:
    """Serve `/api/revenue/deals`, each deal below it, and the list's CSV."""

    def deals() -> Response:
        limit = query.whole(request.args, "limit", query.MOST_ROWS) or ROWS
        after = cursor.given(request.args, _PLACE)
        seq, rows = away(reader.deals, _wanted(request.args, after))
        body = away(cursor.page, DEALS, rows, _place, after, limit) | {"seq": seq}
        return Response(text.encode(body), content_type=JSON, headers={"X-Seq": str(seq)})

    def deal(identity: str) -> Response:
        seq, rows = away(reader.deals, Wanted(id=identity))
        found = next(iter(sorted(rows, key=lambda row: row["source"] not in OURS)), None)
        if found is None:
            raise Absent(f"There is no deal {identity!r}.")
        return shown(found, {"X-Seq": str(seq)})

    def deals_csv() -> Response:
        seq, rows = away(reader.deals, _wanted(request.args, []))
        return csv_export.export("deals", seq, DEALS, rows)

    server.add_url_rule("/api/revenue/deals", "deals", deals)
    server.add_url_rule("/api/revenue/deals.csv", "deals_csv", deals_csv)
    server.add_url_rule("/api/revenue/deals/<path:identity>", "deal", deal)


OURS = ("manual", "csv")
"""Sources whose deals may be changed here; where two share an id, ours is meant."""


def shown(row: Mapping[str, Any], headers: Mapping[str, str], status: int = 200) -> Response:
    """Return one deal; its ETag is what `If-Match` wants."""
    given = members(row)
    tagged = {**headers, "ETag": f'"{given["updated_at"]}"'}
    return Response(text.encode(given), status, tagged, content_type=JSON)


def members(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a deal's row as JSON members; what is empty is absent."""
    return columns.members(DEALS, {name: value for name, value in row.items() if value != ""})


def _wanted(arguments: query.Arguments, after: cursor.Place) -> Wanted:
    start, end = query.span(arguments)
    status = query.choice(arguments, "status", tuple(Status))
    day = date.fromisoformat(after[0]) if after else None
    return Wanted(status, arguments.get("source"), start, end, day)


def _place(row: dict[str, Any]) -> cursor.Place:
    return [str(row["day"] or date.min), row["updated_at"], row["source"], row["id"]]
