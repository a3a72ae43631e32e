"""Stream rows: REST's facts under the stream's names."""

import pytest

from ledger.facts import Side
from ledger.money import NANO, dollars
from pipeline.sources import kalshi_stream_rows
from pipeline.sources.fields import FieldError, Fields
from tests.pipeline.sources.test_kalshi_stream import AT, TICKER, message, ticker

UNTIL = 2 * AT * 1_000


@pytest.mark.parametrize(
    ("book", "outcome", "side"),
    [("bid", "yes", Side.YES), ("ask", "no", Side.NO), ("ask", None, Side.NO)],
)
def test_direction_comes_from_book_and_outcome_side_only(
    book: str, outcome: str | None, side: Side
) -> None:
    row = message(book_side=book, outcome_side=outcome, side="yes", action="buy")
    assert kalshi_stream_rows.fill(Fields(row), UNTIL).side is side


def test_without_both_sides_the_deprecated_pair_is_not_used() -> None:
    row = message(book_side=None, outcome_side=None)
    with pytest.raises(FieldError, match="book_side is missing"):
        kalshi_stream_rows.fill(Fields(row), UNTIL)


def test_a_fill_names_its_subaccount_when_it_has_one() -> None:
    assert kalshi_stream_rows.fill(Fields(message()), UNTIL).subaccount == 0
    assert kalshi_stream_rows.fill(Fields(message(subaccount=3)), UNTIL).subaccount == 3


def test_a_fill_needs_neither_the_deprecated_seconds_nor_a_no_price() -> None:
    row = message()
    del row["ts"]
    assert kalshi_stream_rows.fill(Fields(row), UNTIL).time == AT * 1_000


def test_a_fill_of_the_future_is_refused_by_its_own_name() -> None:
    with pytest.raises(FieldError, match="ts_ms is in the future"):
        kalshi_stream_rows.fill(Fields(message()), AT * 1_000 - 1)


def test_numbers_may_come_as_text_or_number() -> None:
    row = message(count_fp="7.77", fee_cost="0.0175", ts_ms=str(AT))
    assert kalshi_stream_rows.fill(Fields(row), UNTIL).fee == dollars("0.0175")


def test_an_empty_side_of_a_quote_is_none() -> None:
    row = ticker(yes_bid_dollars=None, yes_ask_dollars="1.0000", price_dollars="0.0000")
    quote = kalshi_stream_rows.quote(Fields(row), 7)
    assert (quote.ticker, quote.time, quote.quote) == (TICKER, 7, (None, None, None, None))


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ({"result": "yes"}, NANO),
        ({"result": "no", "settlement_value": ""}, 0),
        ({"result": "no", "settlement_value": "0.5000"}, NANO // 2),
        ({"result": "scalar"}, None),
        ({"result": ""}, None),
    ],
)
def test_a_determined_market_pays_its_value_else_its_result(
    said: dict[str, object], value: int | None
) -> None:
    assert kalshi_stream_rows.determined(Fields(said)) == value
