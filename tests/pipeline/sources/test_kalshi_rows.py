"""Kalshi's rows as facts, by rows as seen on the wire."""

import pytest

from ledger.facts import Market, Side
from ledger.moment import HOUR, MICROS
from ledger.money import NANO
from pipeline.sources import kalshi_rows
from pipeline.sources.fields import FieldError, Fields
from tests.pipeline.sources.conftest import NOON
from tests.pipeline.sources.kalshi_upstream import (
    fill_row,
    market_row,
    position_row,
    settlement_row,
)


def nobody_knows(ticker: str) -> int | None:
    """Stand for a market whose settlement value is not there yet."""
    assert ticker


def without(row: dict[str, object], *names: str) -> Fields:
    """Return the row with some fields gone."""
    return Fields({name: value for name, value in row.items() if name not in names})


def test_a_fill_is_read_to_its_last_digit() -> None:
    fill = kalshi_rows.fill(Fields(fill_row(0, subaccount_number=3, exchange_index=2)))
    assert (fill.fill_id, fill.order_id, fill.ticker) == ("fill-0", "order-0", "KXCPI-26NOV-T0.3")
    assert (fill.count, fill.price, fill.fee) == (777, 520_000_000, 17_500_000)
    assert (fill.time, fill.is_taker, fill.subaccount, fill.exchange_index) == (NOON, True, 3, 2)


@pytest.mark.parametrize(
    ("book_side", "outcome_side", "side"),
    [
        ("bid", "yes", Side.YES),
        ("ask", "no", Side.NO),
        ("ask", None, Side.NO),
        (None, "yes", Side.YES),
    ],
)
def test_direction_comes_from_the_sides_never_from_the_deprecated_pair(
    book_side: str | None, outcome_side: str | None, side: Side
) -> None:
    row = fill_row(0, book_side=book_side, outcome_side=outcome_side)
    for action, deprecated in [("buy", "yes"), ("sell", "no"), ("buy", "no"), ("sell", "yes")]:
        read = Fields(row | {"action": action, "side": deprecated})
        assert kalshi_rows.fill(read).side is side


def test_numbers_mean_what_texts_mean() -> None:
    row = fill_row(0, count_fp=7, yes_price_dollars=1, fee_cost=0)
    fill = kalshi_rows.fill(Fields(row))
    assert (fill.count, fill.price, fill.fee) == (700, NANO, 0)


def test_seconds_stand_in_for_a_missing_time() -> None:
    assert kalshi_rows.fill(without(fill_row(1), "created_time")).time == NOON - 60_000_000


@pytest.mark.parametrize(
    "name", ["fill_id", "ticker", "count_fp", "yes_price_dollars", "is_taker", "fee_cost"]
)
def test_a_fill_without_a_required_field_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(FieldError, match="is missing") as raised:
        kalshi_rows.fill(without(fill_row(0), name))
    assert raised.value.field == name


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"book_side": None, "outcome_side": None}, "book_side"),
        ({"book_side": "bid", "outcome_side": "no"}, "outcome_side"),
        ({"book_side": "long"}, "book_side"),
        ({"yes_price_dollars": "1.0001"}, "yes_price_dollars"),
        ({"yes_price_dollars": "-0.0100"}, "yes_price_dollars"),
        ({"count_fp": "0.00"}, "count_fp"),
        ({"count_fp": "-1.00"}, "count_fp"),
        ({"count_fp": "0.001"}, "count_fp"),
        ({"count_fp": "1000000000000000.00"}, "count_fp"),
        ({"count_fp": "1.00", "yes_price_dollars": "0.123456789"}, "yes_price_dollars"),
        ({"fee_cost": "-0.01"}, "fee_cost"),
        ({"fee_cost": "NaN"}, "fee_cost"),
        ({"created_time": None, "ts": None}, "created_time"),
        ({"created_time": "yesterday"}, "created_time"),
    ],
)
def test_a_fill_that_cannot_be_is_refused(changes: dict[str, object], field: str) -> None:
    with pytest.raises(FieldError) as raised:
        kalshi_rows.fill(Fields(fill_row(0) | changes))
    assert raised.value.field == field


def test_a_settlement_keeps_cents_and_dollars_apart() -> None:
    row = settlement_row(market_result="yes", value=100, revenue=2_200, fee_cost="0.0233")
    end = kalshi_rows.settlement(Fields(row), nobody_knows)
    assert (end.value, end.revenue, end.fee) == (NANO, 22 * NANO, 23_300_000)
    assert (end.yes_count, end.yes_cost, end.no_count, end.no_cost) == (
        200,
        12_000_000,
        200,
        1_600_000_000,
    )
    assert (end.result, end.event, end.subaccount) == ("yes", "KXGDP-26Q3", None)


def test_a_settlement_may_name_its_subaccount() -> None:
    end = kalshi_rows.settlement(Fields(settlement_row(subaccount_number=0)), nobody_knows)
    assert end.subaccount == 0


@pytest.mark.parametrize(("result", "value"), [("yes", NANO), ("no", 0)])
def test_without_a_value_the_result_says_it(result: str, value: int) -> None:
    row = settlement_row(market_result=result, value=None)
    assert kalshi_rows.settlement(Fields(row), nobody_knows).value == value


def test_a_scalar_without_a_value_asks_the_market() -> None:
    row = settlement_row(market_result="scalar", value=None)
    asked = {"KXGDP-26Q3-T2": NANO // 2}
    assert kalshi_rows.settlement(Fields(row), asked.get).value == NANO // 2
    with pytest.raises(FieldError) as raised:
        kalshi_rows.settlement(Fields(row), nobody_knows)
    assert raised.value.field == "value"


def test_a_result_nobody_knows_is_booked_by_its_value() -> None:
    row = settlement_row(market_result="void", value=50)
    assert kalshi_rows.settlement(Fields(row), nobody_knows).value == NANO // 2


@pytest.mark.parametrize(
    ("changes", "bid", "ask", "last"),
    [
        ({}, 510_000_000, 530_000_000, 520_000_000),
        ({"yes_bid_dollars": "0.0000"}, None, 530_000_000, 520_000_000),
        ({"yes_ask_dollars": "1.0000"}, 510_000_000, None, 520_000_000),
        ({"last_price_dollars": "0.0000"}, 510_000_000, 530_000_000, None),
        ({"yes_bid_dollars": None, "last_price_dollars": ""}, None, 530_000_000, None),
    ],
)
def test_an_empty_side_is_no_price(
    changes: dict[str, object], bid: int | None, ask: int | None, last: int | None
) -> None:
    mark = kalshi_rows.mark(Fields(market_row() | changes), NOON)
    assert (mark.bid, mark.ask, mark.last, mark.value, mark.time) == (bid, ask, last, None, NOON)


@pytest.mark.parametrize("price", ["1.0100", "-0.0100", "Infinity"])
def test_a_quote_outside_a_dollar_is_refused(price: str) -> None:
    with pytest.raises(FieldError) as raised:
        kalshi_rows.mark(Fields(market_row(yes_bid_dollars=price)), NOON)
    assert raised.value.field == "yes_bid_dollars"


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({"status": "determined", "result": "yes"}, NANO),
        ({"status": "finalized", "result": "no"}, 0),
        (
            {"status": "amended", "result": "scalar", "settlement_value_dollars": "0.5000"},
            NANO // 2,
        ),
        ({"status": "finalized", "result": "scalar"}, None),
        ({"status": "closed", "result": ""}, None),
        ({"status": "active", "result": "yes"}, None),
    ],
)
def test_a_mark_has_a_value_once_it_is_determined(
    changes: dict[str, object], value: int | None
) -> None:
    assert kalshi_rows.mark(Fields(market_row() | changes), NOON).value == value


def test_a_market_is_called_by_its_title() -> None:
    assert kalshi_rows.market(Fields(market_row()), "KXCPI") == Market(
        "KXCPI-26NOV-T0.3", "KXCPI-26NOV", "KXCPI", "CPI above 0.3% in November?", "active"
    )
    untitled = Fields(market_row(title=None, yes_sub_title="Above 0.3%"))
    assert kalshi_rows.market(untitled, "").title == "Above 0.3%"


def test_a_report_is_signed_and_shards_add_up() -> None:
    report = kalshi_rows.report(Fields(position_row()))
    assert (report.position, report.fees, report.realized) == (-777, 17_500_000, -80_000_000)
    assert (report + report).position == -1_554


def test_cash_is_exact_where_it_can_be() -> None:
    row = {"balance": 9_801, "balance_dollars": "98.0186", "portfolio_value": 198}
    exact = kalshi_rows.balance(Fields(row), NOON)
    assert exact == kalshi_rows.Balance(98_018_600_000, 1_980_000_000, NOON)
    truncated = kalshi_rows.balance(without(row, "balance_dollars"), NOON)
    assert truncated.cash == 98_010_000_000


def test_a_price_that_a_part_of_a_contract_cannot_be_paid_at_is_refused() -> None:
    """A hundredth of a contract at $0.0000001 is a nano-dollar; finer prices cannot be settled."""
    assert kalshi_rows.fill(Fields(fill_row(0, yes_price_dollars="0.1234567"))).price == 123_456_700
    finer = settlement_row(market_result="scalar", value="33.333333")
    with pytest.raises(FieldError, match="finer than a part of a contract") as raised:
        kalshi_rows.settlement(Fields(finer), nobody_knows)
    assert raised.value.field == "value"
    asked = settlement_row(market_result="scalar", value=None)
    with pytest.raises(FieldError) as raised:
        kalshi_rows.settlement(Fields(asked), lambda _: 333_333_333)
    assert raised.value.field == "settlement_value_dollars"


@pytest.mark.parametrize("name", ["created_time", "ts"])
def test_a_fill_of_the_future_is_refused_by_the_field_that_says_so(name: str) -> None:
    row = fill_row(0) if name == "created_time" else fill_row(0, created_time=None)
    assert kalshi_rows.fill(Fields(row), NOON).time == NOON
    with pytest.raises(FieldError, match="is in the future: 2026-11-20T12") as raised:
        kalshi_rows.fill(Fields(row), NOON - 1)
    assert raised.value.field == name


def test_a_settlement_of_the_future_is_refused() -> None:
    with pytest.raises(FieldError, match="in the future") as raised:
        kalshi_rows.settlement(Fields(settlement_row()), nobody_knows, NOON - 2 * HOUR)
    assert raised.value.field == "settled_time"


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({"status": "halted"}, None),
        ({"status": "halted", "settlement_value_dollars": "0.0000"}, None),
        ({"status": "concluded", "result": "yes"}, NANO),
        ({"status": "concluded", "result": "void", "settlement_value_dollars": "0.5"}, NANO // 2),
        ({"status": "finalized", "result": "void"}, None),
        ({"market_type": "ternary"}, None),
    ],
)
def test_an_enum_nobody_knows_is_kept_and_never_made_a_value(
    changes: dict[str, object], value: int | None
) -> None:
    row = Fields(market_row() | changes)
    mark = kalshi_rows.mark(row, NOON)
    assert (mark.value, mark.bid) == (value, 510_000_000)
    assert kalshi_rows.market(row, "").status == row.text("status")


def test_a_transfer_has_its_sign_and_its_fee_apart() -> None:
    row = {
        "id": "d1",
        "status": "applied",
        "type": "wire",
        "amount_cents": 10_000,
        "fee_cents": "25",
        "created_ts": NOON // MICROS,
        "finalized_ts": None,
    }
    came = kalshi_rows.transfer(Fields(row), 1)
    assert came == kalshi_rows.Transfer("d1", "applied", 100 * NANO, NANO // 4, NOON, None)
    assert kalshi_rows.transfer(Fields(row | {"finalized_ts": 7}), -1).amount == -100 * NANO
    assert kalshi_rows.transfer(Fields(row | {"finalized_ts": 7}), -1).finalized == 7 * MICROS


def test_costs_of_reading_are_taken_by_their_path() -> None:
    costs = [
        {"method": "GET", "path": "/portfolio/fills", "cost": 20},
        {"method": "POST", "path": "/portfolio/orders", "cost": 50},
    ]
    row = Fields({"default_cost": 10, "endpoint_costs": costs})
    assert kalshi_rows.tariff(row) == (10, {"/portfolio/fills": 20})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        ({"trading_active": False}, "trading is paused"),
        ({"exchange_active": False, "trading_active": False}, "the exchange is closed"),
        (
            {"trading_active": False, "exchange_estimated_resume_time": "2026-11-20T10:00:00Z"},
            "trading is paused, until about 2026-11-20T10:00:00.000000Z",
        ),
    ],
)
def test_an_exchange_that_rests_says_until_when(changes: dict[str, object], said: str) -> None:
    row = {"exchange_active": True, "trading_active": True} | changes
    assert kalshi_rows.closed(Fields(row)) == said
