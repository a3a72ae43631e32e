"""When trading rests: each Thursday from 03:00 to 05:00 in New York, or as long as wished."""

from zoneinfo import ZoneInfo

from emulators.world import instant

MODES = ("off", "on", "thursday")
_NEW_YORK = ZoneInfo("America/New_York")
_THURSDAY = 3
_HOURS = (3, 5)


class Pauses:
    """What was wished when, so that the past keeps its trades."""

    def __init__(self) -> None:
        """Begin without any pause."""
        self._wishes: list[tuple[int, str]] = []

    def apply(self, time: int, mode: object) -> None:
        """Rest from now on: "off", "on" or "thursday"; ValueError on another word."""
        if mode not in MODES:
            raise ValueError(f"pause must be one of {', '.join(MODES)}")
        self._wishes.append((time, str(mode)))

    def mode(self, moment: int) -> str:
        """Return the mode in force at an instant."""
        return next((mode for since, mode in reversed(self._wishes) if since <= moment), "off")

    def at(self, moment: int) -> bool:
        """Return whether trading rests at an instant."""
        mode = self.mode(moment)
        return mode == "on" or (mode == "thursday" and weekly(moment))


def weekly(moment: int) -> bool:
    """Return whether an instant lies in Thursday's pause."""
    there = instant.aware(moment).astimezone(_NEW_YORK)
    return there.weekday() == _THURSDAY and _HOURS[0] <= there.hour < _HOURS[1]
