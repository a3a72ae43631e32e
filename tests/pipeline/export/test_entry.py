"""Directives as text."""

from ledger.moment import parse
from pipeline.export.entry import Posting, dollars, opened, quoted, transaction, units

NOON = parse("2026-11-20T12:00:00Z")


def test_a_transaction_is_of_its_utc_day_and_keeps_its_instant() -> None:
    legs = [Posting("Assets:A", "1 USD"), Posting("Income:B", "-1 USD")]
    assert transaction(NOON, "paid", legs, {"fill": "f1"}) == (
        '2026-11-20 * "paid"\n'
        '  time: "2026-11-20T12:00:00.000000Z"\n'
        '  fill: "f1"\n'
        "  Assets:A  1 USD\n"
        "  Income:B  -1 USD\n\n"
    )


def test_an_account_opens_with_its_booking() -> None:
    assert opened(NOON, "Assets:A", "STRICT") == '2026-11-20 open Assets:A "STRICT"\n\n'
    assert opened(NOON, "Assets:A") == "2026-11-20 open Assets:A\n\n"


def test_amounts_show_every_digit() -> None:
    assert dollars(-1_500_000_001) == "-1.500000001 USD"
    assert dollars(0) == "0.000000000 USD"
    assert units(-1_000_050, "KX-A") == "-10000.5 KX-A"


def test_a_text_stays_on_its_line() -> None:
    assert quoted('a "b"\n\\c') == '"a \\"b\\" \\\\c"'
