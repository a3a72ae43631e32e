"""What goes wrong on purpose: sources down or slow, answers refused, data late or archived."""

from collections.abc import Mapping
from typing import Any

from emulators.world import instant
from emulators.world.deal_faults import DealFaults
from emulators.world.instant import DAY, SECOND
from emulators.world.kalshi_faults import KalshiFaults
from emulators.world.stream_faults import StreamFaults

SOURCES = ("kalshi", "anthropic", "revenue", "hubspot")
_MEMBERS = (
    "source", "status", "latency_ms", "analytics", "cutoff", "read_lag", "read_tokens", "stream",
    "kalshi", "deals",
)  # fmt: skip
_LIVE_DAYS = 60
_TOKENS = 200
_REFUSALS = {"ok": None, "403": 403, "404": 404}


class Faults:
    """The current plan; each POST changes what it names and leaves the rest."""

    def __init__(self) -> None:
        """Begin with everything well."""
        self.down: dict[str, int | None] = dict.fromkeys(SOURCES)
        self.latency: dict[str, int] = dict.fromkeys(SOURCES, 0)
        self.analytics: int | None = None
        self.read_lag = 0
        self.read_tokens = _TOKENS
        self.stream = StreamFaults()
        self.kalshi = KalshiFaults()
        self.deals = DealFaults()
        self._cutoff: int | None = None

    def apply(self, wish: Mapping[str, Any]) -> None:
        """Change the plan; ValueError when a member is unknown or no fit."""
        unknown = set(wish) - set(_MEMBERS)
        if unknown:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        if "stream" in wish:
            self.stream.apply(wish["stream"])
        if "kalshi" in wish:
            self.kalshi.apply(wish["kalshi"])
        if "deals" in wish:
            self.deals.apply(wish["deals"])
        if "source" in wish:
            self._strike(wish)
        if "analytics" in wish:
            if str(wish["analytics"]) not in _REFUSALS:
                raise ValueError("analytics must be ok, 403 or 404")
            self.analytics = _REFUSALS[str(wish["analytics"])]
        if "cutoff" in wish:
            self._cutoff = None if wish["cutoff"] is None else instant.parse(str(wish["cutoff"]))
        self.read_lag = int(float(wish.get("read_lag", self.read_lag / SECOND)) * SECOND)
        self.read_tokens = int(wish.get("read_tokens", self.read_tokens))

    def cutoff(self, now: int) -> int:
        """Return where the live window begins: set, or midnight UTC 60 days back."""
        return now - now % DAY - _LIVE_DAYS * DAY if self._cutoff is None else self._cutoff

    def shown(self, now: int) -> dict[str, Any]:
        """Return the plan as JSON."""
        return {
            "down": self.down, "latency_ms": self.latency, "analytics": self.analytics or "ok",
            "cutoff": instant.text(self.cutoff(now)), "read_lag": self.read_lag / SECOND,
            "read_tokens": self.read_tokens, "stream": self.stream.shown(),
            "kalshi": self.kalshi.shown(), "deals": self.deals.shown(),
        }  # fmt: skip

    def _strike(self, wish: Mapping[str, Any]) -> None:
        source = str(wish["source"])
        if source not in SOURCES:
            raise ValueError(f"source must be one of {', '.join(SOURCES)}")
        if "status" in wish:
            status = wish["status"]
            self.down[source] = None if status in (None, "ok") else int(status)
        self.latency[source] = int(wish.get("latency_ms", self.latency[source]))
