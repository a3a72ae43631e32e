"""What the firm spends on Anthropic: tokens per hour, workspace and model, and their price."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from math import exp
from typing import Any

from emulators.world import activity, instant
from emulators.world.amount import CENT, DOLLAR, scaled
from emulators.world.chance import draws, gauss, token, uniform
from emulators.world.instant import DAY, HOUR, MINUTE

WORKSPACES = ("Research", "Trading", "Default")
"""The last one is the organization's default workspace."""
MODELS = {
    "claude-fable-5": (10_000, 50_000, 1_000, 12_500, 20_000),
    "claude-opus-5": (5_000, 25_000, 500, 6_250, 10_000),
    "claude-sonnet-5": (2_000, 10_000, 200, 2_500, 4_000),
    "claude-haiku-4-5": (1_000, 5_000, 100, 1_250, 2_000),
}
"""Nano-dollars per token, in the order of TOKEN_TYPES."""
TOKEN_TYPES = (
    "uncached_input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation.ephemeral_5m_input_tokens",
    "cache_creation.ephemeral_1h_input_tokens",
)
_REFRESH = 5 * MINUTE
_DELAY = 3 * MINUTE
_LEAST = DOLLAR // 50
_WEEKDAYS = 5


@dataclass(frozen=True, slots=True)
class Habit:
    """A workspace's use of a model: its share of the budget, split over the token types."""

    workspace: int
    model: str
    share: float
    split: tuple[float, ...]


_HABITS = (
    Habit(0, "claude-fable-5", 0.20, (0.30, 0.45, 0.15, 0.0, 0.10)),
    Habit(0, "claude-opus-5", 0.18, (0.30, 0.45, 0.15, 0.10)),
    Habit(0, "claude-sonnet-5", 0.10, (0.40, 0.45, 0.15)),
    Habit(1, "claude-opus-5", 0.14, (0.25, 0.40, 0.20, 0.15)),
    Habit(1, "claude-sonnet-5", 0.20, (0.25, 0.40, 0.20, 0.15)),
    Habit(1, "claude-haiku-4-5", 0.05, (0.45, 0.55)),
    Habit(2, "claude-sonnet-5", 0.08, (0.45, 0.55)),
    Habit(2, "claude-haiku-4-5", 0.05, (0.40, 0.60)),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One hour's use: `amount` in nano-dollars, known in full once the hour is over."""

    hour: int
    workspace: int
    model: str
    token_type: str
    tokens: int
    amount: int


class Spend:
    """Usage and cost as the provider has them, some minutes behind the clock."""

    def __init__(self, seed: str, begin: int) -> None:
        """Spend from the hour of `begin` on."""
        self._seed = seed
        self._begin = begin - begin % HOUR
        self._injected: dict[int, list[Line]] = {}
        self._made = lru_cache(maxsize=None)(self._make)
        self.workspace_ids = tuple(f"wrkspc_{token(seed, name)[:24]}" for name in WORKSPACES)
        self.key_ids = tuple(f"apikey_{token(seed, 'key', name)[:24]}" for name in WORKSPACES)

    @staticmethod
    def refreshed(now: int) -> int:
        """Return how far the provider's figures reach: to 3–8 minutes ago."""
        return now - now % _REFRESH - _DELAY

    def lines(self, begin: int, end: int, now: int) -> Iterator[Line]:
        """Yield the lines of the hours in [begin, end) as they are known now."""
        reach = self.refreshed(now)
        first = max(self._begin, begin - begin % HOUR)
        for hour in range(first, min(end, now + 1), HOUR):
            if hour + HOUR <= reach:
                yield from self._made(hour)
            elif hour < reach:
                yield from (_part(line, reach - hour) for line in self._made(hour))
            yield from self._injected.get(hour, ())

    def total(self, now: int) -> int:
        """Return the cost of everything known now, in nano-dollars."""
        return sum(line.amount for line in self.lines(self._begin, now + 1, now))

    def prepared(self, wish: Mapping[str, Any], now: int) -> dict[str, Any]:
        """Return an injected cost with its defaults filled in; ValueError when it is none."""
        start = instant.parse(str(wish["start"])) if "start" in wish else now
        entry = {
            "start": instant.brief(start - start % HOUR),
            "model": str(wish.get("model", "claude-opus-5")),
            "workspace": str(wish.get("workspace", WORKSPACES[1])),
            "token_type": str(wish.get("token_type", TOKEN_TYPES[1])),
            "amount_cents": str(wish["amount_cents"]),
        }
        self._line(entry)
        return entry

    def inject(self, entry: Mapping[str, Any]) -> None:
        """Add a prepared cost."""
        line = self._line(entry)
        self._injected.setdefault(line.hour, []).append(line)

    def _line(self, entry: Mapping[str, Any]) -> Line:
        names = {**dict(zip(self.workspace_ids, range(3), strict=True)),
                 **dict(zip(WORKSPACES, range(3), strict=True))}  # fmt: skip
        if entry["workspace"] not in names:
            raise ValueError(f"workspace must be one of {', '.join(WORKSPACES)}")
        amount = scaled(entry["amount_cents"], CENT, "amount_cents")
        hour = instant.parse(entry["start"])
        return Line(hour, names[entry["workspace"]], entry["model"], entry["token_type"], 0, amount)

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
        parts = zip(TOKEN_TYPES, habit.split, MODELS[habit.model], jitter, strict=False)
        for name, part, rate, noise in parts:
            tokens = int(spent * part * (0.8 + 0.4 * noise) / rate)
            if tokens:
                yield Line(hour, habit.workspace, habit.model, name, tokens, tokens * rate)


def _part(line: Line, passed: int) -> Line:
    tokens = line.tokens * passed // HOUR
    return replace(line, tokens=tokens, amount=line.amount // line.tokens * tokens)
