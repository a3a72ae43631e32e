"""What the trade API does otherwise on purpose."""

from collections.abc import Mapping
from typing import Any

_MEMBERS = ("deprecated", "maintenance", "answers")


class KalshiFaults:
    """The current plan of the trade API; each wish changes what it names and leaves the rest.

    `deprecated`: whether action, side and their like are still there. `maintenance`: the status
    that everything answers while trading rests, None for as usual. `answers`: statuses by the
    beginning of a path below the root, such as {"/portfolio/balance": 403}; null ends one.
    """

    def __init__(self) -> None:
        """Begin with everything well."""
        self.deprecated = True
        self.maintenance: int | None = None
        self.answers: dict[str, int] = {}

    def apply(self, wish: Mapping[str, Any] | str | None) -> None:
        """Change the plan, or end it with "ok"; ValueError when a member is unknown or no fit."""
        if wish in (None, "ok"):
            vars(self).update(vars(KalshiFaults()))
            return
        if not isinstance(wish, Mapping):
            raise TypeError('kalshi must be an object, or "ok"')
        unknown = set(wish) - {*_MEMBERS, "pause"}
        if unknown:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        self.deprecated = bool(wish.get("deprecated", self.deprecated))
        if "maintenance" in wish:
            self.maintenance = _status(wish["maintenance"])
        for path, status in dict(wish.get("answers", {})).items():
            self.answers.pop(str(path), None)
            known = _status(status)
            if known:
                self.answers[str(path)] = known

    def answer(self, path: str) -> int | None:
        """Return the status a path below the root must answer."""
        found = (status for start, status in self.answers.items() if path.startswith(start))
        return next(found, None)

    def shown(self) -> dict[str, Any]:
        """Return the plan as JSON."""
        return dict(vars(self))


def _status(value: object) -> int | None:
    return None if value in (None, "ok") else int(str(value))
