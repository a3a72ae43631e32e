"""The stage map: what each of a firm's own HubSpot stages means here, as its settings say."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger.facts import Status

OPTIONS = ("@recognized_at", "@service_start", "@service_end")
"""Members of the map that name a deal property with a date instead of a stage."""


class StagesError(ValueError):
    """The stage map is no JSON object from stages to statuses; the text says what to write."""


@dataclass(frozen=True, slots=True)
class StageMap:
    """Statuses by stage id, and the properties that hold a deal's dates, "" for none."""

    statuses: Mapping[str, Status] = field(default_factory=dict)
    recognized_at: str = "recognized_at"
    service_start: str = ""
    service_end: str = ""

    @property
    def properties(self) -> tuple[str, ...]:
        """The properties to ask for beside HubSpot's own."""
        named = (self.recognized_at, self.service_start, self.service_end)
        return tuple(name for name in named if name)


def stage_map(text: str) -> StageMap:
    """Return the map of the setting, "" is the default one; StagesError names what is wrong.

    A stage without an entry follows HubSpot: open is pipeline, won is pending, lost is lost.
    """
    members = _members(text)
    chosen = {
        name.removeprefix("@"): _property(name, members) for name in OPTIONS if name in members
    }
    statuses = {name: _status(name, word) for name, word in members.items() if name not in OPTIONS}
    return StageMap(statuses, **chosen)


def _members(text: str) -> dict[str, object]:
    if not text.strip():
        return {}
    try:
        members = json.loads(text)
    except (RecursionError, ValueError) as error:
        raise StagesError(f"is no JSON ({error}); write {_EXAMPLE}") from error
    if not isinstance(members, dict):
        raise StagesError(f"must be a JSON object; write {_EXAMPLE}")
    return members


_EXAMPLE = '{"closedwon": "recognized"}'


def _status(name: str, word: object) -> Status:
    try:
        return Status(str(word))
    except ValueError as error:
        raise StagesError(
            f"stage {name!r} must be one of {', '.join(Status)}, not {word!r}"
        ) from error


def _property(name: str, members: Mapping[str, object]) -> str:
    value = members[name]
    if not isinstance(value, str):
        raise StagesError(f"{name} must be the name of a deal property, not {value!r}")
    return value
