"""One socket: what it asks is answered, what it subscribed to is sent."""

import json
from collections.abc import Iterable
from typing import Any

from emulators.kalshi import commands, messages
from emulators.kalshi.subscriptions import Subscriptions
from emulators.kalshi.watch import News, Watch
from emulators.peer import Peer
from emulators.world.world import World

MOST_WAITING = 10_000
"""How many messages a peer may leave unread before its subscriptions overflow."""


class Session:
    """A peer, and its subscriptions to a world."""

    def __init__(self, world: World, peer: Peer, watch: Watch) -> None:
        """Subscribe to nothing yet."""
        self._world = world
        self._watch = watch
        self.peer = peer
        self.subscriptions = Subscriptions(self)

    def hear(self, text: str) -> None:
        """Do what a text asks, and say so or why not."""
        with self._world.lock:
            now = self._world.advance()
            self._say(self._answers(text))
            self._watch.prime(dict(self.subscriptions.wanted()), now)

    def take(self, news: Iterable[News]) -> None:
        """Send what is subscribed to; a peer that does not read loses its subscriptions."""
        copies = 2 if self._world.faults.stream.duplicate else 1
        with self._world.lock:
            for one in news:
                for message in self.subscriptions.matched(one):
                    self._say([message] * copies)
        if self.peer.waiting > MOST_WAITING:
            self.overflow()

    def overflow(self) -> None:
        """End every subscription with error 25."""
        with self._world.lock:
            self._say(commands.error(25, sid=sid) for sid in self.subscriptions.clear())

    def known(self, ticker: str) -> bool:
        """Return whether there is such a market."""
        return self._world.catalog.market(ticker, self._world.clock()) is not None

    def snapshot(self, channel: str, ticker: str, *, yes_price: bool) -> dict[str, Any]:
        """Return the body of a channel's snapshot of a market that is known."""
        now = self._world.clock()
        market = self._world.account.market(ticker)
        if channel == "ticker":
            return messages.ticker(self._world, market, now)
        return messages.snapshot(market, self._watch.book(market, now), yes_price=yes_price)

    def _answers(self, text: str) -> list[dict[str, Any]]:
        number = 0
        try:
            command = commands.read(text)
            number = command.number
            return self.subscriptions.answer(command)
        except commands.Mistaken as mistaken:
            return [commands.error(mistaken.code, id=number or mistaken.command)]

    def _say(self, said: Iterable[dict[str, Any]]) -> None:
        for message in said:
            self.peer.say(json.dumps(message, separators=(",", ":")) + "\n")
