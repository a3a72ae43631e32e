"""The firm's deals: found, won or lost, and recognized, each step at its own instant."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from emulators.world import instant
from emulators.world.chance import draws
from emulators.world.instant import DAY, HOUR, MINUTE

STATUSES = ("recognized", "pending", "pipeline", "lost", "void")
_RECOGNIZED_AT = 10 * HOUR
_BEFORE_START = 120 * DAY
_EVERY = 2 * DAY
_COMPANIES = (
    "Abbott & Vale", "Brightwater", "Cobalt Freight", "Dunmore Capital", "Elmfield Energy",
    "Fairline Insurance", "Granite Peak", "Harbor Metrics", "Ironwood Labs", "Juniper Foods",
    "Kestrel Aviation", "Lakeshore Health", "Meridian Retail", "Northgate Media",
)  # fmt: skip
_PRODUCTS = (
    "Forecast feed",
    "Event risk study",
    "Pricing API",
    "Advisory retainer",
    "Data licence",
)
_STAGES = (("Discovery", "0.2"), ("Proposal", "0.4"), ("Negotiation", "0.6"), ("Contract", "0.8"))
_WON, _LOST = 0.62, 0.92
_RATABLE_EVERY = 7
_CREDIT_EVERY = 21
_ABROAD_EVERY = 13
_RATE = "1.0825"

Deal = dict[str, Any]


class Deals:
    """The versions of every deal, by the instant each became true."""

    def __init__(self, seed: str, start: int) -> None:
        """Begin four months before the first start, so that deals are in all states by then."""
        self._seed = seed
        self._first = start - _BEFORE_START
        self._injected: list[Deal] = []
        self._made = lru_cache(maxsize=None)(self._make)

    def known(self, now: int) -> list[Deal]:
        """Return the current version of every deal, by (updated_at, id)."""
        newest: dict[str, tuple[int, Deal]] = {}
        for version in self._versions(now):
            updated = instant.parse(version["updated_at"])
            held = newest.get(version["id"])
            if updated <= now and (held is None or held[0] <= updated):
                newest[version["id"]] = updated, version
        return [
            deal for _, deal in sorted(newest.values(), key=lambda pair: (pair[0], pair[1]["id"]))
        ]

    def prepared(self, wish: Mapping[str, Any], now: int) -> Deal:
        """Return an injected deal with its defaults filled in; ValueError when it is none."""
        known = {deal["id"]: deal for deal in self.known(now)}
        number = len(self._injected)
        deal = dict(known.get(str(wish.get("id")), _blank(f"deal-admin-{number + 1}", now)))
        if wish.get("status") == "recognized" and deal["status"] != "recognized":
            deal["recognized_at"] = deal["closed_date"] = str(instant.day(now))
        deal |= {"updated_at": instant.text(now), **wish}
        if deal["status"] not in STATUSES:
            raise ValueError(f"status must be one of {', '.join(STATUSES)}")
        deal["amount"] = str(Decimal(str(deal["amount"])))
        instant.parse(deal["updated_at"])
        return deal

    def inject(self, deal: Mapping[str, Any]) -> None:
        """Add a prepared version of a deal."""
        self._injected.append(dict(deal))

    def _versions(self, now: int) -> Iterator[Deal]:
        for number in range((now - self._first) // _EVERY + 1):
            yield from self._made(number)
        yield from self._injected

    def _make(self, number: int) -> tuple[Deal, ...]:
        luck = draws(self._seed, "deal", number)
        found = self._first + number * _EVERY + int(luck[0] * 1.5 * DAY)
        base = _blank(f"deal-{number + 1:04d}", found) | {
            "name": f"{_COMPANIES[int(luck[1] * 14)]}: {_PRODUCTS[int(luck[2] * 5)]}",
            "customer": _COMPANIES[int(luck[1] * 14)],
            "amount": f"{1_000 * 40 ** (luck[3] ** 2.4):.2f}",
            "owner": ("John", "Maria", "Wei")[int(luck[4] * 3)],
        }
        if number % _ABROAD_EVERY == _ABROAD_EVERY - 1:
            base |= {"currency": "EUR", "rate": _RATE, "rate_date": str(instant.day(found))}
        if number % _CREDIT_EVERY == _CREDIT_EVERY - 1:
            return (self._credit(base, found),)
        decided = found + int((12 + 43 * luck[5]) * DAY)
        return (*_pursued(base, found, decided), *self._ended(base, number, decided))

    @staticmethod
    def _credit(base: Deal, found: int) -> Deal:
        amount = f"-{Decimal(base['amount']) / 20:.2f}"
        name = f"{base['customer']}: credit note"
        return _recognized(base | {"name": name, "amount": amount}, found // DAY, found)

    def _ended(self, base: Deal, number: int, decided: int) -> Iterator[Deal]:
        fate, wait, hour, days, *_ = draws(self._seed, "deal's end", number)
        base = base | {
            "closed_date": str(instant.day(decided)),
            "updated_at": instant.text(decided),
        }
        if fate > _WON:
            yield base | {"status": "lost" if fate < _LOST else "void", "stage": "Closed lost"}
            return
        yield base | {"status": "pending", "stage": "Closed won"}
        day = decided // DAY + 3 + int(27 * wait)
        if number % _RATABLE_EVERY == 1:
            base = _spread(base, day, 30 * (1 + int(3 * days)))
        yield _recognized(
            base | {"stage": "Closed won"}, day, day * DAY + int((6 + 3 * hour) * HOUR)
        )


def worth(deal: Mapping[str, Any]) -> Decimal:
    """Return a deal's amount in dollars; 0 for another currency without a rate."""
    if deal.get("currency", "USD") == "USD":
        return Decimal(str(deal["amount"]))
    return Decimal(str(deal["amount"])) * Decimal(str(deal.get("rate") or 0))


def earned(deal: Mapping[str, Any], now: int) -> Decimal:
    """Return what a deal has earned by now in dollars: at 10:00 UTC of its day or days."""
    amount = worth(deal)
    if deal["status"] != "recognized":
        return Decimal(0)
    first, last = deal.get("service_start"), deal.get("service_end")
    if not (first and last):
        return (
            amount
            if _recognition(deal["recognized_at"] or deal["closed_date"]) <= now
            else Decimal(0)
        )
    days = (_recognition(last) - _recognition(first)) // DAY + 1
    passed = min(days, max(0, (now - _recognition(first)) // DAY + 1))
    return amount if passed == days else Decimal(int(amount * 100 / days) * passed) / 100


def _recognition(day: str) -> int:
    return instant.parse(f"{day}T00:00:00Z") + _RECOGNIZED_AT


def _blank(identity: str, now: int) -> Deal:
    return {
        "id": identity, "name": identity, "status": "pipeline", "amount": "0.00", "currency": "USD",
        "closed_date": str(instant.day(now + 30 * DAY)), "recognized_at": None,
        "service_start": None, "service_end": None, "probability": None, "customer": None,
        "owner": None, "stage": None, "url": None, "notes": None,
        "updated_at": instant.text(now),
    }  # fmt: skip


def _pursued(base: Deal, found: int, decided: int) -> Iterator[Deal]:
    expected = str(instant.day(decided))
    for step, (stage, probability) in enumerate(_STAGES):
        moment = found + (decided - found) * step // len(_STAGES)
        yield base | {
            "stage": stage, "probability": probability, "closed_date": expected,
            "updated_at": instant.text(moment - moment % MINUTE),
        }  # fmt: skip


def _spread(base: Deal, day: int, days: int) -> Deal:
    daily = int(Decimal(base["amount"]) * 100) // days
    return base | {
        "amount": f"{Decimal(daily * days) / 100:.2f}",
        "service_start": str(instant.day(day * DAY)),
        "service_end": str(instant.day((day + days - 1) * DAY)),
    }


def _recognized(base: Deal, day: int, moment: int) -> Deal:
    date = str(instant.day(day * DAY))
    return base | {
        "status": "recognized", "recognized_at": date, "probability": None,
        "closed_date": min(base["closed_date"], date), "updated_at": instant.text(moment),
    }  # fmt: skip
