"""Deal edits: what a person sends to make, change, take back or import deals."""

from decimal import Decimal
from secrets import token_hex
from typing import Any

from flask import Flask, Response, request

from delivery import desk as desks
from delivery.desk import Desk
from delivery.errors import Invalid, TooLarge, Unsupported
from storage import text
from storage.errors import NotExact

MOST_BYTES = 1_000_000
_AROUND = 10_000
"""What a form adds around its file."""

_LONGEST = 40
"""Digits of a number: more is no amount, and could not be written out."""

ON = ("1", "true")


def mount(server: Flask, desk: Desk) -> None:
    """Serve POST, PUT and DELETE of `/api/revenue/deals`, and the import of a file."""

    def create() -> Response:
        return desk.ask("deal.create", {"deal": _wish()}, desks.given_key())

    def edit(identity: str) -> Response:
        wish = _wish()
        body = {"id": identity, "deal": wish, "match": _match()}
        return desk.ask(
            "deal.edit", body | {"updated_at": wish.get("updated_at")}, desks.given_key()
        )

    def void(identity: str) -> Response:
        body = {"id": identity, "match": _match(), "updated_at": request.args.get("updated_at")}
        return desk.ask("deal.void", body, desks.given_key())

    def take() -> Response:
        flags = {name: request.args.get(name, "") in ON for name in ("dry_run", "partial")}
        # Nothing comes of a dry run, so nothing can come of it twice.
        key = token_hex() if flags["dry_run"] else desks.given_key()
        return desk.ask("deal.import", {"text": _file(), **flags}, key)

    at = "/api/revenue/deals"
    server.add_url_rule(at, "deal_create", create, methods=["POST"])
    server.add_url_rule(f"{at}/import", "deal_import", take, methods=["POST"])
    server.add_url_rule(f"{at}/<path:identity>", "deal_edit", edit, methods=["PUT"])
    server.add_url_rule(f"{at}/<path:identity>", "deal_void", void, methods=["DELETE"])


def _wish() -> dict[str, Any]:
    """Return the JSON object of the body, its members plain values."""
    if request.mimetype != "application/json":
        raise Unsupported("The body must be JSON: send Content-Type: application/json.")
    try:
        wish = text.decode(_bytes(MOST_BYTES))
    except (NotExact, RecursionError, ValueError) as error:
        raise Invalid("body", f"must be JSON: {error}") from error
    if not isinstance(wish, dict):
        raise Invalid("body", 'must be a JSON object, as {"name": "Pilot", …}')
    for name, value in wish.items():
        _check(name, value)
    return wish


def _check(name: str, value: object) -> None:
    if isinstance(value, list | dict):
        raise Invalid(name, "must be a plain value")
    number = Decimal(value) if isinstance(value, int | Decimal) else None
    if number is not None and abs(number.adjusted()) > _LONGEST:
        raise Invalid(name, f"has more than {_LONGEST} digits")
    try:
        f"{name}{value}".encode()
    except UnicodeEncodeError as error:
        raise Invalid(ascii(name), "is no valid Unicode") from error


def _match() -> str | None:
    """Return the version that `If-Match` wants, without its quotation marks."""
    wanted = request.headers.get("If-Match")
    return None if wanted is None else wanted.strip().removeprefix("W/").strip('"')


def _file() -> str:
    """Return the text of the file, sent as text/csv or as `file` of a form."""
    if request.mimetype == "multipart/form-data":
        request.max_content_length = MOST_BYTES + _AROUND
        sent = request.files.get("file")
        if sent is None:
            raise Invalid("file", "must be a member of the form, with the CSV")
        content = sent.stream.read(MOST_BYTES + 1)
    elif request.mimetype == "text/csv":
        content = _bytes(MOST_BYTES)
    else:
        raise Unsupported("The file must be sent as text/csv, or as `file` of a multipart form.")
    _bounded(len(content), MOST_BYTES)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        remedy = f"must be UTF-8, line {line} is not: save it as «CSV UTF-8»"
        raise Invalid("file", remedy) from error


def _bytes(most: int) -> bytes:
    _bounded(request.content_length or 0, most)
    content: bytes = request.stream.read(most + 1)
    _bounded(len(content), most)
    return content


def _bounded(size: int, most: int) -> None:
    if size > most:
        raise TooLarge(f"The body is larger than {most:,} bytes; send it in parts.")
