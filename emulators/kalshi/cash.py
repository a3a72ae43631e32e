"""The account's money: balance, deposits, withdrawals, and how fresh the account is."""

from emulators import paging
from emulators.kalshi import query, reported, rows
from emulators.server import Reply, Request
from emulators.world import instant
from emulators.world.amount import CENT, FULL, fixed, notional
from emulators.world.holding import Holding
from emulators.world.instant import SECOND
from emulators.world.market import Market
from emulators.world.world import World

_MOST = 500


def balance(world: World, request: Request) -> Reply:
    """Answer GET /portfolio/balance: cash in whole cents, positions at the last price."""
    now = world.advance()
    subaccount = query.subaccount(request) or 0
    cash = world.served.balances(subaccount)
    if subaccount == 0:
        cash[0] = cash.get(0, 0) + reported.credit(world.discrepancies)
    asked = request.one("exchange_index")
    total = cash.get(query.whole(request, "exchange_index", 0), 0) if asked else sum(cash.values())
    worth = sum(
        _at_last(world, market, holding, now)
        for market, holding in world.served.holdings(subaccount)
        if asked in ("", str(market.series.exchange_index))
    )
    parts = [
        {"exchange_index": index, "balance": fixed(_floored(amount), 4)}
        for index, amount in sorted(cash.items())
    ]
    body = {
        "balance": total // CENT,
        "balance_dollars": fixed(_floored(total), 4),
        "portfolio_value": worth // CENT,
        "updated_ts": world.served.seen // SECOND,
        "balance_breakdown": parts,
    }
    return Reply(200, body)


def deposits(world: World, request: Request) -> Reply:
    """Answer GET /portfolio/deposits, newest first."""
    return _transfers(world, request, "deposit", "GetDeposits")


def withdrawals(world: World, request: Request) -> Reply:
    """Answer GET /portfolio/withdrawals, newest first."""
    return _transfers(world, request, "withdrawal", "GetWithdrawals")


def freshness(world: World, request: Request) -> Reply:
    """Answer GET /exchange/user_data_timestamp: up to when the account is served."""
    del request
    world.advance()
    return Reply(200, {"as_of_time": instant.text(world.served.seen)})


def _transfers(world: World, request: Request, kind: str, call: str) -> Reply:
    limit = query.limit(request, call, most=_MOST)
    world.advance()
    found = reported.transfers(world, kind)
    page, cursor = paging.newest(found, lambda one: one.key, request.one("cursor"), limit)
    return Reply(200, {f"{kind}s": [rows.transfer(one) for one in page], "cursor": cursor})


def _at_last(world: World, market: Market, holding: Holding, now: int) -> int:
    if not holding.position:
        return holding.pairs
    last = world.quote(market, now).last
    if now >= market.determined:
        last = world.catalog.outcome(market).price
    each = last if holding.position > 0 else FULL - last
    return notional(each, abs(holding.position)) + holding.pairs


def _floored(nano: int) -> int:
    return nano - nano % 100_000
