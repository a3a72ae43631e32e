"""Rows as Kalshi reports them: as they are, unless a discrepancy says otherwise."""

from collections.abc import Mapping

from emulators.kalshi import rows
from emulators.kalshi.rows import Row
from emulators.world.amount import FULL, count, money, price, scaled
from emulators.world.chance import identifier
from emulators.world.discrepancies import Discrepancies, Discrepancy
from emulators.world.holding import Fill
from emulators.world.transfer import Transfer
from emulators.world.world import World

_POSITION = {
    "traded": "total_traded_dollars", "exposure": "market_exposure_dollars",
    "realized": "realized_pnl_dollars", "fees": "fees_paid_dollars",
}  # fmt: skip
_SETTLEMENT = {
    "fee_cost": "fee_cost", "yes_cost": "yes_total_cost_dollars", "no_cost": "no_total_cost_dollars"
}  # fmt: skip
_NANO = 1_000_000_000


def fills(world: World, found: list[Fill]) -> list[Row]:
    """Return the rows of fills that are listed."""
    shown: list[Row] = []
    for fill in found:
        row = rows.fill(fill, world.account.market(fill.ticker).series.exchange_index)
        shown += _befallen(row, world.discrepancies.fill(fill.fill_id))
    return [plain(world, row) for row in shown]


def plain(world: World, row: Row) -> Row:
    """Return a row, without what is deprecated where that is gone."""
    if world.faults.kalshi.deprecated:
        return row
    return {name: value for name, value in row.items() if name not in rows.DEPRECATED}


def position(discrepancies: Discrepancies, row: Row) -> Row:
    """Return a MarketPosition with its differences."""
    by = discrepancies.of("position", row["ticker"])
    changed = {name: _dollars(row[name], by[key]) for key, name in _POSITION.items() if key in by}
    if "position" in by:
        changed["position_fp"] = _contracts(row["position_fp"], by["position"])
    return row | changed


def settlement(discrepancies: Discrepancies, row: Row) -> Row:
    """Return a Settlement with its differences."""
    by = discrepancies.of("settlement", row["ticker"])
    changed: Row = {
        name: _dollars(row[name], by[key]) for key, name in _SETTLEMENT.items() if key in by
    }
    for side in ("yes", "no"):
        if f"{side}_count" in by:
            changed[f"{side}_count_fp"] = _contracts(row[f"{side}_count_fp"], by[f"{side}_count"])
    changed |= {name: row[name] + by[name] for name in ("revenue", "value") if name in by}
    return row | changed


def credit(discrepancies: Discrepancies) -> int:
    """Return the nano-dollars the balance has from nowhere."""
    return discrepancies.of("balance").get("amount", 0)


def transfers(world: World, kind: str) -> list[Transfer]:
    """Return the deposits or withdrawals that are listed, oldest first."""
    seen, sign = world.served.seen, 1 if kind == "deposit" else -1
    found = [one for one in world.served.transfers if one.time <= seen and one.cents * sign > 0]
    seed = world.charter.seed
    invented = [
        Transfer(identifier(seed, kind, one.number, "row"), seen, sign * one.by["cents"])
        for one in world.discrepancies.rows(kind)
    ]
    return sorted([*found, *invented], key=lambda transfer: transfer.key)


def _befallen(row: Row, how: Discrepancy | None) -> list[Row]:
    match how.how if how else "":
        case "hide":
            return []
        case "twice":
            return [row, row]
        case "copy":
            other = identifier(row["fill_id"], "copy")
            return [row, {**row, "fill_id": other, "trade_id": other}]
        case "change" if how:
            return [_changed(row, how.by)]
    return [row]


def _changed(row: Row, to: Mapping[str, int]) -> Row:
    changed = dict(row)
    if "yes_price" in to:
        changed["yes_price_dollars"] = price(to["yes_price"])
        changed["no_price_dollars"] = price(FULL - to["yes_price"])
    if "count" in to:
        changed["count_fp"] = count(to["count"])
    if "fee_cost" in to:
        changed["fee_cost"] = money(to["fee_cost"])
    return changed


def _dollars(text: str, more: int) -> str:
    return money(scaled(text, _NANO, "dollars") + more)


def _contracts(text: str, more: int) -> str:
    return count(scaled(text, 100, "contracts") + more)
