"""Series and lists as JSON."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from itertools import dropwhile, islice
from typing import Any

from flask import Flask, Response, request

from delivery import columns, lists, query
from delivery.batches import away, batches
from delivery.errors import Invalid
from ledger import moment
from storage import text
from storage.reader import Reader, Series

JSON = "application/json"
ROWS = 100

Rows = list[dict[str, Any]]
Key = tuple[int, str]


def mount(server: Flask, reader: Reader) -> None:
    """Serve `/api/pnl/series` and `/api/trading/fills`."""

    def series() -> Response:
        found = lists.series(reader, request.args)
        headers = {"X-Seq": str(found.seq)}
        return Response(_series(found), content_type=JSON, headers=headers)

    def fills() -> Response:
        limit = query.whole(request.args, "limit", query.MOST_ROWS) or ROWS
        after = _key(request.args)
        seq, rows = lists.fills(reader, request.args, None if after is None else after[0] + 1)
        body = text.encode(away(_page, rows, after, limit) | {"seq": seq})
        return Response(body, content_type=JSON, headers={"X-Seq": str(seq)})

    server.add_url_rule("/api/pnl/series", "series", series)
    server.add_url_rule("/api/trading/fills", "fills", fills)


def _series(found: Series) -> Iterator[bytes]:
    head = {"period": found.period, "from": moment.text(found.start), "to": moment.text(found.end)}
    yield text.encode(head)[:-1] + b',"rows":['
    comma = b""
    for part in batches(found.rows, _objects):
        yield comma + part
        comma = b","
    yield b"]}"


def _objects(rows: Rows) -> bytes:
    return text.encode([columns.members(columns.SERIES, row) for row in rows])[1:-1]


def _page(rows: Iterator[dict[str, Any]], after: Key | None, limit: int) -> dict[str, Any]:
    fresh = rows if after is None else dropwhile(lambda row: _place(row) >= after, rows)
    found = list(islice(fresh, limit + 1))
    page: dict[str, Any] = {
        "rows": [columns.members(columns.FILLS, row) for row in found[:limit]],
    }
    if len(found) > limit:
        page["next_cursor"] = _cursor(_place(found[limit - 1]))
    return page


def _place(row: dict[str, Any]) -> Key:
    return row["time"], row["fill_id"]


def _cursor(place: Key) -> str:
    return urlsafe_b64encode(f"{place[0]}:{place[1]}".encode()).decode().rstrip("=")


def _key(arguments: query.Arguments) -> Key | None:
    given = arguments.get("cursor")
    if given is None:
        return None
    try:
        time, _, name = urlsafe_b64decode(given + "=" * (-len(given) % 4)).decode().partition(":")
        return int(time), name
    except ValueError as error:
        raise Invalid("cursor", "must be the next_cursor of the page before") from error
