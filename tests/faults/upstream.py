"""A healthy upstream, written from its reference: what it holds, and what spoils its answers."""

import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

from pipeline.sources.source import Source, Timepiece
from tests.faults.clock import Clock
from tests.faults.wire import Act, Misdeed, Reply, Request, Server, told

Row = dict[str, Any]
Worn = Callable[[Row], Row]
"""Makes of a row what it looks like from outside."""


@dataclass(frozen=True)
class Expected:
    """Figures worked out by hand: at first, with the fresh row, the victim too, it alone."""

    base: str
    fresh: str
    both: str
    victim: str


class Upstream(ABC):
    """One upstream on a port of its own.

    `rows` is the truth. `fresh` and `victim` are what comes to be during a case: the fault is
    in the victim, the fresh row stands beside it. `worn` changes how a row is served, `misdeed`
    how an answer of the list is delivered, or any answer `everywhere`, `ordered` in which order
    a list comes; `frozen` is the instant at which its figures stand, None when they are of now.
    """

    name: ClassVar[str]
    root: ClassVar[str] = ""
    primary: ClassVar[str]
    expected: ClassVar[Expected]
    identity: ClassVar[str]

    def __init__(self, clock: Clock, tls: ssl.SSLContext | None = None) -> None:
        """Serve the base rows."""
        self.clock = clock
        self.rows: list[Row] = self.base()
        self.worn: dict[str, Worn] = {}
        self.misdeed: Misdeed | None = None
        self.everywhere = False
        self.size = 100
        self.frozen: int | None = None
        self.ordered: Callable[[list[Row]], list[Row]] = list
        self.server = Server(self, tls)

    @property
    def url(self) -> str:
        """Return what the source is given."""
        return self.server.url() + self.root

    @abstractmethod
    def base(self) -> list[Row]:
        """Return what there is at first."""

    @abstractmethod
    def fresh(self) -> Row:
        """Return the row beside the victim."""

    @abstractmethod
    def victim(self) -> Row:
        """Return the row a fault befalls."""

    @abstractmethod
    def source(self, timepiece: Timepiece, url: str = "") -> Source:
        """Open the product's own source on this upstream."""

    @abstractmethod
    def figure(self, document: Mapping[str, Any]) -> Decimal:
        """Return the figure of the document that this upstream makes."""

    @abstractmethod
    def secrets(self) -> Sequence[str]:
        """Return what must never be in a message."""

    @abstractmethod
    def answer(self, request: Request) -> Reply | None:
        """Return the healthy answer to a path without its root; None for one there is not."""

    @abstractmethod
    def error(self, status: int, message: str) -> Any:
        """Return an error's body as this upstream writes it."""

    def arrive(self, *rows: Row) -> None:
        """Let rows come to be, the newest first."""
        self.rows[:0] = rows

    def heal(self) -> None:
        """Let everything be as it should."""
        self.worn, self.misdeed, self.size = {}, None, 100
        self.everywhere = False
        self.ordered, self.frozen = list, None

    def act(self, request: Request) -> Act:
        """Answer, spoiled or not."""
        path = request.path.removeprefix(self.root)
        known = self.answer(Request(request.method, path, request.query, request.headers))
        reply = Reply(self.error(404, "not found"), 404) if known is None else known
        if self.misdeed and (self.everywhere or path == self.primary):
            return self.misdeed(request, reply)
        return told(reply, self.clock.now)

    def asked(self) -> int:
        """Return how often the primary list was asked for."""
        return sum(request.path == self.root + self.primary for request in self.server.seen)

    def reached(self) -> int:
        """Return the instant up to which the figures are right."""
        return self.clock.now if self.frozen is None else self.frozen

    def served(self, rows: Sequence[Row]) -> list[Row]:
        """Return rows as they look from outside."""
        plain: Worn = dict
        return [self.worn.get(str(row[self.identity]), plain)(dict(row)) for row in rows]

    def page(self, rows: Sequence[Row], cursor: str) -> tuple[list[Row], str]:
        """Return one page of rows and the cursor of the next, "" at the end."""
        _, _, number = cursor.rpartition("after-")
        start = int(number) if number.isdecimal() else 0
        end = start + self.size
        return self.served(rows[start:end]), f"after-{end}" if end < len(rows) else ""


@dataclass
class Elsewhere:
    """Another host, to which nobody should go; it notes who came."""

    clock: Clock
    server: Server = field(init=False)

    def __post_init__(self) -> None:
        """Listen."""
        self.server = Server(self)

    def act(self, _: Request) -> Act:
        """Answer as if everything were well."""
        return told(Reply({"fills": [], "data": [], "cursor": ""}), self.clock.now)
