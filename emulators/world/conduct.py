"""How the provider's reports behave today: behind, without the running day, throttled, capped."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from emulators.world.instant import SECOND

TODAYS = ("partial", "absent", "refused")
"""The running day of the daily bill: there as far as it goes, left out, or a 400 to ask for."""


@dataclass(frozen=True, slots=True)
class Conduct:
    """`lag` (µs) the bill is behind usage; `throttled` requests answered 429 from now on.

    With a `retry_after` (seconds) these carry it. `capped` is the spend limit: 429 for good.
    """

    lag: int = 0
    today: str = "partial"
    throttled: int = 0
    retry_after: int | None = None
    capped: bool = False

    NAMES: ClassVar[frozenset[str]] = frozenset({
        "lag_seconds", "today", "throttled", "retry_after", "capped"
    })  # fmt: skip

    def changed(self, wish: Mapping[str, Any]) -> "Conduct":
        """Return it with what the wish names changed; ValueError when that is unknown."""
        unknown = set(wish) - self.NAMES
        if unknown:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        if wish.get("today", "partial") not in TODAYS:
            raise ValueError(f"today must be one of {', '.join(TODAYS)}")
        wait = wish.get("retry_after", self.retry_after)
        return Conduct(
            int(float(wish.get("lag_seconds", self.lag / SECOND)) * SECOND),
            str(wish.get("today", self.today)),
            int(wish.get("throttled", self.throttled)),
            None if wait is None else int(wait),
            bool(wish.get("capped", self.capped)),
        )

    def served(self) -> "Conduct":
        """Return it after one request was answered 429."""
        return replace(self, throttled=self.throttled - 1)
