"""Anthropic's two cost reports over a table of what was spent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ledger import moment
from tests.pipeline.sources.upstream import Answer, Reply, Request, Upstream

ANALYTICS = "/v1/organizations/analytics/cost"
LEGACY = "/v1/organizations/cost_report"
USAGE = "/v1/organizations/analytics/usage"
LEGACY_USAGE = "/v1/organizations/usage_report/messages"
ME = "/v1/organizations/me"

FORBIDDEN = Reply(
    {"type": "error", "error": {"type": "permission_error", "message": "no"}, "request_id": "r"},
    403,
)


@dataclass(frozen=True)
class Spent:
    """One line: when its bucket starts (µs), cents as text, and its group."""

    start: int
    cents: str
    model: str = "claude-sonnet-5"
    workspace: str | None = "wrkspc_1"
    token_type: str = "output_tokens"  # noqa: S105 (a kind of token, no secret)
    speed: str | None = None


@dataclass(frozen=True)
class Used:
    """Tokens of one hour (µs): output only, and under which terms; null is not said."""

    start: int
    output: int = 1_000_000
    model: str | None = "claude-sonnet-5"
    tier: str | None = "standard"
    geography: str | None = "global"
    speed: str | None = "standard"
    context: str | None = "0-200k"
    searches: int = 0

    @property
    def group(self) -> dict[str, str | None]:
        """What a row is told apart by."""
        return {
            "model": self.model,
            "workspace_id": "wrkspc_1",
            "service_tier": self.tier,
            "inference_geo": self.geography,
            "speed": self.speed,
        }

    @property
    def counts(self) -> dict[str, Any]:
        """The tokens, those of cache writes nested."""
        return {
            "uncached_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "cache_read_input_tokens": 0,
            "output_tokens": self.output,
            "server_tool_use": {"web_search_requests": self.searches},
        }


def usage(used: Callable[[], Sequence[Used]], refreshed: int) -> Answer:
    """Answer the analytics usage report by the hour."""

    def answer(request: Request) -> Reply:
        start, end = (moment.parse(request.arg(name)) for name in ("starting_at", "ending_at"))
        rows = [
            {
                "starting_at": moment.text(one.start),
                "ending_at": moment.text(one.start + moment.HOUR),
                "group": one.group,
                "usage": one.counts | {"total_tokens": one.output, "requests": 1},
            }
            for one in used()
            if start <= one.start < end
        ]
        mark = moment.text(refreshed)
        body = {"data": rows, "has_more": False, "next_page": None, "data_refreshed_at": mark}
        return Reply(body)

    return answer


def legacy_usage(used: Callable[[], Sequence[Used]], *, fast: bool = True) -> Answer:
    """Answer the usage report for messages by the hour; without `fast` it knows no speed."""

    def answer(request: Request) -> Reply:
        asked = [value for name, value in request.query if name == "group_by[]"]
        if "speed" in asked and not fast:
            return Reply({"type": "error", "error": {"type": "invalid_request_error"}}, 400)
        start, end = (moment.parse(request.arg(name)) for name in ("starting_at", "ending_at"))
        hours = range(start, end, moment.HOUR)
        first, size = int(request.arg("page") or 0), int(request.arg("limit"))
        more = first + size < len(hours)
        buckets = [
            {
                "starting_at": moment.text(hour),
                "ending_at": moment.text(hour + moment.HOUR),
                "results": [
                    one.counts | one.group | {"api_key_id": None, "context_window": one.context}
                    for one in used()
                    if one.start == hour
                ],
            }
            for hour in hours[first : first + size]
        ]
        following = str(first + size) if more else None
        return Reply({"data": buckets, "has_more": more, "next_page": following})

    return answer


def analytics(
    spent: Callable[[], Sequence[Spent]],
    refreshed: Callable[[], int | None],
    size: int = 1_000,
    width: int = moment.HOUR,
) -> Answer:
    """Answer the analytics report: only rows with cost, by time, in pages of `size`."""

    def answer(request: Request) -> Reply:
        start, end = (moment.parse(request.arg(name)) for name in ("starting_at", "ending_at"))
        if end - start > 31 * moment.DAY:
            return Reply({"type": "error", "error": {"type": "invalid_request_error"}}, 400)
        lines = [line for line in spent() if start <= line.start < end]
        daily = request.arg("time_bucket_width") == "1d" and width == moment.HOUR
        lines, wide = (_by_day(lines), moment.DAY) if daily else (lines, width)
        rows = [_row(line, wide) for line in sorted(lines, key=lambda line: line.start)]
        first = int(request.arg("page") or 0)
        more = first + size < len(rows)
        body: dict[str, Any] = {"data": rows[first : first + size], "has_more": more}
        body["next_page"] = str(first + size) if more else None
        until = refreshed()
        return Reply(body | ({} if until is None else {"data_refreshed_at": moment.text(until)}))

    return answer


def _by_day(lines: Sequence[Spent]) -> list[Spent]:
    days: dict[int, Decimal] = {}
    for line in lines:
        day = moment.floor(line.start, moment.DAY)
        days[day] = days.get(day, Decimal(0)) + Decimal(line.cents)
    return [Spent(day, str(cents)) for day, cents in days.items()]


def _row(line: Spent, width: int) -> dict[str, object]:
    return {
        "starting_at": moment.text(line.start),
        "ending_at": moment.text(line.start + width),
        "group": {
            "model": line.model,
            "workspace_id": line.workspace,
            "api_key_id": "apikey_1",
            "service_tier": "standard",
            "inference_geo": "global",
            "cost_type": "tokens",
            "token_type": line.token_type,
        },
        "cost": {
            "amount": line.cents,
            "list_amount": "999",
            "currency": "USD",
            "requests": None,
        },
    }


def legacy(spent: Sequence[Spent], now: int, *, partial: bool = True) -> Answer:
    """Answer the daily report, empty days too; without `partial` an unfinished day is a 400."""

    def answer(request: Request) -> Reply:
        start = moment.floor(moment.parse(request.arg("starting_at")), moment.DAY)
        asked = request.arg("ending_at")
        if asked and moment.parse(asked) > now and not partial:
            error = {"type": "invalid_request_error", "message": "Invalid date range"}
            return Reply({"type": "error", "error": error}, 400)
        end = moment.parse(asked) if asked else moment.floor(now, moment.DAY)
        days = range(start, end, moment.DAY)
        first = int(request.arg("page") or 0)
        size = int(request.arg("limit"))
        more = first + size < len(days)
        buckets = [_bucket(day, spent) for day in days[first : first + size]]
        following = str(first + size) if more else None
        return Reply({"data": buckets, "has_more": more, "next_page": following})

    return answer


def _bucket(day: int, spent: Sequence[Spent]) -> dict[str, object]:
    return {
        "starting_at": moment.text(day),
        "ending_at": moment.text(day + moment.DAY),
        "results": [
            {
                "amount": line.cents,
                "currency": "USD",
                "description": f"{line.model} usage, {line.token_type}",
                "workspace_id": line.workspace,
                "model": line.model,
                "cost_type": "tokens",
                "token_type": line.token_type,
                "service_tier": "standard",
                "context_window": "0-200k",
                "inference_geo": None,
                "speed": line.speed,
            }
            for line in spent
            if line.start == day
        ],
    }


def without_analytics(upstream: Upstream, status: int = 403) -> None:
    """Let the analytics report refuse this key."""
    upstream.on(ANALYTICS, Reply(FORBIDDEN.body, status))
