"""One world: its clock, its markets, its account, its spending and its deals, kept together."""

from collections.abc import Callable, Mapping
from threading import Event, RLock
from typing import Any

from emulators.world import wish as fitted
from emulators.world.account import Account
from emulators.world.amount import FULL
from emulators.world.catalog import Catalog
from emulators.world.chance import identifier
from emulators.world.charter import Charter
from emulators.world.deals import Deals
from emulators.world.discrepancies import Discrepancies
from emulators.world.faults import Faults
from emulators.world.holding import Fill
from emulators.world.journal import Entry, Journal
from emulators.world.lag import Lag
from emulators.world.market import Listing, Market, Outcome
from emulators.world.pauses import Pauses
from emulators.world.pins import Pins
from emulators.world.prints import Prints
from emulators.world.quotes import Quote, Quotes
from emulators.world.spend import Spend
from emulators.world.taker import Taker
from emulators.world.trader import Trader
from emulators.world.transfer import Transfer

Clock = Callable[[], int]
Wish = Mapping[str, Any]


class World:
    """A pure function of charter, clock and journal; hold `lock` while reading more than once."""

    def __init__(
        self, charter: Charter, listing: Listing, journal: Journal, clock: Clock, share: int = 0
    ) -> None:
        """Remember everything the journal holds.

        With a `share`, in hundredths, the account takes that of every trade the listing knows,
        and the firm's own trader rests.
        """
        self.charter = charter
        self.clock = clock
        self.lock = RLock()
        self.stirred = Event()
        self.faults = Faults()
        self.catalog = Catalog(listing, charter.begin)
        self.pins = Pins()
        self.pauses = Pauses()
        self.discrepancies = Discrepancies()
        self.quotes = Quotes(charter.seed, listing, self.pins)
        trader: Trader | Taker = Trader(charter, listing, self.quotes, self._tradable)
        if share:
            trader = Taker(charter, listing.prints() or (), share, self._rests)
        self.prints = Prints(charter.seed, listing, self.quotes, self.catalog.tradable)
        self.account = Account(charter, self.catalog, trader.until)
        self.served = self.account
        self._lag = Lag(self.account)
        self.spend = Spend(charter.seed, charter.begin)
        self.deals = Deals(charter.seed, charter.start)
        self._switches: list[tuple[int, bool]] = []
        self._journal = journal
        self._told = 0
        for entry in journal:
            self._apply(entry)
        self.faults.stream.settle()

    def advance(self) -> int:
        """Bring the account up to now, and what is `served` of it behind by the lag; return now."""
        now = self.clock()
        self.served = self._lag.served(self.account.seen, self.faults.read_lag)
        self.account.advance(now)
        self.served = self._lag.served(now, self.faults.read_lag)
        return now

    def tell(self, kind: str, wish: Wish) -> Entry:
        """Inject something and keep it; ValueError when it is no such thing."""
        with self.lock:
            now = self.advance()
            entry = Entry(now, kind, self._prepared(kind, wish, now))
            self._apply(entry)
            self._journal.append(entry)
            self.stirred.set()
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

    def _strike(self, entry: Entry) -> None:
        self.faults.apply(entry.body)
        plan = entry.body.get("kalshi")
        if isinstance(plan, Mapping) and "pause" in plan:
            self.pauses.apply(entry.time, plan["pause"])
        if plan == "ok":
            self.pauses.apply(entry.time, "off")

    def _tradable(self, time: int) -> list[Market]:
        return [] if self._rests(time) else list(self.catalog.tradable(time))

    def _rests(self, time: int) -> bool:
        resting = [active for since, active in self._switches if since <= time][-1:] == [False]
        return resting or self.pauses.at(time)

    def _prepared(self, kind: str, wish: Wish, now: int) -> dict[str, Any]:
        if kind == "fill":
            return fitted.fill(self, wish, now)
        if kind == "settlement":
            return fitted.settlement(self, wish, now)
        if kind in ("deposit", "withdrawal"):
            return fitted.transfer(self, wish, now, kind)
        if kind == "cost":
            return self.spend.prepared(wish, now)
        return self.deals.prepared(wish, now) if kind == "deal" else dict(wish)

    def _apply(self, entry: Entry) -> None:
        self._told += 1
        body = entry.body
        match entry.kind:
            case "fill":
                self.discrepancies.told(body["fill_id"])
                self.account.inject(Fill(**body))
            case "settlement":
                outcome = Outcome(body["result"], body["value"])
                self.catalog.rule(body["ticker"], outcome, body["time"])
                self._lag.forget(body["ticker"])
            case "cost":
                self.spend.inject(body)
            case "deal":
                self.deals.inject(body)
            case "deposit" | "withdrawal":
                self.account.transfer(Transfer(**body))
            case "discrepancy":
                self.discrepancies.apply(body)
            case "fault":
                self._strike(entry)
            case "trader":
                self._switches.append((entry.time, bool(body["active"])))
            case "marks":
                self.pins.apply(entry.time, body)

    def identity(self, what: str) -> str:
        """Return the identity of something that is told now."""
        return identifier(self.charter.seed, "told", self._told, what)
