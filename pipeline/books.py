"""Books: trading, revenue and cost as known now, and the rollup rows that follow."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from ledger import moment, revenue
from ledger.bucket import PERIODS, Row
from ledger.moment import HOUR, MINUTE, floor
from ledger.pnl import Policy
from ledger.restatement import Restatement, Trade, is_late, of_trades
from ledger.revenue import Revenue
from ledger.snapshot import Change, Costs, Trading
from pipeline import rollup
from pipeline.flows import Flows
from pipeline.tape import Tape
from storage.facts import Facts, Recorded
from storage.rollups import Rollups

EXCHANGE = "kalshi"
"""The source of everything that is traded."""


class Books:
    """What is known now: the tape, the flows and the rows they make."""

    def __init__(self, facts: Facts, rollups: Rollups, policy: Policy, zone: ZoneInfo) -> None:
        """Begin empty; `open` loads what storage holds."""
        self._facts = facts
        self._rollups = rollups
        self._zone = zone
        self.policy = policy
        self.tape = Tape(facts, policy)
        self.flows = Flows(facts)
        self.first: int | None = None
        self._earliest: int | None = None
        self._rewind: int | None = None
        self._hours: set[int] = set()
        self._restated: set[int] = set()
        self._late_trades: list[tuple[int, Trade]] = []
        self.restatements: list[Restatement] = []
        self._committed: dict[tuple[str, int], Row] = {}
        self._rows: list[Row] = []
        self._levels: dict[int, int] = {}

    def open(self, now: int, first: int | None, resume: int | None) -> None:
        """Load the account; with `first` and `resume` go on with the rows from there."""
        self.flows.load(now)
        self._earliest = self._beginning()
        self.first = None if first is None else min(first, self._hour(now))
        if first is None or resume is None or self.first is None:
            self.tape.rewind(now)
            return
        self._hours = self._astray(first)
        self._rewound(max(self.first, resume) if self.first == first else self.first)

    def _astray(self, first: int) -> set[int]:
        """Return hours whose stored flows differ from the facts: recorded, then a crash."""
        stored = {row.bucket: row for row in self._rollups.load("1h", first)}
        return {
            hour for hour, row in stored.items() if self.flows.at(hour) != (row.revenue, row.cost)
        }

    def take(self, recorded: Iterable[Recorded], now: int) -> None:
        """Keep what is new; what belongs before the rows in hand rewinds at the next roll."""
        for news in recorded:
            trades: list[Trade] = [*news.fills, *news.settlements]
            self._date(trades, now)
            self._late(self.tape.take((*trades, *news.marks)))
            for moved in news.retimed:
                self._late(self.tape.retime(moved.before, moved.after))
            self._hours |= self.flows.take(news.costs, news.deals, now)
        self._tell()
        cost = self.flows.first_cost()
        if self.first is not None and cost is not None and cost < self.first:
            self._late(cost)

    def _date(self, trades: Sequence[Trade], now: int) -> None:
        known = [] if self._earliest is None else [self._earliest]
        self._earliest = min([trade.time for trade in trades] + known, default=None)
        if self.first is not None:
            dated = [(self.tape.since(trade), trade) for trade in trades]
            late = [pair for pair in dated if is_late(pair[0], now)]
            self._restated |= {floor(trade.time, MINUTE) for _, trade in late}
            self._late_trades += late

    def _tell(self) -> None:
        """Take over what changed of the revenue and the cost of hours told already."""
        told = [] if self.first is None else self.flows.restatements
        spans = {hour for one in told for hour in range(one.start, one.end, HOUR)}
        self._restated |= spans & self._hours
        self.restatements += told
        self.flows.restatements = []

    def _late(self, instant: int | None) -> None:
        if instant is not None:
            self._rewind = min(instant, self._rewind or instant)

    def settle(self, now: int) -> None:
        """Rewind to where the earliest late fact belongs, if there is one."""
        late, self._late_trades = self._late_trades, []
        closed = floor(now, MINUTE)
        before = self.tape.worths(closed, {trade for _, trade in late}) if late else {}
        self._rewind_to(now)
        if late:
            after = self.tape.worths(closed)
            self.restatements += of_trades(EXCHANGE, late, before, after, now)

    def _rewind_to(self, now: int) -> None:
        instant, self._rewind = self._rewind, None
        if instant is None:
            return
        if self.first is None:
            self.tape.rewind(now)
            return
        self.first = min(self.first, floor(instant, HOUR))
        self._rewound(instant)

    def _rewound(self, instant: int) -> None:
        self._levels.clear()
        self.tape.rewind(instant)
        stored = self._rollups.load("1m", self.tape.through)
        self._restated |= {row.bucket for row in stored if row.restated}

    def begin(self, now: int) -> int:
        """Go back to the first hour, to write all rows; return it."""
        self.first = self._hour(now)
        self.tape.rewind(self.first)
        self._rewind = None
        return self.first

    def _hour(self, now: int) -> int:
        """Return the hour of the first fill, settlement or cost; of now before any."""
        return floor(_least([self._earliest, self.flows.first_cost(), now]), HOUR)

    def _beginning(self) -> int | None:
        fill = next(iter(self._facts.fills()), None)
        ends = [end.time for end in self._facts.settlements()]
        return min(ends + ([fill.time] if fill else []), default=None)

    def since(self, as_of: int) -> int:
        """Return the account's first fact, or `as_of` before any."""
        known = [self._earliest, self.flows.first_cost(), self.flows.first_earned()]
        return _least([*known, as_of])

    def roll(self, as_of: int) -> dict[str, list[Row]]:
        """Fold through `as_of`; return the rows of every period that are not stored as such."""
        self._rows = [self._dressed(row) for row in self.tape.roll(as_of)]
        if self.first is None:
            return {}
        fresh = rollup.periods(self._rows)
        first = self._rows[0].bucket
        for hour in sorted(hour for hour in self._hours if self.first <= hour < first):
            self._reflow(hour, fresh)
        self._hours.clear()
        return {
            period: [row for row in rows if self._committed.get((period, row.bucket)) != row]
            for period, rows in fresh.items()
        }

    def _dressed(self, row: Row) -> Row:
        restated = int(row.bucket in self._restated)
        if row.bucket % HOUR:
            return replace(row, restated=restated) if restated else row
        earned, spent = self.flows.at(row.bucket)
        return replace(row, revenue=earned, cost=spent, restated=restated)

    def _reflow(self, hour: int, fresh: dict[str, list[Row]]) -> None:
        earned, spent = self.flows.at(hour)
        rows = [(name, row) for name in PERIODS for row in self._rollups.load(name, hour, hour + 1)]
        first = next((row for _, row in rows), None)
        marked = int(hour in self._restated and first is not None and not first.restated)
        for period, row in rows:
            restated = row.restated + marked
            fresh[period].append(replace(row, revenue=earned, cost=spent, restated=restated))

    def committed(self, rows: Mapping[str, Iterable[Row]]) -> None:
        """Remember which rows storage holds now, as far as they are still in hand; all is told."""
        self.restatements.clear()
        self._committed |= {(period, row.bucket): row for period in rows for row in rows[period]}
        hand = floor(self.tape.through, HOUR)
        # A new one: a dict out of which a whole history was deleted stays as large to walk over.
        self._committed = {key: row for key, row in self._committed.items() if key[1] >= hand}
        self._restated = {bucket for bucket in self._restated if bucket >= hand}

    @property
    def opening_revenue(self) -> int:
        """Revenue that took effect before the first row."""
        return 0 if self.first is None else self.flows.earned_before(self.first)

    def trading(self) -> Trading:
        """Return the trading figures at the head."""
        account = self.tape.account
        return Trading(
            account.realized,
            account.unrealized,
            account.fees,
            len(account.book.held()),
            account.fills,
        )

    def revenue(self, as_of: int) -> Revenue:
        """Return the deals summed at an instant."""
        return revenue.totals(self.flows.deals, as_of)

    def costs(self, as_of: int) -> Costs:
        """Return the AI cost up to an instant."""
        return self.flows.spent(as_of)

    def change(self, net: int, before: int, as_of: int) -> Change:
        """Return the moves of `net`: since the snapshot `before`, and since each period began."""
        starts = [
            start(as_of, self._zone)
            for start in (
                moment.day_start,
                moment.week_start,
                moment.month_start,
                moment.year_start,
            )
        ]
        return Change(net - before, *(net - self._net_before(start) for start in starts))

    def _net_before(self, instant: int) -> int:
        if self.first is None or instant <= self.first:
            return 0
        return self._trading_before(instant) + self.flows.before(instant)

    def _trading_before(self, instant: int) -> int:
        if self._rows and self._rows[0].bucket < instant:
            index = (instant - MINUTE - self._rows[0].bucket) // MINUTE
            return self._rows[min(index, len(self._rows) - 1)].close
        if instant not in self._levels:
            self._levels[instant] = self._rollups.close_before(instant)
        return self._levels[instant]


def _least(known: Iterable[int | None]) -> int:
    return min(instant for instant in known if instant is not None)
