"""What Kalshi answers when it cannot serve, in its three shapes of body."""

from emulators.server import Reply

NOT_FOUND = Reply(404, {"error": {"code": "not_found", "message": "not found"}})
TOO_MANY = Reply(429, {"error": "too many requests"})


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
