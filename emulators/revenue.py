"""The revenue system: deals by the instant of their last change, behind a bearer token."""

import json
from hashlib import blake2b

from emulators import paging
from emulators.server import Reply, Request, Service
from emulators.world import instant
from emulators.world.deals import Deal
from emulators.world.world import World

_DEFAULT, _LARGEST = 200, 1_000


class _Refused(Exception):
    """The request earns an error; carries the reply."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.reply = Reply(status, {"error": {"code": code, "message": message}})


def service(world: World, token: str) -> Service:
    """Return the revenue system over a world, for the holder of `token`."""

    def answer(request: Request) -> Reply:
        try:
            _admit(request, token)
            with world.lock:
                return _deals(world, request)
        except _Refused as refused:
            return refused.reply

    return answer


def _admit(request: Request, token: str) -> None:
    if request.header("authorization") != f"Bearer {token}":
        raise _Refused(401, "unauthorized", "a valid bearer token is required")
    if request.method != "GET" or request.path != "/deals":
        raise _Refused(404, "not_found", "only GET /deals is here")


def _deals(world: World, request: Request) -> Reply:
    limit, since = _limit(request), _since(request)
    now = world.clock()
    cursor = request.one("cursor")
    place = paging.decoded(cursor) if cursor else []
    if place is None:
        raise _Refused(400, "bad_cursor", "cursor is none of ours")
    found = [
        deal
        for deal in world.deals.known(now)
        if instant.parse(deal["updated_at"]) >= since and _key(deal) > place
    ]
    plan = world.faults.deals
    page = found if plan.bare else found[:limit]
    more = paging.encoded(*_key(page[-1])) if len(found) > len(page) else None
    told = {"data": page, "next_cursor": more, "as_of": plan.as_of or instant.text(now)}
    return _versioned(page if plan.bare else told, [page, more], request, etag=plan.etag)


def _versioned(body: object, version: object, request: Request, *, etag: bool) -> Reply:
    """Return the body, or 304 to whoever holds this version of it."""
    digest = blake2b(json.dumps(version).encode(), digest_size=12).hexdigest()
    headers = {"ETag": f'"{digest}"'} if etag else {}
    if etag and request.header("if-none-match") == headers["ETag"]:
        return Reply(304, None, headers)
    return Reply(200, body, headers)


def _key(deal: Deal) -> list[object]:
    return [instant.parse(deal["updated_at"]), deal["id"]]


def _limit(request: Request) -> int:
    text = request.one("limit") or str(_DEFAULT)
    if not text.isdecimal() or not 1 <= int(text) <= _LARGEST:
        raise _Refused(400, "bad_limit", f"limit must be an integer from 1 to {_LARGEST}")
    return int(text)


def _since(request: Request) -> int:
    text = request.one("updated_since")
    try:
        return instant.parse(text.replace(" ", "+")) if text else 0
    except ValueError as error:
        raise _Refused(400, "bad_time", f"updated_since must be RFC 3339, not {text!r}") from error
