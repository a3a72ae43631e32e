"""The new usage and cost reports: rows of groups, paged by opaque tokens bound to their query."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from emulators import paging
from emulators.anthropic import query, tokens
from emulators.anthropic.errors import Refused
from emulators.server import Reply, Request
from emulators.world import instant
from emulators.world.amount import cents
from emulators.world.instant import DAY, HOUR, MINUTE
from emulators.world.spend import Line, Spend
from emulators.world.world import World

BETA = "analytics-usage-cost-2026-08-24"

_GROUPS = frozenset({
    "actor", "actor_type", "agent_id", "api_key_id", "context_window", "deployment_id",
    "environment_id", "inference_geo", "model", "product", "rbac_group_id", "service_tier",
    "session_id", "speed", "user_profile_id", "workspace_id",
})  # fmt: skip
_FAN = ("cost_type", "token_type")
_MOST_GROUPS = 5
_LONGEST = {MINUTE: DAY}
_LONGEST_ELSE = 31 * DAY
_OLDEST = 365 * DAY
_FIRST = instant.at(2026, 1, 1)
_KEPT = 4

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Group:
    """One row before its cost types fan out: a bucket, its group members and its lines."""

    start: int
    end: int
    members: tuple[str | None, ...]
    lines: list[Line]

    @property
    def weight(self) -> int:
        """Tokens in all: the rank of a usage row."""
        return sum(line.tokens for line in self.lines)

    @property
    def amount(self) -> int:
        """Nano-dollars in all: the rank of a cost row."""
        return sum(line.amount for line in self.lines)


@dataclass(frozen=True, slots=True)
class _Rows:
    """How a report shows a group: what it is ranked by, and the rows it is made into."""

    rank: str
    made: Callable[[Group], list[Row]]


class Analytics:
    """The two reports; remembers the last few queries while they are paged through."""

    def __init__(self, world: World) -> None:
        """Report on a world."""
        self._world = world
        self._known: dict[tuple[str, int], list[Group]] = {}

    def cost(self, request: Request) -> Reply:
        """Answer GET /v1/organizations/analytics/cost."""
        names = _names(request, _GROUPS | set(_FAN))
        rows = _Rows("amount", lambda group: _costs(self._world, names, group))
        return self._page(request, names, rows)

    def usage(self, request: Request) -> Reply:
        """Answer GET /v1/organizations/analytics/usage."""
        names = _names(request, _GROUPS)
        return self._page(
            request, names, _Rows("total_tokens", lambda group: [_usage(names, group)])
        )

    def _page(self, request: Request, names: tuple[str, ...], rows: "_Rows") -> Reply:
        limit = query.limit(request, 20, 1_000)
        _window(request, self._world.clock())
        digest = _digest(request)
        offset, now = _place(request, digest, self._world.clock())
        if not offset:
            self._known.pop((digest, now), None)
        groups = self._groups(request, names, rows.rank, (digest, now))
        page = groups[offset : offset + limit]
        more = offset + limit < len(groups)
        body = {
            "data": [row for group in page for row in rows.made(group)],
            "has_more": more,
            "next_page": paging.encoded(digest, now, offset + limit) if more else None,
            "data_refreshed_at": instant.brief(_reach(self._world.spend, rows.rank, now)),
        }
        return Reply(200, body)

    def _groups(
        self, request: Request, names: tuple[str, ...], rank: str, key: tuple[str, int]
    ) -> list[Group]:
        if key not in self._known:
            base = tuple(name for name in names if name not in _FAN)
            found = _grouped(self._world, request, base, rank, key[1])
            self._known[key] = sorted(found, key=_order(request, rank), reverse=_falling(request))
            while len(self._known) > _KEPT:
                del self._known[next(iter(self._known))]
        return self._known[key]


def _names(request: Request, allowed: frozenset[str]) -> tuple[str, ...]:
    names = query.groups(request, allowed)
    if len([name for name in names if name not in _FAN]) > _MOST_GROUPS:
        raise Refused(400, f"group_by: at most {_MOST_GROUPS} dimensions")
    return names


def _window(request: Request, now: int) -> tuple[int, int, int]:
    """Return start, end and bucket width (0: one bucket), or refuse the range."""
    width = query.WIDTHS.get(query.width(request, "time_bucket_width", ""), 0)
    start, end = query.beginning(request), query.moment(request, "ending_at")
    if end is None and width:
        raise Refused(400, "ending_at: Field required when time_bucket_width is set")
    end = now if end is None else end
    if start < max(_FIRST, now - _OLDEST):
        raise Refused(400, "starting_at: must be on or after 2026-01-01 and within 365 days")
    if end <= start:
        raise Refused(400, "Invalid date range: ending date must be after starting date")
    longest = _LONGEST.get(width, _LONGEST_ELSE)
    if end - start > longest:
        raise Refused(400, f"Invalid date range: at most {longest // DAY} days")
    return start - start % width if width else start, end, width


def _reach(spend: Spend, rank: str, now: int) -> int:
    """Return how far a report reaches: the bill may lag behind usage."""
    return spend.billed_until(now) if rank == "amount" else spend.refreshed(now)


def _grouped(
    world: World, request: Request, names: tuple[str, ...], rank: str, now: int
) -> list[Group]:
    start, end, width = _window(request, now)
    found: dict[tuple[int, tuple[str | None, ...]], list[Line]] = {}
    known = world.spend.lines if rank == "amount" else world.spend.used
    grain = MINUTE if width == MINUTE else HOUR
    for line in query.kept(request, world.spend, known(start, end, now, grain)):
        bucket = line.hour - line.hour % width if width else start
        members = tuple([query.member(world.spend, line, name) for name in names])
        found.setdefault((bucket, members), []).append(line)
    return [
        Group(bucket, bucket + width if width else end, members, lines)
        for (bucket, members), lines in found.items()
    ]


def _order(request: Request, rank: str) -> Callable[[Group], tuple[Any, ...]]:
    by = request.one("order_by") or rank
    if by not in ("time", rank):
        raise Refused(400, f"order_by: Input should be time or {rank}")
    if by == "time":
        return lambda group: (group.start, str(group.members))
    figure = "amount" if rank == "amount" else "weight"
    return lambda group: (getattr(group, figure), group.start, str(group.members))


def _falling(request: Request) -> bool:
    order = request.one("order") or "desc"
    if order not in ("asc", "desc"):
        raise Refused(400, "order: Input should be asc or desc")
    return order == "desc"


def _digest(request: Request) -> str:
    kept = sorted((name, values) for name, values in request.query.items() if name != "page")
    return blake2b(repr((request.path, kept)).encode(), digest_size=8).hexdigest()


def _place(request: Request, digest: str, now: int) -> tuple[int, int]:
    page = request.one("page")
    if not page:
        return 0, now
    parts = paging.decoded(page)
    if parts is None or parts[:1] != [digest]:
        raise Refused(400, "page: invalid, or not of this query")
    return int(parts[2]), int(parts[1])


def _costs(world: World, names: tuple[str, ...], group: Group) -> list[Row]:
    base = [name for name in names if name not in _FAN]
    fan = [name for name in names if name in _FAN]
    parts: dict[tuple[str | None, ...], list[Line]] = {}
    for line in group.lines:
        part = tuple(query.member(world.spend, line, name) for name in fan)
        parts.setdefault(part, []).append(line)
    return [
        _row(group, dict(zip([*base, *fan], [*group.members, *part], strict=True)))
        | {"cost": _cost(lines, None if fan else tokens.requests(lines))}
        for part, lines in parts.items()
    ]


def _usage(names: tuple[str, ...], group: Group) -> Row:
    count = tokens.counted(group.lines)
    usage = tokens.shown(count) | {
        "total_tokens": sum(line.tokens for line in group.lines),
        "requests": tokens.requests(group.lines),
    }
    return _row(group, dict(zip(names, group.members, strict=True))) | {"usage": usage}


def _row(group: Group, members: dict[str, str | None]) -> Row:
    return {
        "starting_at": instant.brief(group.start),
        "ending_at": instant.brief(group.end),
        "group": members,
    }


def _cost(lines: list[Line], requests: int | None) -> Row:
    amount = cents(sum(line.amount for line in lines))
    return {"amount": amount, "list_amount": amount, "currency": "USD", "requests": requests}
