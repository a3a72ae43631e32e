"""Anthropic's analytics reports as their reference describes them: one organization's bill."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from ledger.moment import HOUR, parse, text
from pipeline.sources.anthropic import Anthropic
from pipeline.sources.source import Timepiece
from tests.faults.clock import NOON
from tests.faults.upstream import Expected, Row, Upstream
from tests.faults.wire import Reply, Request

KEY = "sk-ant-admin01-canned-secret-of-a-test"
GROUP = {
    "model": "claude-sonnet-5",
    "workspace_id": "wrkspc_1",
    "api_key_id": "apikey_1",
    "cost_type": "tokens",
    "token_type": "output_tokens",
    "service_tier": "standard",
    "context_window": "0-200k",
    "inference_geo": "global",
    "speed": "standard",
    "product": "api",
}


def line(name: str, start: int, cents: str, **group: str) -> Row:
    """Return one hour of one group; `id` is ours alone and is not sent."""
    return {
        "id": name,
        "starting_at": text(start),
        "ending_at": text(start + HOUR),
        "group": {**GROUP, **group},
        "cost": {"amount": cents, "list_amount": "99999", "currency": "USD", "requests": None},
    }


class Provider(Upstream):
    """$12.50 three hours ago; then $2.005 and, the victim, $3.00, an hour later each."""

    name: ClassVar[str] = "anthropic"
    primary: ClassVar[str] = "/v1/organizations/analytics/cost"
    identity: ClassVar[str] = "id"
    expected: ClassVar[Expected] = Expected("12.5", "14.505", "17.505", "15.5")

    def base(self) -> list[Row]:
        """Return one hour."""
        return [line("base", NOON - 3 * HOUR, "1250.00")]

    def fresh(self) -> Row:
        """Return the hour after it."""
        return line("fresh", NOON - 2 * HOUR, "200.5")

    def victim(self) -> Row:
        """Return the hour after that."""
        return line("victim", NOON - HOUR, "300")

    def source(self, timepiece: Timepiece, url: str = "") -> Anthropic:
        """Open the organization."""
        place = url or self.url
        return Anthropic(place, KEY, cost_source="analytics", cadence=0.0, timepiece=timepiece)

    def figure(self, document: Mapping[str, Any]) -> Decimal:
        """Return the cost."""
        return Decimal(document["costs"]["total"])

    def secrets(self) -> Sequence[str]:
        """Return the key."""
        return [KEY]

    def error(self, status: int, message: str) -> Any:
        """Return the one shape there is."""
        kind = {"type": f"status_{status}_error", "message": message}
        return {"type": "error", "error": kind, "request_id": "req_1"}

    def answer(self, request: Request) -> Reply | None:
        """Return the reports and what the organization's parts are called."""
        if request.headers.get("x-api-key") != KEY:
            return Reply(self.error(401, "invalid x-api-key"), 401)
        if request.path == self.primary:
            return self._report(request)
        empty = {"data": [], "has_more": False}
        singles = {
            "/v1/organizations/analytics/usage": {**empty, "next_page": None, **self._reach()},
            "/v1/organizations/me": {"id": "org-1", "type": "organization", "name": "Ours"},
            "/v1/organizations/workspaces": {**empty, "first_id": None, "last_id": None},
            "/v1/organizations/api_keys": {**empty, "first_id": None, "last_id": None},
        }
        return Reply(singles[request.path]) if request.path in singles else None

    def _reach(self) -> dict[str, str]:
        return {"data_refreshed_at": text(self.reached())}

    def _report(self, request: Request) -> Reply:
        start, end = parse(request.arg("starting_at")), parse(request.arg("ending_at"))
        inside = [row for row in self.rows if start <= parse(row["starting_at"]) < end]
        rows = sorted(inside, key=lambda row: str(row["starting_at"]))
        if request.arg("time_bucket_width") == "1d":
            rows = []
        page, cursor = self.page(self.ordered(rows), request.arg("page"))
        data = [self._shown(row, request) for row in page]
        more = {"has_more": bool(cursor), "next_page": cursor or None}
        return Reply({"data": data, **more, **self._reach()})

    def _shown(self, row: Row, request: Request) -> Row:
        shown = {name: value for name, value in row.items() if name != "id"}
        asked = request.args("group_by[]")
        if isinstance(row.get("group"), dict):
            shown["group"] = {name: value for name, value in row["group"].items() if name in asked}
        return shown
