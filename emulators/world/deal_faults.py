"""What the revenue system and HubSpot do otherwise on purpose."""

from collections.abc import Mapping
from typing import Any

_CEILING = 10_000
_SEARCHES = 5


class DealFaults:
    """The current plan of both; each wish changes what it names and leaves the rest.

    `bare`: whether /deals answers a bare list, without pages. `etag`: whether it names its
    versions. `as_of`: a text that is told instead of now. `ceiling`: results of one HubSpot
    search that can be paged. `searches`: searches a second. `account`: whether the key may ask
    what the account's currency is. `currency`: what it is.
    """

    def __init__(self) -> None:
        """Begin with everything well."""
        self.bare = False
        self.etag = True
        self.as_of: str | None = None
        self.ceiling = _CEILING
        self.searches = _SEARCHES
        self.account = True
        self.currency = "USD"

    def apply(self, wish: Mapping[str, Any] | str | None) -> None:
        """Change the plan, or end it with "ok"; ValueError when a member is unknown or no fit."""
        if wish in (None, "ok"):
            vars(self).update(vars(DealFaults()))
            return
        if not isinstance(wish, Mapping):
            raise TypeError('deals must be an object, or "ok"')
        unknown = set(wish) - set(vars(self))
        if unknown:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        for name, value in wish.items():
            known = getattr(self, name)
            setattr(self, name, value if known is None else type(known)(value))

    def shown(self) -> dict[str, Any]:
        """Return the plan as JSON."""
        return dict(vars(self))
