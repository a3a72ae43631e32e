"""What has changed in the world since the last look, as news for the stream's channels."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emulators.kalshi import messages, reported, rows
from emulators.kalshi.lifecycle import Lifecycle
from emulators.world.account import Account, Book
from emulators.world.chance import identifier
from emulators.world.depth import Sides, changes, depth
from emulators.world.holding import Fill
from emulators.world.instant import SECOND
from emulators.world.market import Market
from emulators.world.prints import Print, printed
from emulators.world.quotes import Quote
from emulators.world.world import World

Prices = dict[str, Quote]
Wanted = Mapping[str, Collection[str] | None]
"""Tickers by channel, None standing for all markets."""
_PRIVATE = frozenset(("fill", "user_orders", "trade", "market_positions"))
SLOW = SECOND // 5
"""How often quotes, books and lifecycles are looked at when nobody stirs."""


@dataclass(frozen=True, slots=True)
class News:
    """One message of a channel; `flipped` is its body where no-prices are wanted as yes-prices."""

    channel: str
    kind: str
    ticker: str
    body: dict[str, Any]
    flipped: dict[str, Any] | None = None


class Watch:
    """Looks at a world under its lock; begins with nothing new."""

    def __init__(self, world: World) -> None:
        """Take the world as it is."""
        self._world = world
        now = world.advance()
        self._arrived = len(world.account.arrived)
        self._lifecycle = Lifecycle()
        self._lifecycle.look(world, now)
        self._settled: set[Book] = set(self._finals(now))
        self._quotes: Prices = {}
        self._books: dict[str, Sides] = {}
        self._slow = now

    def look(self, wanted: Wanted, *, stirred: bool) -> list[News]:
        """Return what is new and wanted."""
        world = self._world
        now = world.advance()
        news = list(self._fills(wanted))
        if not stirred and 0 <= now - self._slow < SLOW:
            return news
        since, self._slow = self._slow, now
        told = self._lifecycle.look(world, now)
        news += [News("market_lifecycle_v2", kind, "", body) for kind, body in told]
        news += [self._position(*book) for book in self._newly_settled(now)]
        if "trade" in wanted:
            news += self._trades(wanted["trade"], since + 1, now)
        if "ticker" in wanted:
            news += self._tickers(self._markets(wanted["ticker"], now), now)
        if "orderbook_delta" in wanted:
            news += self._deltas(self._markets(wanted["orderbook_delta"], now), now)
        return news

    def prime(self, wanted: Wanted, now: int) -> None:
        """Take the quotes of markets asked for first now as known, so that changes are news."""
        for market in self._markets(wanted["ticker"], now) if "ticker" in wanted else ():
            self._quotes.setdefault(market.ticker, self._world.quote(market, now))

    def book(self, market: Market, now: int) -> Sides:
        """Return a market's book as the next delta will start from."""
        if market.ticker not in self._books:
            self._books[market.ticker] = self._depth(market, now)
        return self._books[market.ticker]

    def _fills(self, wanted: Wanted) -> Iterator[News]:
        arrived = self._world.account.arrived[self._arrived :]
        self._arrived += len(arrived)
        if _PRIVATE.isdisjoint(wanted):
            return
        for fill, position, is_last in _with_positions(self._world.account, arrived):
            if self._world.faults.stream.drop_fills > 0:
                self._world.faults.stream.drop_fills -= 1
            elif not self._world.discrepancies.hidden(fill.fill_id):
                yield from self._fill(fill, position)
                if is_last:
                    yield self._position(*fill.book)

    def _fill(self, fill: Fill, position: int) -> Iterator[News]:
        world = self._world
        index = world.account.market(fill.ticker).series.exchange_index
        user = identifier(world.charter.seed, "user")
        row = reported.plain(world, rows.fill(fill, index))
        yield News("fill", "fill", fill.ticker, messages.fill(row, fill, position))
        order = messages.order(rows.order(fill, index, user), fill)
        yield News("user_orders", "user_order", fill.ticker, order)
        yield self._trade(printed(fill))

    def _trade(self, one: Print) -> News:
        row = reported.plain(self._world, rows.trade(one))
        return News("trade", "trade", one.ticker, messages.trade(row, one.time))

    def _trades(self, wanted: Collection[str] | None, least: int, most: int) -> list[News]:
        """Return the trades of others, oldest first."""
        found = self._world.prints.newest((), least, most)
        kept = [one for one in found if wanted is None or one.ticker in wanted]
        return [self._trade(one) for one in reversed(kept)]

    def _position(self, ticker: str, subaccount: int) -> News:
        account = self._world.account
        user = identifier(self._world.charter.seed, "user")
        body = messages.position(account.market(ticker), account.holding(ticker, subaccount), user)
        return News("market_positions", "market_position", ticker, body)

    def _finals(self, now: int) -> list[Book]:
        pairs = self._world.account.holdings()
        return [(m.ticker, one.subaccount) for m, one in pairs if m.finalized <= now]

    def _newly_settled(self, now: int) -> list[Book]:
        new = [book for book in self._finals(now) if book not in self._settled]
        self._settled.update(new)
        return new

    def _markets(self, wanted: Collection[str] | None, now: int) -> list[Market]:
        catalog = self._world.catalog
        if wanted is None:
            return [m for m in catalog.markets(now) if m.open <= now and m.close + SECOND > now]
        found = (catalog.market(ticker, now) for ticker in wanted)
        return [market for market in found if market]

    def _tickers(self, markets: list[Market], now: int) -> Iterator[News]:
        for market in markets:
            quote = self._world.quote(market, now)
            before = self._quotes.get(market.ticker)
            self._quotes[market.ticker] = quote
            if before is not None and before != quote:
                body = messages.ticker(self._world, market, now)
                yield News("ticker", "ticker", market.ticker, body)

    def _deltas(self, markets: list[Market], now: int) -> Iterator[News]:
        for market in markets:
            before, after = self.book(market, now), self._depth(market, now)
            self._books[market.ticker] = after
            for change in changes(before, after):
                plain, flipped = (
                    messages.delta(market, change, now, yes_price=yes) for yes in (False, True)
                )
                kind = "orderbook_delta"
                yield News(kind, kind, market.ticker, plain, flipped)

    def _depth(self, market: Market, now: int) -> Sides:
        return depth(self._world.charter.seed, market, self._world.quote(market, now), now)


def _with_positions(account: Account, arrived: list[Fill]) -> list[tuple[Fill, int, bool]]:
    """Return each fill with what is held after it, and whether it is its book's last."""
    after: dict[Book, int] = {}
    found = []
    for fill in reversed(arrived):
        is_last = fill.book not in after
        held = account.holding(*fill.book).position if is_last else after[fill.book]
        found.append((fill, held, is_last))
        after[fill.book] = held - fill.direction * fill.count
    return found[::-1]
