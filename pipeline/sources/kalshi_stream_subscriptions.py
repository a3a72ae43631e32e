"""The stream's subscriptions: what is asked for, what was granted, what was refused."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Command = dict[str, Any]

ACCOUNT = ("fill", "market_positions", "market_lifecycle_v2")
"""Channels of the whole account; `ticker` is beside them, market by market."""

AT_ONCE = 100
"""Markets in one command."""

UNKNOWN_MARKET = 16
HARMLESS = {6, 7}
"""«Already subscribed» and «unknown subscription»: the wish is fulfilled."""
FORBIDDEN = {8, 9, 10}
"""The channel is not there or not for this key: asking again soon helps nothing."""


class Unsubscribed(RuntimeError):
    """The exchange refused or ended a subscription; `forbidden` when it will do so again."""

    def __init__(self, code: int, said: str) -> None:
        """Say what the exchange said."""
        super().__init__(f"subscription error {code}: {said}")
        self.forbidden = code in FORBIDDEN


@dataclass(frozen=True, slots=True)
class _Asked:
    """One command that waits for its answer."""

    channel: str
    tickers: Sequence[str] = ()


class Subscriptions:
    """The subscriptions of one connection; yields commands, is told answers."""

    def __init__(self) -> None:
        """Have asked for nothing."""
        self._number = 0
        self._asked: dict[int, _Asked] = {}
        self._granted: set[str] = set()
        self._sid: int | None = None
        self._markets: frozenset[str] = frozenset()
        self._nowhere: set[str] = set()

    @property
    def ready(self) -> bool:
        """Whether nothing of the account can pass unseen from now on."""
        return self._granted.issuperset(ACCOUNT)

    @property
    def markets(self) -> frozenset[str]:
        """The markets whose quotes were asked for, and not refused so far."""
        return self._markets

    def opening(self) -> Iterator[Command]:
        """Yield the commands that subscribe to the account's channels."""
        for channel in ACCOUNT:
            yield self._command("subscribe", _Asked(channel), {"channels": [channel]})

    def watching(self, tickers: Collection[str]) -> Iterator[Command]:
        """Yield the commands after which exactly these markets are quoted.

        Nothing while the first ticker command is unanswered: its subscription has no id yet.
        """
        wanted = frozenset(tickers) - self._nowhere
        waiting = any(asked.channel == "ticker" for asked in self._asked.values())
        if waiting or wanted == self._markets:
            return
        added, gone = sorted(wanted - self._markets), sorted(self._markets - wanted)
        if self._sid is None:
            yield from self._first(added)
        elif not wanted:
            yield from self._none_left()
        else:
            yield from self._changed("add_markets", added)
            yield from self._changed("delete_markets", gone)
            self._markets = wanted

    def told(self, kind: str, message: Mapping[str, Any]) -> Iterator[Command]:
        """Take note of an answer; yield what to ask next. Unsubscribed on a refusal."""
        asked = self._asked.pop(_whole(message.get("id")) or 0, None)
        said = message.get("msg")
        told = said if isinstance(said, dict) else {}
        if kind == "error":
            yield from self._refused(_whole(told.get("code")) or 0, str(told.get("msg")), asked)
        elif kind == "subscribed":
            self._granted.add(str(told.get("channel")))
            if told.get("channel") == "ticker":
                self._sid = _whole(told.get("sid"))

    def _refused(self, code: int, said: str, asked: _Asked | None) -> Iterator[Command]:
        if code in HARMLESS:
            return
        if code != UNKNOWN_MARKET or asked is None:
            raise Unsubscribed(code, said)
        self._markets -= frozenset(asked.tickers)
        if len(asked.tickers) == 1:
            self._nowhere.update(asked.tickers)
        # The whole command was refused for one market it named: the others are asked one by one.
        for ticker in asked.tickers if len(asked.tickers) > 1 else ():
            yield from self._added([ticker])

    def _added(self, tickers: Sequence[str]) -> Iterator[Command]:
        self._markets |= frozenset(tickers)
        if self._sid is not None:
            yield from self._changed("add_markets", tickers)
            return
        params = {
            "channels": ["ticker"],
            "market_tickers": list(tickers),
            "send_initial_snapshot": True,
        }
        yield self._command("subscribe", _Asked("ticker", tickers), params)

    def _first(self, tickers: Sequence[str]) -> Iterator[Command]:
        """Ask for the first markets; the others follow once the subscription has its id."""
        if tickers:
            yield from self._added(tickers[:AT_ONCE])

    def _changed(self, action: str, tickers: Sequence[str]) -> Iterator[Command]:
        for start in range(0, len(tickers), AT_ONCE):
            some = tickers[start : start + AT_ONCE]
            params = {"sids": [self._sid], "action": action, "market_tickers": list(some)}
            asked = _Asked("ticker", some if action == "add_markets" else ())
            yield self._command("update_subscription", asked, params)

    def _none_left(self) -> Iterator[Command]:
        """End the subscription: one that names no market might mean every market."""
        yield self._command("unsubscribe", _Asked(""), {"sids": [self._sid]})
        self._sid, self._markets = None, frozenset()

    def _command(self, word: str, asked: _Asked, params: Command) -> Command:
        self._number += 1
        self._asked[self._number] = asked
        return {"id": self._number, "cmd": word, "params": params}


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
