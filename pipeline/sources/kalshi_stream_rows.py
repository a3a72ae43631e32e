"""Kalshi's stream messages as facts: REST's rows under other names, times in milliseconds."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from ledger import moment, money
from ledger.facts import Fill, Mark
from pipeline.sources import kalshi_rows
from pipeline.sources.fields import FieldError, Fields
from pipeline.sources.kalshi_rows import Report

T = TypeVar("T")

MILLI = 1_000
LATEST = 253_402_300_799_999
"""The last millisecond of the year 9999: beyond it no calendar goes."""

_NAMES = {
    "trade_id": "fill_id",
    "market_ticker": "ticker",
    "subaccount": "subaccount_number",
    "price_dollars": "last_price_dollars",
    "settlement_value": "settlement_value_dollars",
}
_SENT = {theirs: ours for ours, theirs in _NAMES.items()} | {"created_time": "ts_ms"}
_QUOTED = ("yes_bid_dollars", "yes_ask_dollars", "price_dollars")


def fill(row: Fields, until: int) -> Fill:
    """Return one execution; its identity is REST's, its time whole milliseconds.

    What is dated after `until` (µs) is refused; REST delivers it again once its time has come.
    """
    created = moment.text(_instant(row))
    return _as_rest(row, partial(kalshi_rows.fill, until=until), created_time=created)


def quote(row: Fields, time: int) -> Mark:
    """Return one market's quote as received at `time`, µs."""
    for name in _QUOTED:
        if name not in row.row:
            raise FieldError(name, "is missing")
    return _as_rest(row, partial(kalshi_rows.mark, time=time))


def position(row: Fields) -> tuple[int, Report]:
    """Return the subaccount, and what the exchange says it holds of one market."""
    return row.whole("subaccount", 0), Report(
        ticker=row.text("market_ticker"),
        position=row.contracts("position_fp"),
        fees=row.dollars("fees_paid_dollars"),
        realized=row.dollars("realized_pnl_dollars"),
    )


def determined(row: Fields) -> int | None:
    """Return what a determined market pays per YES, nano-dollars; None while nobody says."""
    if row.has("settlement_value"):
        return row.dollars("settlement_value", 0, money.NANO)
    return kalshi_rows.RESULTS.get(row.text("result", ""))


def _as_rest(row: Fields, read: Callable[[Fields], T], **more: str) -> T:
    """Read a message as REST's row; the fields it refuses are named as they were sent."""
    renamed = {_NAMES.get(name, name): value for name, value in row.row.items()}
    with _named_as_sent():
        return read(Fields(renamed | more))


@contextmanager
def _named_as_sent() -> Iterator[None]:
    try:
        yield
    except FieldError as error:
        raise FieldError(_SENT.get(error.field, error.field), error.reason) from error


def _instant(row: Fields) -> int:
    return row.number("ts_ms", _whole, 0, LATEST) * MILLI


def _whole(value: money.Number, what: str) -> int:
    return money.scaled(value, 1, what)
