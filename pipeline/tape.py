"""The tape: trading folded live minute by minute, and again from where a late fact belongs."""

import bisect
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from ledger.bucket import Row
from ledger.facts import Fill, Settlement
from ledger.moment import HOUR, MINUTE, floor
from ledger.pnl import Account, Event, Policy, Worth, levels, ordered, position_in_fold
from pipeline import rollup
from storage.facts import Facts

SETTLING = 5 * MINUTE
"""How long a minute is folded anew at each roll: what comes a little late is no rewind."""


@dataclass(slots=True)
class _Head:
    """How far the facts in hand are folded: those of `_recent` before `reached`, up to `until`.

    `rows` are dense after the base through the minute of `until`; `last` is the newest instant
    folded.
    """

    account: Account
    rows: list[Row] = field(default_factory=list)
    reached: int = 0
    until: int = 0
    last: int = -1

    def follows(self, event: Event) -> bool:
        """Whether the fold can go on with this event: nothing it touches is folded yet."""
        return event.time > self.last and event.time >= floor(self.until, MINUTE)


class Tape:
    """The account at the head, and the 1m rows that are still in hand.

    Facts before `through` are folded into a base; later ones are kept and folded onto a copy of
    it. That fold goes on as facts come in order; one that belongs before its head has it begun
    anew, so the order of arrival does not matter. One before `through` rewinds.
    """

    def __init__(self, facts: Facts, policy: Policy) -> None:
        """Begin empty; `rewind` loads what storage holds."""
        self._facts = facts
        self._base = Account(policy)
        self._recent: list[Event] = []
        self._closed: list[Row] = []
        self._ends: dict[object, int] = {}
        self._head: _Head | None = None
        self.account = Account(policy)
        self.through = 0

    def rewind(self, instant: int) -> None:
        """Fold everything before the hour of `instant` into the base and reload the rest."""
        self.through = floor(instant, HOUR)
        ends = sorted(self._facts.settlements(), key=position_in_fold)
        self._ends = {end.identity: end.time for end in ends}
        base = Account(self._base.policy)
        early = (end for end in ends if end.time < self.through)
        for event in ordered(self._facts.fills(before=self.through), early, ()):
            base.apply(event)
        for mark in self._facts.marks_before(self.through).values():
            base.apply(mark)
        late = (end for end in ends if end.time >= self.through)
        since = self._facts.fills(since=self.through), late, self._facts.marks(self.through)
        self._base, self._closed, self._recent = base, [], list(ordered(*since))
        self._head = None

    def take(self, events: Iterable[Event]) -> int | None:
        """Keep new facts; return the instant to rewind to first, or None."""
        late: list[int] = []
        for event in events:
            replaced = self._replaced(event)
            if replaced is not None or event.time < self.through:
                late.append(event.time if replaced is None else min(event.time, replaced))
            else:
                self._precedes(event)
                bisect.insort(self._recent, event, key=position_in_fold)
        return min(late, default=None)

    def retime(self, before: Fill, after: Fill) -> int | None:
        """Move a fill to its other time; return the instant to rewind to first, or None."""
        if before.time < self.through:
            return min(before.time, after.time)
        self._precedes(before)
        self._recent.remove(before)
        return self.take([after])

    def _precedes(self, event: Event) -> None:
        """Begin the fold anew when a fact that comes or goes belongs before its head."""
        if self._head is not None and not self._head.follows(event):
            self._head = None

    def _replaced(self, event: Event) -> int | None:
        """Return when the version this settlement replaces took effect."""
        if not isinstance(event, Settlement):
            return None
        earlier = self._ends.get(event.identity)
        self._ends[event.identity] = event.time
        return earlier

    def latest(self, limit: int) -> int:
        """Return the time of the newest fact kept that is not after `limit`, 0 without one."""
        index = bisect.bisect_left(self._recent, _after(limit), key=position_in_fold)
        return self._recent[index - 1].time if index else 0

    def roll(self, until: int) -> list[Row]:
        """Look up to and with `until`, then let go of the rows that no longer change."""
        rows = self.look(until)
        self._settle(rows, floor(until - SETTLING, MINUTE))
        return rows

    def look(self, until: int) -> list[Row]:
        """Fold up to and with `until`; return the 1m rows in hand, from a whole hour on."""
        head = self._head
        if head is None or until < head.until:
            head = _Head(self._base.copied())
        reached = bisect.bisect_left(self._recent, _after(until), key=position_in_fold)
        news = list(levels(head.account, self._recent[head.reached : reached]))
        if head.rows:
            head.rows[-1:] = rollup.onward(news, head.rows[-1], until)
        else:
            head.rows = rollup.minutes(news, self._before(), until)
        head.last = news[-1].time if news else head.last
        head.reached, head.until = reached, until
        self._head, self.account = head, head.account
        return self._closed + head.rows

    def since(self, trade: Fill | Settlement) -> int:
        """Return from when on a new fact changes the account: what it replaces began earlier."""
        if not isinstance(trade, Settlement):
            return trade.time
        return min(trade.time, self._ends.get(trade.identity, trade.time))

    def worths(self, until: int, without: AbstractSet[Event] = frozenset()) -> dict[str, Worth]:
        """Return what each market was worth strictly before an instant, leaving some facts out."""
        account = self._base.copied()
        reached = bisect.bisect_left(self._recent, _at(until), key=position_in_fold)
        for event in self._recent[:reached]:
            if event not in without:
                account.apply(event)
        return account.worths()

    def _before(self) -> Row:
        level, unrealized = self._base.trading, self._base.unrealized
        return Row(self.through - MINUTE, level, level, level, level, unrealized)

    def _settle(self, rows: list[Row], through: int) -> None:
        """Move what no longer changes into the base; keep the rows of its running hour."""
        if through <= self.through:
            return
        cut = bisect.bisect_left(self._recent, _at(through), key=position_in_fold)
        for event in self._recent[:cut]:
            self._base.apply(event)
        del self._recent[:cut]
        self.through = through
        if self._head is not None:
            self._head.reached -= cut
            self._head.rows = [row for row in self._head.rows if row.bucket >= through]
        self._closed = [row for row in rows if floor(through, HOUR) <= row.bucket < through]


def _at(instant: int) -> tuple[int, int, str, tuple[int, ...]]:
    """Return the place in the fold before every fact of an instant."""
    return instant, 0, "", ()


def _after(instant: int) -> tuple[int, int, str, tuple[int, ...]]:
    """Return the place in the fold after every fact of an instant."""
    return instant + 1, 0, "", ()
