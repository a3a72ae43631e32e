"""What Kalshi's rows say wrongly on purpose, beside fills that are what they are."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any

from emulators.world.amount import FULL, scaled

_NANO = 1_000_000_000
HOWS = ("hide", "twice", "copy", "change")
"""What may befall a fill: in no list; its row twice; again under another id; another content."""
_POSITION = {"position": 100, "traded": _NANO, "exposure": _NANO, "realized": _NANO, "fees": _NANO}
_SETTLEMENT = {
    "revenue": 1, "value": 1, "fee_cost": _NANO, "yes_count": 100, "no_count": 100,
    "yes_cost": _NANO, "no_cost": _NANO,
}  # fmt: skip
_FILL = {"yes_price": FULL, "count": 100, "fee_cost": _NANO}
_MEMBERS: Mapping[str, Mapping[str, int]] = {
    "position": _POSITION,
    "settlement": _SETTLEMENT,
    "balance": {"amount": _NANO},
    "deposit": {"cents": 1},
    "withdrawal": {"cents": 1},
    "fill": _FILL,
}


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One wrong thing: deltas by member in the row's smallest units; a fill's are new values."""

    number: int
    kind: str
    subject: str
    how: str
    by: Mapping[str, int]


class Discrepancies:
    """The wrong things in force.

    Wishes: {"row": "position", "ticker", position | traded | exposure | realized | fees},
    {"row": "settlement", "ticker", revenue | value (cents) | fee_cost | yes_count | no_count |
    yes_cost | no_cost}, {"row": "balance", "amount"} (interest not among the deposits),
    {"row": "deposit" or "withdrawal", "cents"} (a row without money), all signed differences;
    {"row": "fill", "fill_id" or "next": n, "how", yes_price | count | fee_cost} (new values);
    {"clear": true}. "next" strikes the next fills that are told.
    """

    def __init__(self) -> None:
        """Begin with everything right."""
        self._numbers = count(1)
        self._all: list[Discrepancy] = []
        self._fills: dict[str, Discrepancy] = {}
        self._next: list[Discrepancy] = []

    def apply(self, wish: Mapping[str, Any]) -> None:
        """Put a wrong thing in force; ValueError when it is none."""
        if wish.get("clear"):
            self._all, self._fills, self._next = [], {}, []
            return
        kind = str(wish.get("row"))
        if kind not in _MEMBERS:
            raise ValueError(f"row must be one of {', '.join(_MEMBERS)}")
        by = {
            name: scaled(wish[name], scale, name)
            for name, scale in _MEMBERS[kind].items()
            if name in wish
        }
        found = Discrepancy(next(self._numbers), kind, _subject(wish, kind), _how(wish, kind), by)
        if kind != "fill" and not any(by.values()):
            raise ValueError(f"{kind} needs one of {', '.join(_MEMBERS[kind])}")
        self._keep(found, int(wish.get("next", 0)))

    def told(self, fill_id: str) -> None:
        """Let what waits for the next fill befall this one."""
        if self._next:
            self._fills[fill_id] = self._next.pop(0)

    def fill(self, fill_id: str) -> Discrepancy | None:
        """Return what befalls a fill."""
        return self._fills.get(fill_id)

    def hidden(self, fill_id: str) -> bool:
        """Return whether a fill is in no list."""
        found = self._fills.get(fill_id)
        return found is not None and found.how == "hide"

    @property
    def hides(self) -> bool:
        """Whether any fill is hidden."""
        return any(one.how == "hide" for one in self._fills.values())

    def of(self, kind: str, subject: str = "") -> dict[str, int]:
        """Return the differences of one row, summed by member."""
        sums: dict[str, int] = {}
        for one in self._all:
            if (one.kind, one.subject) == (kind, subject):
                for name, value in one.by.items():
                    sums[name] = sums.get(name, 0) + value
        return sums

    def rows(self, kind: str) -> list[Discrepancy]:
        """Return the deposits or withdrawals that are rows only."""
        return [one for one in self._all if one.kind == kind]

    def shown(self) -> list[dict[str, Any]]:
        """Return all as JSON; a fill's subject is its id."""
        found = [asdict(one) for one in self._all]
        found += [{**asdict(one), "subject": fill_id} for fill_id, one in self._fills.items()]
        return found + [asdict(one) for one in self._next]

    def _keep(self, found: Discrepancy, following: int) -> None:
        if found.kind != "fill":
            self._all.append(found)
        elif following:
            self._next += [found] * following
        else:
            self._fills[found.subject] = found


def _subject(wish: Mapping[str, Any], kind: str) -> str:
    name = {"position": "ticker", "settlement": "ticker", "fill": "fill_id"}.get(kind)
    if name is None or (kind == "fill" and "next" in wish):
        return ""
    return str(wish[name])


def _how(wish: Mapping[str, Any], kind: str) -> str:
    if kind != "fill":
        return ""
    how = str(wish.get("how"))
    if how not in HOWS:
        raise ValueError(f"how must be one of {', '.join(HOWS)}")
    return how
