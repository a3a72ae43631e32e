"""What the firm spends on Anthropic: tokens per hour, workspace and model, and their price."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from math import exp
from typing import Any

from emulators.world import activity, instant
from emulators.world.amount import CENT, DOLLAR, scaled
from emulators.world.chance import draws, gauss, token, uniform
from emulators.world.conduct import Conduct
from emulators.world.instant import DAY, HOUR, MINUTE
from emulators.world.terms import MODELS, SEARCH, TOKEN_TYPES, USUAL, Terms, checked

__all__ = ["MODELS", "TOKEN_TYPES", "WORKSPACES", "Habit", "Line", "Spend"]

WORKSPACES = ("Research", "Trading", "Default")
"""The last one is the organization's default workspace."""
COST_TYPES = ("tokens", "web_search", "code_execution", "session_usage")
_REFRESH = 5 * MINUTE
_DELAY = 3 * MINUTE
_LEAST = DOLLAR // 50
_WEEKDAYS = 5
_EVEN = 20
"""Tokens come in twenties, so that every price of them is whole nano-dollars."""


@dataclass(frozen=True, slots=True)
class Habit:
    """A workspace's use of a model: its share of the budget, split over the token types."""

    workspace: int
    model: str
    share: float
    split: tuple[float, ...]
    terms: Terms = USUAL
    searches: float = 0.0


_HABITS = (
    Habit(0, "claude-fable-5", 0.20, (0.30, 0.45, 0.15, 0.0, 0.10)),
    Habit(0, "claude-opus-5", 0.18, (0.30, 0.45, 0.15, 0.10), searches=3.0),
    Habit(0, "claude-sonnet-5", 0.07, (0.40, 0.45, 0.15)),
    Habit(0, "claude-sonnet-5", 0.03, (0.40, 0.60), Terms(tier="batch")),
    Habit(1, "claude-opus-5", 0.10, (0.25, 0.40, 0.20, 0.15)),
    Habit(1, "claude-opus-5", 0.04, (0.25, 0.75), Terms(speed="fast")),
    Habit(1, "claude-sonnet-5", 0.16, (0.25, 0.40, 0.20, 0.15)),
    Habit(1, "claude-sonnet-5", 0.04, (0.30, 0.70), Terms(geography="us")),
    Habit(1, "claude-haiku-4-5", 0.05, (0.45, 0.55)),
    Habit(2, "claude-sonnet-5", 0.08, (0.45, 0.55)),
    Habit(2, "claude-haiku-4-5", 0.05, (0.40, 0.60)),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One hour's use: `amount` in nano-dollars, known in full once the hour is over.

    A line without tokens is a bill only: a revision, or what is no use of tokens.
    """

    hour: int
    workspace: int
    model: str
    token_type: str
    tokens: int
    amount: int
    terms: Terms = USUAL
    searches: int = 0
    cost_type: str = "tokens"

    @property
    def place(self) -> tuple[int, int, str]:
        """What a withdrawal names."""
        return self.hour - self.hour % HOUR, self.workspace, self.model


class Spend:
    """Usage and cost as the provider has them, some minutes behind the clock."""

    def __init__(self, seed: str, begin: int) -> None:
        """Spend from the hour of `begin` on."""
        self._seed = seed
        self._begin = begin - begin % HOUR
        self._injected: dict[int, list[Line]] = {}
        self._withdrawn: set[tuple[int, int, str]] = set()
        self._made = lru_cache(maxsize=None)(self._make)
        self.conduct = Conduct()
        self.workspace_ids = tuple(f"wrkspc_{token(seed, name)[:24]}" for name in WORKSPACES)
        self.key_ids = tuple(f"apikey_{token(seed, 'key', name)[:24]}" for name in WORKSPACES)

    @staticmethod
    def refreshed(now: int) -> int:
        """Return how far the provider's figures reach: to 3–8 minutes ago."""
        return now - now % _REFRESH - _DELAY

    def billed_until(self, now: int) -> int:
        """Return how far the bill reaches: as usage, or behind it by the lag."""
        return self.refreshed(now) - self.conduct.lag

    def used(self, begin: int, end: int, now: int, width: int = HOUR) -> Iterator[Line]:
        """Yield the use of the hours (or minutes) in [begin, end) as it is known now."""
        lines = self._lines(begin, end, now, self.refreshed(now), width)
        return (line for line in lines if line.tokens or line.searches)

    def lines(self, begin: int, end: int, now: int, width: int = HOUR) -> Iterator[Line]:
        """Yield what is billed of the hours (or minutes) in [begin, end) as it is known now."""
        for line in self._lines(begin, end, now, self.billed_until(now), width):
            shown = not self.conduct.lag or line.hour < self.billed_until(now)
            if shown and line.place not in self._withdrawn and line.terms.tier != "priority":
                yield line

    def total(self, now: int) -> int:
        """Return the cost of everything billed by now, in nano-dollars."""
        return sum(line.amount for line in self.lines(self._begin, now + 1, now))

    def _lines(self, begin: int, end: int, now: int, reach: int, width: int) -> Iterator[Line]:
        first = max(self._begin, begin - begin % HOUR)
        for hour in range(first, min(end, now + 1), HOUR):
            if hour < reach:
                passed = min(HOUR, reach - hour)
                yield from _parts(self._made(hour), passed, width, lambda at: begin <= at < end)
            injected = self._injected.get(hour, ())
            yield from (line for line in injected if width >= HOUR or begin <= line.hour < end)

    def prepared(self, wish: Mapping[str, Any], now: int) -> dict[str, Any]:
        """Return an injected cost, withdrawal or conduct, defaults filled in; else ValueError."""
        if "report" in wish:
            self.conduct.changed(wish["report"])
            return {"report": dict(wish["report"])}
        start = instant.parse(str(wish["start"])) if "start" in wish else now
        entry = {
            "start": instant.brief(start - start % HOUR),
            "model": str(wish.get("model", "claude-opus-5")),
            "workspace": str(wish.get("workspace", WORKSPACES[1])),
        }
        if wish.get("withdrawn"):
            self._workspace(entry["workspace"])
            return {**entry, "withdrawn": True}
        entry |= {"token_type": str(wish.get("token_type", TOKEN_TYPES[1]))}
        entry |= {name: wish[name] for name in ("terms", "cost_type", "tokens") if name in wish}
        if "amount_cents" in wish or "tokens" not in wish:
            entry["amount_cents"] = str(wish["amount_cents"])
        self._line(entry)
        return entry

    def inject(self, entry: Mapping[str, Any]) -> None:
        """Do what a prepared entry says."""
        if "report" in entry:
            self.conduct = self.conduct.changed(entry["report"])
        elif entry.get("withdrawn"):
            hour = instant.parse(entry["start"])
            place = hour, self._workspace(entry["workspace"]), entry["model"]
            self._withdrawn.add(place)
        else:
            line = self._line(entry)
            self._injected.setdefault(line.hour, []).append(line)

    def _line(self, entry: Mapping[str, Any]) -> Line:
        terms = checked(replace(USUAL, **entry.get("terms", {})))
        tokens, kind = int(entry.get("tokens", 0)), str(entry.get("cost_type", "tokens"))
        if kind not in COST_TYPES or tokens < 0 or entry["token_type"] not in TOKEN_TYPES:
            raise ValueError(f"cost_type, tokens or token_type is none: {asdict(terms)}")
        rate = terms.rate(entry["model"], entry["token_type"]) or 0
        given = entry.get("amount_cents")
        amount = tokens * rate if given is None else scaled(given, CENT, "amount_cents")
        place = instant.parse(entry["start"]), self._workspace(entry["workspace"]), entry["model"]
        return Line(*place, entry["token_type"], tokens, amount, terms, cost_type=kind)

    def _workspace(self, name: str) -> int:
        known = {**dict(zip(self.workspace_ids, range(3), strict=True)),
                 **dict(zip(WORKSPACES, range(3), strict=True))}  # fmt: skip
        if name not in known:
            raise ValueError(f"workspace must be one of {', '.join(WORKSPACES)}")
        return known[name]

    def _make(self, hour: int) -> tuple[Line, ...]:
        day = hour // DAY
        weekend = instant.day(hour).weekday() >= _WEEKDAYS
        budget = (70 + 90 * uniform(self._seed, "budget", day)) * (0.7 if weekend else 1.0)
        hourly = budget * activity.level(hour) / 24 * DOLLAR
        return tuple(line for habit in _HABITS for line in self._used(hour, hourly, habit))

    def _used(self, hour: int, hourly: float, habit: Habit) -> Iterator[Line]:
        key = (hour, habit.workspace, habit.model)
        spent = hourly * habit.share * exp(0.45 * gauss(self._seed, "spent", *key) - 0.1)
        if spent < _LEAST:
            return
        jitter = draws(self._seed, "tokens", *key)
        for name, part, noise in zip(TOKEN_TYPES, habit.split, jitter, strict=False):
            rate = habit.terms.rate(habit.model, name) or 1
            tokens = int(spent * part * (0.8 + 0.4 * noise) / rate) // _EVEN * _EVEN
            if tokens:
                yield Line(*key, name, tokens, tokens * rate, habit.terms)
        searches = int(habit.searches * 2 * jitter[-1])
        if searches:
            bill = searches * SEARCH
            yield Line(*key, "", 0, bill, habit.terms, searches, cost_type="web_search")


def _parts(
    lines: Iterable[Line], passed: int, width: int, wanted: Callable[[int], bool]
) -> Iterator[Line]:
    """Yield what was used of an hour by a while into it, whole or minute by minute."""
    if width >= HOUR:
        yield from lines if passed == HOUR else (_between(line, 0, passed) for line in lines)
        return
    for line in lines:
        for begin in range(0, passed, MINUTE):
            part = _between(line, begin, min(begin + MINUTE, passed))
            if wanted(line.hour + begin) and (part.tokens or part.searches):
                yield replace(part, hour=line.hour + begin)


def _between(line: Line, begin: int, end: int) -> Line:
    """Return the part of an hour's line that was used from `begin` to `end` into the hour."""
    if line.searches:
        searches = line.searches * end // HOUR - line.searches * begin // HOUR
        return replace(line, searches=searches, amount=SEARCH * searches)
    tokens = line.tokens * end // HOUR - line.tokens * begin // HOUR
    return replace(line, tokens=tokens, amount=line.amount // line.tokens * tokens)
