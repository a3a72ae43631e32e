"""The world's own totals, by its own book, for whoever wants to compare."""

from decimal import Decimal
from typing import Any

from emulators.world import instant
from emulators.world.amount import count, plain, price
from emulators.world.deals import STATUSES, Deal, earned, worth
from emulators.world.holding import Holding
from emulators.world.market import Market
from emulators.world.world import World


def totals(world: World) -> dict[str, Any]:
    """Return what is true now: dollars as exact decimal texts, contracts with two decimals."""
    with world.lock:
        now = world.advance()
        pairs = world.account.together()
        deals = world.deals.known(now)
        return {
            "time": instant.text(now),
            "seen": instant.text(world.served.seen),
            "fills": len(world.account.fills),
            **_trading(world, pairs, now),
            "settlements": len(world.account.settled()),
            "balance": plain(sum(world.account.balances().values())),
            "cost_total": plain(world.spend.total(now)),
            "deals": {status: _sum(deals, status) for status in STATUSES},
            "recognized": str(sum((earned(deal, now) for deal in deals), Decimal(0))),
        }


def _trading(world: World, pairs: list[tuple[Market, Holding]], now: int) -> dict[str, Any]:
    rows = {
        market.ticker: _row(holding, world.worth(market, holding.position, now))
        for market, holding in pairs
        if market.finalized > world.account.seen
    }
    return {
        "realized": plain(sum(holding.realized for _, holding in pairs)),
        "fees": plain(sum(holding.fees for _, holding in pairs)),
        "unrealized_bid": str(
            sum((Decimal(row["unrealized"]) for row in rows.values()), Decimal(0))
        ),
        "positions": rows,
    }


def _row(holding: Holding, each: int | None) -> dict[str, Any]:
    value = holding.value(each) if holding.position else 0
    return {
        "position": count(holding.position),
        "realized": plain(holding.realized),
        "fees": plain(holding.fees),
        "cost": plain(holding.cost),
        "mark": None if each is None or not holding.position else price(each),
        "value": plain(value),
        "unrealized": plain(value - holding.cost),
    }


def _sum(deals: list[Deal], status: str) -> str:
    amounts = (worth(deal) for deal in deals if deal["status"] == status)
    return str(sum(amounts, Decimal(0)))
