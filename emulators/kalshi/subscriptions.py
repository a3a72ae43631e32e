"""What one socket has subscribed to: commands change it, news are matched with it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

from emulators.kalshi.commands import ACTIONS, Command, Mistaken
from emulators.kalshi.watch import News

Message = dict[str, Any]
_UNFILTERED = ("market_lifecycle_v2", "multivariate_market_lifecycle")
_SNAPSHOTS = {"orderbook_delta": "orderbook_snapshot", "ticker": "ticker"}


class Markets(Protocol):
    """Where snapshots come from."""

    def known(self, ticker: str) -> bool:
        """Return whether there is such a market."""

    def snapshot(self, channel: str, ticker: str, *, yes_price: bool) -> Message:
        """Return the body of a channel's snapshot of a market."""


@dataclass(slots=True)
class Subscription:
    """One channel of one socket; no tickers stand for all markets."""

    sid: int
    channel: str
    tickers: set[str] = field(default_factory=set)
    every: bool = False
    yes_price: bool = False
    quiet_acks: bool = False
    seq: int = 0

    def wants(self, news: News) -> bool:
        """Return whether a message is for it."""
        if news.channel != self.channel:
            return False
        return self.every or not news.ticker or news.ticker in self.tickers

    def said(self, kind: str, body: Message) -> Message:
        """Return a message under this subscription's number; only books are counted."""
        head: Message = {"type": kind, "sid": self.sid}
        if self.channel == "orderbook_delta":
            head["seq"] = self.counted()
        return {**head, "msg": body}

    def counted(self) -> int:
        """Return the next sequence number."""
        self.seq += 1
        return self.seq


class Subscriptions:
    """The subscriptions of a socket, one per channel, by sid."""

    def __init__(self, markets: Markets) -> None:
        """Subscribe to nothing yet."""
        self._markets = markets
        self._numbers = count(1)
        self._by_sid: dict[int, Subscription] = {}

    def __iter__(self) -> Iterator[Subscription]:
        """Yield the subscriptions, oldest first."""
        return iter(list(self._by_sid.values()))

    def wanted(self) -> Iterator[tuple[str, Collection[str] | None]]:
        """Yield each channel with its tickers, None standing for all."""
        for one in self:
            yield one.channel, None if one.every else one.tickers

    def matched(self, news: News) -> Iterator[Message]:
        """Yield the messages a piece of news becomes here."""
        for one in self:
            if one.wants(news):
                body = news.flipped if one.yes_price and news.flipped else news.body
                yield one.said(news.kind, body)

    def clear(self) -> list[int]:
        """End all; return their sids."""
        ended = list(self._by_sid)
        self._by_sid.clear()
        return ended

    def answer(self, command: Command) -> list[Message]:
        """Do a command and return its replies; Mistaken when it cannot be done."""
        match command.word:
            case "subscribe":
                return self._subscribe(command)
            case "unsubscribe":
                return self._unsubscribe(command)
            case "update_subscription":
                return self._update(command)
        listed = [{"channel": one.channel, "sid": one.sid} for one in self]
        return [{"id": command.number, "type": "ok", "msg": listed}]

    def _subscribe(self, command: Command) -> list[Message]:
        channels, tickers = command.channels(), self._known(command)
        if "orderbook_delta" in channels and not tickers:
            raise Mistaken(14)
        return [reply for name in channels for reply in self._joined(command, name, tickers)]

    def _joined(self, command: Command, channel: str, tickers: list[str]) -> Iterator[Message]:
        found = [one for one in self if one.channel == channel]
        one = found[0] if found else Subscription(next(self._numbers), channel)
        self._by_sid[one.sid] = one
        new = [ticker for ticker in tickers if ticker not in one.tickers]
        one.tickers.update(tickers)
        one.every |= not tickers or channel in _UNFILTERED
        one.yes_price |= command.flag("use_yes_price")
        one.quiet_acks |= command.flag("skip_ticker_ack")
        if found and new:
            yield self._ok(command, one)
        else:
            msg = {"channel": channel, "sid": one.sid}
            yield {"id": command.number, "type": "subscribed", "msg": msg}
        if channel == "orderbook_delta" or command.flag("send_initial_snapshot"):
            yield from self._snapshots(one, new)

    def _unsubscribe(self, command: Command) -> list[Message]:
        sids = command.sids()
        if not sids:
            raise Mistaken(4)
        if not set(sids) <= set(self._by_sid):
            raise Mistaken(7)
        ended = [self._by_sid.pop(sid) for sid in sids]
        return [
            {"id": command.number, "sid": one.sid, "seq": one.counted(), "type": "unsubscribed"}
            for one in ended
        ]

    def _update(self, command: Command) -> list[Message]:
        sids, action = command.sids(), command.params.get("action")
        if len(sids) != 1:
            raise Mistaken(12)
        if sids[0] not in self._by_sid:
            raise Mistaken(7)
        if not action:
            raise Mistaken(15)
        if action not in ACTIONS:
            raise Mistaken(13)
        tickers = self._known(command)
        if not tickers:
            raise Mistaken(14)
        return list(self._updated(command, self._by_sid[sids[0]], str(action), tickers))

    def _updated(
        self, command: Command, one: Subscription, action: str, tickers: list[str]
    ) -> Iterator[Message]:
        new = [ticker for ticker in tickers if ticker not in one.tickers]
        if action == "add_markets":
            one.tickers.update(tickers)
            one.every = one.channel in _UNFILTERED
        elif action == "delete_markets":
            one.tickers.difference_update(tickers)
        yield self._ok(command, one)
        if action == "get_snapshot":
            yield from self._snapshots(one, tickers)
        elif action == "add_markets" and one.channel == "orderbook_delta":
            yield from self._snapshots(one, new)

    def _ok(self, command: Command, one: Subscription) -> Message:
        msg = {} if one.quiet_acks else {"market_tickers": sorted(one.tickers)}
        head = {"id": command.number, "sid": one.sid, "seq": one.counted()}
        return {**head, "type": "ok", "msg": msg}

    def _snapshots(self, one: Subscription, tickers: Collection[str]) -> Iterator[Message]:
        kind = _SNAPSHOTS.get(one.channel)
        for ticker in tickers if kind else ():
            body = self._markets.snapshot(one.channel, ticker, yes_price=one.yes_price)
            yield one.said(str(kind), body)

    def _known(self, command: Command) -> list[str]:
        tickers = command.tickers()
        if not all(self._markets.known(ticker) for ticker in tickers):
            raise Mistaken(16)
        return tickers
