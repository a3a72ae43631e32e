"""A book of deals that keeps the revenue contract."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from ledger.moment import HOUR, MICROS, parse, text
from pipeline.sources.revenue import Revenue
from pipeline.sources.source import Timepiece
from tests.faults.clock import NOON
from tests.faults.upstream import Expected, Row, Upstream
from tests.faults.wire import Reply, Request

TOKEN = "canned-token-of-a-test"  # noqa: S105 -- of a server in this process


def deal(name: str, amount: str, day: str, updated_at: int, **more: Any) -> Row:
    """Return one recognized deal."""
    row = {
        "id": name,
        "name": f"Deal {name}",
        "status": "recognized",
        "amount": amount,
        "currency": "USD",
        "closed_date": day,
        "recognized_at": None,
        "service_start": None,
        "service_end": None,
        "probability": None,
        "customer": "Acme",
        "owner": None,
        "stage": None,
        "url": None,
        "notes": None,
        "updated_at": text(updated_at),
    }
    return row | more


class Deals(Upstream):
    """$100, then $20.50, then the victim's $30."""

    name: ClassVar[str] = "revenue"
    primary: ClassVar[str] = "/deals"
    identity: ClassVar[str] = "id"
    expected: ClassVar[Expected] = Expected("100", "120.5", "150.5", "130")

    def base(self) -> list[Row]:
        """Return one deal."""
        return [deal("base", "100.00", "2026-11-18", NOON - 20 * HOUR)]

    def fresh(self) -> Row:
        """Return a deal changed a moment ago."""
        return deal("fresh", "20.50", "2026-11-19", self.clock.now - 5 * MICROS)

    def victim(self) -> Row:
        """Return a deal changed just after it."""
        return deal("victim", "30.00", "2026-11-19", self.clock.now - 4 * MICROS)

    def source(self, timepiece: Timepiece, url: str = "") -> Revenue:
        """Open the book."""
        return Revenue(url or self.url, TOKEN, cadence=0.0, timepiece=timepiece)

    def figure(self, document: Mapping[str, Any]) -> Decimal:
        """Return what is recognized."""
        return Decimal(document["revenue"]["recognized"])

    def secrets(self) -> Sequence[str]:
        """Return the token."""
        return [TOKEN]

    def error(self, status: int, message: str) -> Any:
        """Return the contract's shape."""
        return {"error": {"code": f"status_{status}", "message": message}}

    def answer(self, request: Request) -> Reply | None:
        """Return the deals."""
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply(self.error(401, "who are you?"), 401)
        if request.path != self.primary:
            return None
        since = parse(request.arg("updated_since")) if request.arg("updated_since") else 0
        rows = [row for row in self.rows if parse(row["updated_at"]) >= since]
        page, cursor = self.page(self.ordered(rows), request.arg("cursor"))
        said = {"next_cursor": cursor or None, "as_of": text(self.reached())}
        return Reply({"data": page, **said})
