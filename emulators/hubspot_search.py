"""HubSpot's search: filters, one order, pages of at most 200 and no page beyond 10,000."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emulators.world import instant

Row = dict[str, Any]
_DEFAULT, _LARGEST = 10, 200
_MOST_GROUPS, _MOST_FILTERS = 5, 25
_TESTS: Mapping[str, Callable[[int, int], bool]] = {
    "EQ": lambda held, given: held == given,
    "GT": lambda held, given: held > given,
    "GTE": lambda held, given: held >= given,
    "LT": lambda held, given: held < given,
    "LTE": lambda held, given: held <= given,
}
_KEYS: Mapping[str, Callable[[Row], int]] = {
    "hs_lastmodifieddate": lambda row: instant.parse(row["updatedAt"]) // 1_000,
    "hs_object_id": lambda row: int(row["id"]),
}


class Unsearchable(ValueError):
    """The search is not one that is answered."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A search that is."""

    groups: Sequence[Sequence[Mapping[str, Any]]]
    key: str
    descending: bool
    properties: tuple[str, ...]
    limit: int
    after: int

    def among(self, rows: list[Row]) -> list[Row]:
        """Return what is found, in order; rows alike in it stand in no order of their own."""
        found = [row for row in rows if not self.groups or any(map(_passes(row), self.groups))]
        stirred = sorted(found, key=lambda row: row["id"][::-1])
        return sorted(stirred, key=_KEYS[self.key], reverse=self.descending)


def asked(body: Mapping[str, Any], ceiling: int) -> Asked:
    """Return the search a body asks for; Unsearchable when it is none, or beyond `ceiling`."""
    groups = [group.get("filters", []) for group in body.get("filterGroups", [])]
    if len(groups) > _MOST_GROUPS or sum(map(len, groups)) > _MOST_FILTERS:
        raise Unsearchable(f"at most {_MOST_GROUPS} groups and {_MOST_FILTERS} filters")
    limit, after = int(body.get("limit", _DEFAULT)), int(body.get("after") or 0)
    if not 1 <= limit <= _LARGEST:
        raise Unsearchable(f"limit must be at most {_LARGEST}")
    if after + limit > ceiling:
        raise Unsearchable(f"paging beyond {ceiling} results is not supported")
    sorts = body.get("sorts") or [{"propertyName": "hs_object_id"}]
    key = sorts[0]["propertyName"]
    if len(sorts) > 1 or key not in _KEYS:
        raise Unsearchable("sorts takes one known property")
    descending = sorts[0].get("direction") == "DESCENDING"
    properties = tuple(map(str, body.get("properties", [])))
    for one in (each for group in groups for each in group):
        _known(one)
    return Asked(groups, key, descending, properties, limit, after)


def _known(one: Mapping[str, Any]) -> None:
    if one.get("propertyName") not in _KEYS or one.get("operator") not in _TESTS:
        raise Unsearchable(f"no such filter: {one.get('propertyName')} {one.get('operator')}")
    int(one["value"])


def _passes(row: Row) -> Callable[[Sequence[Mapping[str, Any]]], bool]:
    def passes(group: Sequence[Mapping[str, Any]]) -> bool:
        return all(
            _TESTS[one["operator"]](_KEYS[one["propertyName"]](row), int(one["value"]))
            for one in group
        )

    return passes
