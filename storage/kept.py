"""What came of the facts of one kind in a page."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from storage.quarantine import Reject

F = TypeVar("F")


@dataclass
class Kept(Generic[F]):
    """New facts, how many were known, what was refused, and the instants they reach back to."""

    new: list[F] = field(default_factory=list)
    duplicates: int = 0
    conflicts: list[Reject] = field(default_factory=list)
    since: list[int] = field(default_factory=list)
