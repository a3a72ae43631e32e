"""The stream's commands as they come in, and the errors they earn."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Params = Mapping[str, Any]

CHANNELS = (
    "ticker", "trade", "fill", "market_positions", "user_orders", "orderbook_delta",
    "market_lifecycle_v2", "multivariate_market_lifecycle",
)  # fmt: skip
COMMANDS = ("subscribe", "unsubscribe", "update_subscription", "list_subscriptions")
ACTIONS = ("add_markets", "delete_markets", "get_snapshot")
_SAID = {
    1: "Unable to process message", 2: "Params required", 3: "Channels required",
    4: "Subscription IDs required", 5: "Unknown command", 6: "Already subscribed",
    7: "Unknown subscription ID", 8: "Unknown channel name", 9: "Authentication required",
    10: "Channel error", 11: "Invalid parameter", 12: "Exactly one subscription ID is required",
    13: "Unsupported action", 14: "Market ticker required", 15: "Action required",
    16: "Market not found", 17: "Internal error", 18: "Command timeout",
    25: "Subscription buffer overflow", 26: "Market limit exceeded", 27: "Too many requests",
}  # fmt: skip


class Mistaken(Exception):
    """A command that cannot be done; carries its error."""

    def __init__(self, code: int, command: int = 0) -> None:
        """Carry the code, and the id of the command where it is known."""
        super().__init__(code)
        self.code = code
        self.command = command


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its id, its word, its parameters."""

    number: int
    word: str
    params: Params

    def tickers(self) -> list[str]:
        """Return the markets named; Mistaken when they are no names."""
        named = self.params.get("market_tickers", [])
        single = self.params.get("market_ticker")
        if not _all(named, str) or not isinstance(single, str | None):
            raise Mistaken(11)
        return [*named, *([single] if single else [])]

    def channels(self) -> list[str]:
        """Return the channels; Mistaken when there are none, or unknown ones."""
        named = self.params.get("channels")
        if not named:
            raise Mistaken(3)
        if not _all(named, str):
            raise Mistaken(11)
        if not set(named) <= set(CHANNELS):
            raise Mistaken(8)
        return list(named)

    def sids(self) -> list[int]:
        """Return the subscription ids; Mistaken when they are no numbers."""
        named = self.params.get("sids", [])
        single = self.params.get("sid")
        if not _all(named, int) or not isinstance(single, int | None):
            raise Mistaken(11)
        return [*named, *([single] if single is not None else [])]

    def flag(self, name: str) -> bool:
        """Return a switch; off when it is not named."""
        return self.params.get(name) is True


def read(text: str) -> Command:
    """Return the command of a text; Mistaken when it is none."""
    try:
        body = json.loads(text)
    except ValueError as error:
        raise Mistaken(1) from error
    if not isinstance(body, dict) or not isinstance(body.get("id", 0), int):
        raise Mistaken(1)
    number, word = body.get("id", 0), body.get("cmd")
    if word not in COMMANDS:
        raise Mistaken(5, number)
    params = body.get("params")
    if word == "list_subscriptions":
        params = params or {}
    if not isinstance(params, dict):
        raise Mistaken(2, number)
    return Command(number, word, params)


def error(code: int, **more: int) -> dict[str, Any]:
    """Return an error message; `more` is the id of the command, or the sid."""
    return {**more, "type": "error", "msg": {"code": code, "msg": _SAID[code]}}


def _all(values: object, kind: type) -> bool:
    return isinstance(values, list) and all(isinstance(value, kind) for value in values)
