"""What Anthropic answers when it cannot serve."""

from emulators.server import Reply
from emulators.world.chance import token

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    500: "api_error",
}


class Refused(Exception):
    """The request earns an error; carries the reply."""

    def __init__(self, status: int, message: str) -> None:
        """Carry the error of a status."""
        super().__init__(message)
        self.reply = error(status, message)


def error(status: int, message: str) -> Reply:
    """Return an error in the provider's shape, its request id in body and header."""
    identity = f"req_{token(status, message)[:24]}"
    kind = _TYPES[status]
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": identity}
    return Reply(status, body, {"request-id": identity})
