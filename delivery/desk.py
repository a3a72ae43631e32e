"""The desk: where a command is handed in, and its answer waited for."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from time import monotonic
from typing import Any

import gevent
from flask import Flask, Response, request
from gevent.threadpool import ThreadPool

from delivery import auth, deals
from delivery.batches import away
from delivery.errors import Absent, Busy, Invalid, KeyReused, problem
from storage import text
from storage.errors import Reused
from storage.inbox import WAITING, Answer, Inbox
from storage.reader import Reader

PATIENCE = 2.0
"""Seconds a request waits to hand a command in, and again for the worker's answer."""

GLANCE = 0.02
JSON = "application/json"
HEADER = "Idempotency-Key"
LONGEST_KEY = 200


class Desk:
    """One per web process: a single thread writes commands, and nothing else.

    A command handed in twice by its key is one command, so whoever got a 503 may ask again.
    """

    def __init__(
        self, reader: Reader, inbox: Callable[[], Inbox], patience: float = PATIENCE
    ) -> None:
        """Write by what `inbox` opens, on the thread that writes."""
        self._reader = reader
        self._open = inbox
        self._inbox: Inbox | None = None
        self._pool: ThreadPool | None = None
        self._patience = patience

    def ask(self, kind: str, body: Mapping[str, Any], key: str) -> Response:
        """Hand a command in and return its answer, or 202 with where to look for it."""
        actor = auth.editor()
        away(self._reader.ping)
        number = self._put(key, kind, body, actor)
        end = monotonic() + self._patience
        while (answer := away(self._reader.answer, number)) and answer.status == WAITING:
            if monotonic() >= end:
                break
            gevent.sleep(GLANCE)
        return _told(number, answer)

    def answer(self, number: int) -> Response:
        """Return what became of one's own command."""
        answer = away(self._reader.answer, number)
        if answer is None or answer.actor != auth.editor():
            raise Absent(f"There is no command {number}; old ones are forgotten.")
        return _told(number, answer)

    def _put(self, key: str, kind: str, body: Mapping[str, Any], actor: str) -> int:
        busy = Busy("The database is busy; nothing is lost when the same request is sent again.")
        with gevent.Timeout(self._patience, busy):
            self._pool = self._pool or ThreadPool(1)
            outcome = self._pool.spawn(self._written, key, kind, body, actor).get()
        if isinstance(outcome, Reused):
            raise KeyReused(str(outcome))
        if isinstance(outcome, Exception):
            raise outcome
        return int(outcome)

    def _written(self, key: str, kind: str, body: object, actor: str) -> int | Exception:
        # The pool prints what its threads raise, so the error comes back as a value.
        try:
            self._inbox = self._inbox or self._open()
            return self._inbox.put(key, kind, body, actor)
        except Exception as error:  # noqa: BLE001 -- raised again on the caller's side
            return error


def mount(server: Flask, desk: Desk) -> None:
    """Serve `/api/commands/{number}`."""
    server.add_url_rule("/api/commands/<int:number>", "command", desk.answer)


def given_key() -> str:
    """Return the request's Idempotency-Key; Invalid without one, or one that is too long."""
    key = request.headers.get(HEADER, "").strip()
    if not key or len(key) > LONGEST_KEY:
        remedy = f"must be given: a text of at most {LONGEST_KEY} letters, new for each command"
        raise Invalid(HEADER, remedy)
    return key


def _told(number: int, answer: Answer | None) -> Response:
    place = f"/api/commands/{number}"
    if answer is None or answer.status == WAITING:
        body = {"command": number, "state": "waiting", "answer": place}
        headers = {"Location": place, "Retry-After": "1"}
        status = HTTPStatus.ACCEPTED.value
        return Response(text.encode(body), status, headers, content_type=JSON)
    if answer.status >= HTTPStatus.BAD_REQUEST:
        detail = answer.body.pop("detail")
        return problem(HTTPStatus(answer.status), detail, **_shown(answer.body))
    if "deal" in answer.body:
        row = answer.body["deal"]
        made = answer.status == HTTPStatus.CREATED
        found = {"Location": f"/api/revenue/deals/{row['id']}"} if made else {}
        return deals.shown(row, found, answer.status)
    return Response(text.encode(_shown(answer.body)), answer.status, content_type=JSON)


def _shown(body: dict[str, Any]) -> dict[str, Any]:
    """Return an answer with its deals as a list shows them."""
    if "preview" not in body:
        return body
    rows = [{**row, "deal": deals.members(row["deal"])} for row in body["preview"]]
    return {**body, "preview": rows}
