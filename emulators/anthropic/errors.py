"""What Anthropic answers when it cannot serve."""

from emulators.server import Reply
from emulators.world.chance import token

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class Refused(Exception):
    """The request earns an error; carries the reply."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        """Carry the error of a status; a header's name has _ for -."""
        super().__init__(message)
        self.reply = error(status, message, **headers)


def error(status: int, message: str, **headers: str) -> Reply:
    """Return an error in the provider's shape, its request id in body and header."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    identity = f"req_{token(status, message)[:24]}"
    kind = _TYPES[status]
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": identity}
    return Reply(status, body, {"request-id": identity, **more})
