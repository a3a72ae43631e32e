"""When fees change: per series, and per event where it differs from its series."""

from typing import Any

from emulators import paging
from emulators.kalshi import query
from emulators.server import Reply, Request
from emulators.world import instant
from emulators.world.chance import identifier
from emulators.world.market import Event, Series
from emulators.world.world import World

Row = dict[str, Any]


def of_series(world: World, request: Request) -> Reply:
    """Answer GET /series/fee_changes: none to come; all of the past when asked."""
    wanted = request.one("series_ticker")
    found = world.catalog.series(world.advance()).values()
    past = request.one("show_historical") == "true"
    rows = [_series(world, one) for one in found if past and wanted in ("", one.ticker)]
    return Reply(200, {"series_fee_change_arr": rows})


def of_events(world: World, request: Request) -> Reply:
    """Answer GET /events/fee_changes: games say once more what their series says."""
    limit = query.limit(request, "GetEventFeeChanges")
    wanted = request.one("event_ticker")
    found = [
        event
        for event in world.catalog.events(world.advance()).values()
        if event.exclusive and wanted in ("", event.ticker)
    ]
    found.sort(key=_key)
    page, cursor = paging.newest(found, _key, request.one("cursor"), limit)
    rows = [_event(event) for event in page]
    return Reply(200, {"event_fee_changes": rows, "cursor": cursor})


def _series(world: World, series: Series) -> Row:
    return {
        "id": identifier(series.ticker, "fee"),
        "series_ticker": series.ticker,
        "fee_type": series.fee_type,
        "fee_multiplier": float(series.multiplier),
        "scheduled_ts": instant.text(world.charter.begin),
    }


def _event(event: Event) -> Row:
    return {
        "id": identifier(event.ticker, "fee"),
        "event_ticker": event.ticker,
        "series_ticker": event.series.ticker,
        "fee_type_override": event.series.fee_type,
        "fee_multiplier_override": float(event.series.multiplier),
        "scheduled_ts": instant.text(event.open),
    }


def _key(event: Event) -> tuple[int, str]:
    return event.open, event.ticker
