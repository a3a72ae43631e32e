"""When the exchange is open: its state now, its weekly hours, and the account's limits."""

from typing import Any

from emulators.kalshi.throttle import REQUEST_COST
from emulators.server import Reply, Request
from emulators.world import instant
from emulators.world.instant import HOUR
from emulators.world.pauses import MODES, weekly
from emulators.world.world import World

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WHOLE_DAY = [{"open_time": "00:00", "close_time": "00:00"}]
_AROUND_THE_PAUSE = [
    {"open_time": "00:00", "close_time": "03:00"},
    {"open_time": "05:00", "close_time": "00:00"},
]
_SHARDS = {0: "default", 1: "combos", 2: "crypto", 3: "tennis and baseball"}
_WRITES = 100
COSTS = {"/account/endpoint_costs": 1}
"""What a request costs where it is not the usual."""


def status(world: World, request: Request) -> Reply:
    """Answer GET /exchange/status: its normal body, under the status of a maintenance too."""
    del request
    now = world.clock()
    resting = world.pauses.at(now)
    closed = resting and world.faults.kalshi.maintenance is not None
    body = {
        "exchange_active": not closed,
        "trading_active": not resting,
        "intra_exchange_transfers_active": not closed,
        "exchange_index_statuses": [
            {
                "exchange_index": index, "description": name, "exchange_active": not closed,
                "trading_active": not resting, "intra_exchange_transfers_active": not closed,
            }
            for index, name in _SHARDS.items()
        ],
    }  # fmt: skip
    if resting:
        body["exchange_estimated_resume_time"] = instant.text(_resumes(world, now))
    return Reply((world.faults.kalshi.maintenance if resting else None) or 200, body)


def schedule(world: World, request: Request) -> Reply:
    """Answer GET /exchange/schedule: open but for Thursday's two hours."""
    del request
    week: dict[str, Any] = dict.fromkeys(_DAYS, _WHOLE_DAY)
    week["thursday"] = _AROUND_THE_PAUSE
    begin, end = world.charter.begin, world.clock()
    week |= {"start_time": instant.text(begin), "end_time": instant.text(end + 365 * 24 * HOUR)}
    windows = [
        {"start_datetime": instant.text(start), "end_datetime": instant.text(start + 2 * HOUR)}
        for start in [_next_pause(end)]
    ]
    return Reply(200, {"schedule": {"standard_hours": [week], "maintenance_windows": windows}})


def limits(world: World, request: Request) -> Reply:
    """Answer GET /account/limits."""
    del request
    rates = (world.faults.read_tokens, _WRITES)
    read, write = ({"refill_rate": rate, "bucket_capacity": rate} for rate in rates)
    return Reply(200, {"usage_tier": "basic", "read": read, "write": write, "grants": []})


def costs(world: World, request: Request) -> Reply:
    """Answer GET /account/endpoint_costs."""
    del world, request
    listed = [
        {"method": "GET", "path": f"/trade-api/v2{path}", "cost": cost}
        for path, cost in COSTS.items()
    ]
    return Reply(200, {"default_cost": REQUEST_COST, "endpoint_costs": listed})


def _next_pause(now: int) -> int:
    hour = now - now % HOUR
    following = (hour + step * HOUR for step in range(1, 24 * 8))
    return next(moment for moment in following if weekly(moment) and not weekly(moment - HOUR))


def _resumes(world: World, now: int) -> int:
    if world.pauses.mode(now) != MODES[-1]:
        return now + HOUR
    hour = now - now % HOUR
    return next(hour + step * HOUR for step in range(1, 4) if not weekly(hour + step * HOUR))
