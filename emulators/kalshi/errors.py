"""What Kalshi answers when it cannot serve, in its three shapes of body."""

from http import HTTPStatus

from emulators.server import Reply

NOT_FOUND = Reply(404, {"error": {"code": "not_found", "message": "not found"}})
TOO_MANY = Reply(429, {"error": "too many requests"})


def forced(status: int) -> Reply:
    """Return an answer of a status somebody wished for, in the shape it usually has."""
    if status == HTTPStatus.NOT_FOUND:
        return NOT_FOUND
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return TOO_MANY
    word = HTTPStatus(status).phrase.lower()
    body = {"code": word.replace(" ", "_"), "message": word}
    nested = status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.CONFLICT)
    return Reply(status, {"error": body} if nested else body)


class BadRequest(Exception):
    """The query does not fit; carries the reply."""

    def __init__(self, reply: Reply) -> None:
        """Carry `reply`."""
        super().__init__(reply.status)
        self.reply = reply


def limit_refused(call: str, tag: str) -> BadRequest:
    """Return the 400 of a limit out of bounds, in the bare shape."""
    where = (
        f"Key: '{call}Params.Limit' Error:Field validation for 'Limit' failed on the '{tag}' tag"
    )
    return BadRequest(Reply(400, {"msg": f"Parameter validation failed for {call}: {where}"}))


def bad_request(details: str) -> BadRequest:
    """Return the 400 of a parameter that cannot be read, in the flat shape."""
    return BadRequest(
        Reply(400, {"code": "bad_request", "message": "bad request", "details": details})
    )
