"""What goes wrong with the stream on purpose."""

from collections.abc import Mapping
from typing import Any

_SWITCHES = ("silent", "withhold_pongs", "duplicate")
_ENDINGS = ("close", "abort")


class StreamFaults:
    """The current plan of the stream; each wish changes what it names and leaves the rest.

    `refuse` is the status of every handshake (None: welcome), `silent` keeps the connection and
    sends nothing at all, `withhold_pongs` leaves pings unanswered, `duplicate` sends each message
    twice, `delay_ms` holds each back, `drop_fills` loses the next so many fills. Three happen
    once: `disconnect` ends all connections ("close" with a close frame, "abort" without),
    `overflow` gives every subscription error 25 and ends it.
    """

    def __init__(self) -> None:
        """Begin with everything well."""
        self.refuse: int | None = None
        self.silent = False
        self.withhold_pongs = False
        self.duplicate = False
        self.delay_ms = 0
        self.drop_fills = 0
        self.disconnect = ""
        self.overflow = False

    def apply(self, wish: Mapping[str, Any] | str | None) -> None:
        """Change the plan, or end it with "ok"; ValueError when a member is unknown or no fit."""
        if wish in (None, "ok"):
            vars(self).update(vars(StreamFaults()))
            return
        if not isinstance(wish, Mapping):
            raise TypeError('stream must be an object, or "ok"')
        unknown = set(wish) - set(vars(self))
        if unknown:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        for name, value in wish.items():
            setattr(self, name, _fit(name, value))

    def settle(self) -> None:
        """Forget what happens once: after a restart it has happened."""
        self.drop_fills, self.disconnect, self.overflow = 0, "", False

    def shown(self) -> dict[str, Any]:
        """Return the plan as JSON."""
        return dict(vars(self))


def _fit(name: str, value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    if name == "refuse":
        return None if value in (None, "ok") else int(value)
    if name in _SWITCHES or name == "overflow":
        return bool(value)
    if name != "disconnect":
        return int(value)
    ending = "close" if value is True else str(value or "")
    if ending not in ("", *_ENDINGS):
        raise ValueError(f"disconnect must be one of {', '.join(_ENDINGS)}")
    return ending
