"""What makes a request ours: the seam, and credentials that are one header."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


class Credentials(Protocol):
    """Headers of a request, and what its answers teach about them."""

    def headers(self, method: str, path: str) -> Mapping[str, str]:
        """Return the headers of one request; `path` from the root, without query."""
        ...

    def observe(self, date: int, now: int) -> None:
        """Learn the upstream's clock: its Date and ours, both in microseconds."""
        ...

    def renewed(self, refusal: str) -> bool:
        """Tell whether the same request may work now, after a 401 or 403 with this body."""
        ...

    def blanked(self, text: str) -> str:
        """Return the text without any secret in it."""
        ...


@dataclass(frozen=True, slots=True)
class Token:
    """One header with one secret, as `x-api-key: …` or `Authorization: Bearer …`."""

    header: str
    secret: str = field(repr=False)
    scheme: str = ""

    def headers(self, method: str, path: str) -> Mapping[str, str]:  # noqa: ARG002 (the seam's)
        """Return the one header; none without a secret."""
        return {self.header: self.scheme + self.secret} if self.secret else {}

    def observe(self, date: int, now: int) -> None:
        """Need no clock."""

    def renewed(self, refusal: str) -> bool:  # noqa: ARG002 (the seam's)
        """Stay refused: the same header would be refused again."""
        return False

    def blanked(self, text: str) -> str:
        """Return the text without the secret."""
        return text.replace(self.secret, "…") if self.secret else text
