"""Quotes held still from outside: all of them, or one market's at given prices."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulators.world.amount import FULL, scaled


@dataclass(frozen=True, slots=True)
class Pin:
    """One market's prices from `time` on, in 1/10,000 dollar; None keeps moving."""

    time: int
    bid: int | None = None
    ask: int | None = None
    last: int | None = None

    def given(self) -> dict[str, int]:
        """Return the prices that are pinned, by side."""
        sides = (("bid", self.bid), ("ask", self.ask), ("last", self.last))
        return {side: price for side, price in sides if price is not None}


class Pins:
    """What was pinned when, so that the past keeps its quotes."""

    def __init__(self) -> None:
        """Begin with everything moving."""
        self._pins: dict[str, list[Pin]] = {}
        self._switches: list[tuple[int, bool]] = []

    def apply(self, time: int, wish: Mapping[str, Any]) -> None:
        """Freeze or thaw all quotes, or pin one market's; ValueError on a price that is none."""
        if "ticker" in wish:
            prices = (_price(wish.get(name), name) for name in ("yes_bid", "yes_ask", "last"))
            self._pins.setdefault(str(wish["ticker"]), []).append(Pin(time, *prices))
        else:
            self._switches.append((time, bool(wish.get("frozen", True))))

    def pin(self, ticker: str, instant: int) -> Pin | None:
        """Return the pin of a market in force at an instant."""
        found = [pin for pin in self._pins.get(ticker, ()) if pin.time <= instant]
        return found[-1] if found else None

    def clock(self, instant: int) -> int:
        """Return the instant whose quotes are shown: the last thaw's or freeze's own, or now."""
        shown = instant
        for time, frozen in reversed(self._switches):
            if time > instant:
                continue
            if not frozen:
                break
            shown = time
        return shown


def _price(value: object, name: str) -> int | None:
    if value is None:
        return None
    price = scaled(value, FULL, name)
    if not 0 <= price <= FULL:
        raise ValueError(f"{name} must be from 0 to 1, not {value!r}")
    return price
