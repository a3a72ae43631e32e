"""One world: its clock, its markets, its account, its spending and its deals, kept together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import RLock
from typing import Any

from emulators.world import fee, instant
from emulators.world.account import Account
from emulators.world.amount import FULL, price, scaled
from emulators.world.catalog import Catalog
from emulators.world.chance import identifier
from emulators.world.deals import Deals
from emulators.world.faults import Faults
from emulators.world.holding import Fill
from emulators.world.journal import Entry, Journal
from emulators.world.market import Listing, Market, Outcome
from emulators.world.pins import Pins
from emulators.world.quotes import Quote, Quotes
from emulators.world.spend import Spend
from emulators.world.trader import Trader

Clock = Callable[[], int]
Wish = Mapping[str, Any]

_DIRECTIONS = {"bid": 1, "ask": -1}
_RESULTS = {"yes": 100, "no": 0, "scalar": 50}


@dataclass(frozen=True, slots=True)
class Charter:
    """What makes a world this one: its seed, its first start and the history before it."""

    seed: str
    start: int
    begin: int


class Refused(ValueError):
    """The wish does not fit the world."""


class World:
    """A pure function of charter, clock and journal; hold `lock` while reading more than once."""

    def __init__(self, charter: Charter, listing: Listing, journal: Journal, clock: Clock) -> None:
        """Remember everything the journal holds."""
        self.charter = charter
        self.clock = clock
        self.lock = RLock()
        self.faults = Faults()
        self.catalog = Catalog(listing, charter.begin)
        self.pins = Pins()
        self.quotes = Quotes(charter.seed, listing, self.pins)
        span = charter.begin, charter.start
        trader = Trader(charter.seed, span, listing, self.quotes, self._tradable)
        self.account = Account(charter.seed, charter.begin, self.catalog, trader.until)
        self.spend = Spend(charter.seed, charter.begin)
        self.deals = Deals(charter.seed, charter.start)
        self._switches: list[tuple[int, bool]] = []
        self._journal = journal
        self._told = 0
        for entry in journal:
            self._apply(entry)

    def advance(self) -> int:
        """Bring the account up to now, less the read lag; return now."""
        now = self.clock()
        self.account.advance(now - self.faults.read_lag)
        return now

    def tell(self, kind: str, wish: Wish) -> Entry:
        """Inject something and keep it; ValueError when it is no such thing."""
        with self.lock:
            now = self.advance()
            entry = Entry(now, kind, self._prepared(kind, wish, now))
            self._apply(entry)
            self._journal.append(entry)
            return entry

    def quote(self, market: Market, now: int) -> Quote:
        """Return a market's quote."""
        return self.quotes.at(market, now)

    def worth(self, market: Market, position: int, now: int) -> int | None:
        """Return what one contract of a position fetches: at bid, or its end once that is known."""
        if now >= market.determined:
            value = self.catalog.outcome(market).price
            return value if position > 0 else FULL - value
        return self.quote(market, now).value(position)

    def _tradable(self, time: int) -> list[Market]:
        resting = [active for since, active in self._switches if since <= time][-1:] == [False]
        return [] if resting else list(self.catalog.tradable(time))

    def _prepared(self, kind: str, wish: Wish, now: int) -> dict[str, Any]:
        if kind == "fill":
            return self._fill(wish, now)
        if kind == "settlement":
            return self._settlement(wish, now)
        if kind == "cost":
            return self.spend.prepared(wish, now)
        return self.deals.prepared(wish, now) if kind == "deal" else dict(wish)

    def _apply(self, entry: Entry) -> None:
        self._told += 1
        body = entry.body
        match entry.kind:
            case "fill":
                self.account.inject(Fill(**body))
            case "settlement":
                outcome = Outcome(body["result"], body["value"])
                self.catalog.rule(body["ticker"], outcome, body["time"])
                self.account.forget(body["ticker"])
            case "cost":
                self.spend.inject(body)
            case "deal":
                self.deals.inject(body)
            case "fault":
                self.faults.apply(body)
            case "trader":
                self._switches.append((entry.time, bool(body["active"])))
            case "marks":
                self.pins.apply(entry.time, body)

    def _market(self, wish: Wish, now: int) -> Market:
        if "ticker" not in wish:
            return self._liveliest(now)
        market = self.catalog.market(str(wish["ticker"]), now)
        if market is None:
            raise Refused(f"no market {wish['ticker']!r}")
        return market

    def _liveliest(self, now: int) -> Market:
        """Return the market nearest to even odds of those that stay open longest."""
        markets = self.catalog.tradable(now)
        if not markets:
            raise Refused("no market is open")
        longest = sorted(markets, key=lambda market: (market.close, market.ticker))[-10:]
        return min(longest, key=lambda market: abs(self.quote(market, now).last - FULL // 2))

    def _fill(self, wish: Wish, now: int) -> dict[str, Any]:
        time = instant.parse(str(wish["time"])) if "time" in wish else now
        market = self._market(wish, now)
        if not market.open <= time < market.finalized:
            raise Refused(f"{market.ticker} does not trade at {instant.text(time)}")
        if wish.get("book_side") not in _DIRECTIONS:
            raise Refused("book_side must be bid or ask")
        direction = _DIRECTIONS[wish["book_side"]]
        is_taker = bool(wish.get("is_taker", True))
        at = scaled(
            wish.get("yes_price") or self._touch(market, direction, time), FULL, "yes_price"
        )
        count = scaled(wish["count"], 100, "count")
        if not (0 < at < FULL and count > 0):
            raise Refused("a fill needs a price between 0 and 1 and a count above 0")
        ppm = fee.rate(market.series.fee_type, market.series.multiplier, is_taker=is_taker)
        paid = fee.fill_fee(direction, at, count, ppm)
        if "fee_cost" in wish:
            paid = scaled(wish["fee_cost"], 1_000_000, "fee_cost") * 1_000
        return {
            "time": time, "fill_id": self._identity("fill"), "order_id": self._identity("order"),
            "ticker": market.ticker, "direction": direction, "count": count, "price": at,
            "fee": paid, "is_taker": is_taker,
        }  # fmt: skip

    def _touch(self, market: Market, direction: int, time: int) -> str:
        quote = self.quote(market, time)
        at = quote.ask if direction > 0 else quote.bid
        return price(min(max(at, market.series.tick), FULL - market.series.tick))

    def _settlement(self, wish: Wish, now: int) -> dict[str, Any]:
        market = self._market(wish, now)
        time = instant.parse(str(wish["time"])) if "time" in wish else now
        result = str(wish.get("result"))
        if result not in _RESULTS:
            raise Refused(f"result must be one of {', '.join(_RESULTS)}")
        value = int(wish.get("value", _RESULTS[result]))
        fills = self.account.by_ticker.get(market.ticker, ())
        if time < market.open or time > now or (fills and time < fills[-1].time):
            raise Refused(f"{market.ticker} cannot end at {instant.text(time)}")
        if not 0 <= value <= 100:  # noqa: PLR2004 - cents of a dollar
            raise Refused("value is cents per YES, from 0 to 100")
        return {"ticker": market.ticker, "result": result, "value": value, "time": time}

    def _identity(self, what: str) -> str:
        return identifier(self.charter.seed, "told", self._told, what)
