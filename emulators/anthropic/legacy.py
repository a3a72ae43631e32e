"""The legacy usage and cost reports: buckets oldest first, empty ones included."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from emulators import paging
from emulators.anthropic import query, tokens
from emulators.anthropic.errors import Refused
from emulators.server import Reply, Request
from emulators.world import instant
from emulators.world.amount import cents
from emulators.world.instant import DAY, HOUR, MINUTE
from emulators.world.spend import WORKSPACES, Line
from emulators.world.world import World

_USAGE_GROUPS = (
    "account_id", "api_key_id", "context_window", "inference_geo", "model",
    "service_account_id", "service_tier", "workspace_id",
)  # fmt: skip
FAST_BETA = "fast-mode-2026-02-01"
"""What lets `speed` be a group."""
_COST_GROUPS = ("description", "workspace_id")
_DESCRIBED = ("cost_type", "token_type", "model", "service_tier", "context_window", "inference_geo")
_LIMITS = {"1m": (60, 1_440), "1h": (24, 168), "1d": (7, 31)}
_INVERTED = "Invalid date range: ending date must be after starting date"

Row = dict[str, Any]
Names = tuple[str, ...]
Groups = dict[tuple[str | None, ...], list[Line]]
Rows = Callable[[World, list[Line], Names], list[Row]]
Lines = Callable[[int, int, int, int], Iterator[Line]]


@dataclass(frozen=True, slots=True)
class _Report:
    """What is asked for: bucket width, group members, end, and how a bucket's rows are made."""

    width: str
    names: Names
    end: int
    rows: Rows
    lines: Lines


def usage(world: World, request: Request) -> Reply:
    """Answer GET /v1/organizations/usage_report/messages, 1m, 1h or 1d."""
    width = query.width(request, "bucket_width", "1d")
    betas = request.header("anthropic-beta").replace(" ", "").split(",")
    speed = ("speed",) if FAST_BETA in betas else ()
    names = query.groups(request, frozenset((*_USAGE_GROUPS, *speed)))
    end = query.moment(request, "ending_at") or world.clock()
    return _page(world, request, _Report(width, names, end, _usage_rows, world.spend.used))


def cost(world: World, request: Request) -> Reply:
    """Answer GET /v1/organizations/cost_report: days, by default up to the last complete one."""
    if request.one("bucket_width") not in ("", "1d"):
        raise Refused(400, "bucket_width: Input should be 1d")
    names = query.groups(request, frozenset(_COST_GROUPS))
    today = world.clock() // DAY * DAY
    end = query.moment(request, "ending_at") or today
    if end > today and world.spend.conduct.today == "refused":
        raise Refused(400, _INVERTED)
    if world.spend.conduct.today == "absent":
        end = min(end, today)
    return _page(world, request, _Report("1d", names, end, _cost_rows, world.spend.lines))


def _page(world: World, request: Request, report: _Report) -> Reply:
    limit = query.limit(request, *_LIMITS[report.width])
    step = query.WIDTHS[report.width]
    first = query.beginning(request) // step * step
    if report.end <= first:
        raise Refused(400, _INVERTED)
    until = min(report.end, world.clock() // step * step + step)
    start = _place(request, first)
    after = start + limit * step
    more = after < until
    body = {
        "data": [_bucket(world, request, report, at) for at in range(start, until, step)[:limit]],
        "has_more": more,
        "next_page": paging.encoded("page", after) if more else None,
    }
    return Reply(200, body)


def _bucket(world: World, request: Request, report: _Report, start: int) -> Row:
    end = start + query.WIDTHS[report.width]
    grain = MINUTE if report.width == "1m" else HOUR
    lines = report.lines(start, end, world.clock(), grain)
    kept = list(query.kept(request, world.spend, lines))
    return {
        "starting_at": instant.brief(start),
        "ending_at": instant.brief(end),
        "results": report.rows(world, kept, report.names),
    }


def _place(request: Request, start: int) -> int:
    page = request.one("page")
    if not page:
        return start
    parts = paging.decoded(page)
    if parts is None or parts[:1] != ["page"]:
        raise Refused(400, "page: invalid")
    return int(parts[1])


def _grouped(world: World, lines: list[Line], names: Names) -> Groups:
    found: Groups = {}
    for line in lines:
        found.setdefault(tuple(_member(world, line, name) for name in names), []).append(line)
    return found


def _member(world: World, line: Line, name: str) -> str | None:
    if name == "workspace_id" and line.workspace == len(WORKSPACES) - 1:
        return None
    if name == "description":
        what = line.token_type if line.cost_type == "tokens" else line.cost_type
        return f"{line.model} usage: {what.replace('_', ' ')}"
    return query.member(world.spend, line, name)


def _usage_rows(world: World, lines: list[Line], names: Names) -> list[Row]:
    return [
        tokens.shown(tokens.counted(part))
        | dict.fromkeys(_USAGE_GROUPS)
        | dict(zip(names, members, strict=True))
        for members, part in _grouped(world, lines, names).items()
    ]


def _cost_rows(world: World, lines: list[Line], names: Names) -> list[Row]:
    shown = (*names, *_DESCRIBED) if "description" in names else names
    return [
        {"amount": cents(sum(line.amount for line in part)), "currency": "USD"}
        | dict.fromkeys((*_COST_GROUPS, *_DESCRIBED))
        | dict(zip(shown, members, strict=True))
        for members, part in _grouped(world, lines, shown).items()
    ]
