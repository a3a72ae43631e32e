"""Deals from a file: every row read exactly, or named with its line, column and remedy."""

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.facts import Deal, Status
from ledger.money import NANO
from pipeline.sources import deals_csv
from pipeline.sources.deals_csv import MOST_BYTES, MOST_ROWS, Sheet, Unreadable, read

HEAD = "id,name,status,amount,currency,closed_date\n"


def deals(text: str) -> list[Deal]:
    """Return a file's deals; it has no problem."""
    sheet = read(text)
    assert sheet.problems == []
    return [line.deal for line in sheet.lines]


def problem(row: str, head: str = HEAD) -> tuple[int, str, str]:
    """Return what is wrong with the one row of a file."""
    (found,) = read(head + row).problems
    return found.line, found.column, found.remedy


def test_a_row_is_a_deal() -> None:
    (deal,) = deals(HEAD + "7,Pilot,recognized,1234.567,USD,2026-11-02\n")
    assert deal == Deal(
        "csv", "7", "Pilot", Status.RECOGNIZED, 1_234_567_000_000, 0, closed_date=date(2026, 11, 2)
    )


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffid,Deal_Name,REVENUE,Status\r\n1,A,-5.5,Pending\r\n",
        "Deal ID;Deal-Name;amount_usd;status\n1;A;-5.5;PENDING",
        "deal_id\tdeal\trevenue\tstatus\n\n1\tA\t-5.50\tpending\n\t\t\t\n",
        "sep=;\r\nid;name;status;amount\r\n1;A;pending;-5.5\r\n",
        'id,name,status,amount\r1,"A",pending,"-5.5"\r',
        " id , name , status , amount , \n 1 , A , pending , -5.5 , \n",
        "'=id,id,name,status,amount\n,1,A,pending,'-5.5\n",
    ],
)
def test_the_ways_of_spreadsheets_are_one_deal(text: str) -> None:
    (deal,) = deals(text)
    assert (deal.id, deal.name, deal.amount, deal.status) == (
        "1",
        "A",
        -5_500_000_000,
        Status.PENDING,
    )


def test_lines_are_counted_through_quoted_line_breaks() -> None:
    sheet = read(HEAD + '1,"A\r\nB",pending,1,USD,\n\n2,C,pending,x,USD,\n')
    assert [(line.number, line.deal.name) for line in sheet.lines] == [(2, "A\r\nB")]
    assert [found.line for found in sheet.problems] == [5]
    assert sheet.rows == 2


def test_the_line_of_the_separator_counts_too() -> None:
    assert problem("1;A;won;1\n", "sep=;\nid;name;status;amount\n")[0] == 3


@pytest.mark.parametrize(
    ("amount", "remedy"),
    [
        ('"1,000"', "thousands"),
        ('"1,000.50"', "thousands"),
        ("1.000.000", "thousands"),
        ("1 000.50", "thousands"),
        ("1'000", "thousands"),
        ('"1234,50"', "a plain decimal with a point"),
        ("$5", "a plain decimal"),
        ("(500.00)", "as -1234.50"),
        ("1.5E+05", "loses digits"),
        ("1_000", "a plain decimal"),
        ("١٢", "a plain decimal"),
        ("nan", "a plain decimal"),
        ("", "missing"),
        ("0.0000000001", "finer"),
        ("99999999999", "does not fit"),
    ],
)
def test_an_amount_that_may_mean_something_else_is_refused(amount: str, remedy: str) -> None:
    line, column, words = problem(f"1,A,pending,{amount},USD,\n")
    assert (line, column) == (2, "amount")
    assert words.startswith("amount ")
    assert remedy in words


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (",,pending,1,,", "name"),
        ("1,A,won,1,,", "status"),
        ("1,A,pending,1,EURO,", "currency"),
        ("1,A,pending,1,,2026-13-01", "closed_date"),
        ("1,A,pending,1,,01.02.2026", "closed_date"),
        ("1,A,pending,1,", "row"),
        ("1,A,pending,1,,,x", "row"),
    ],
)
def test_what_is_wrong_is_named_by_its_column(row: str, column: str) -> None:
    assert problem(row)[1] == column


def test_a_column_is_named_as_the_file_calls_it() -> None:
    assert problem("A,x,pending\n", "Deal Name,Revenue,status\n")[1] == "Revenue"


def test_a_row_without_id_is_named_by_what_it_says() -> None:
    text = "name,status,amount,closed_date,currency\nA,{},{},2026-11-02,\n"
    (one,) = deals(text.format("pending", "5"))
    assert one.id.startswith("csv-")
    assert deals(text.format("recognized", "5.00"))[0].id == one.id
    assert deals(text.format("pending", "6"))[0].id != one.id


def test_the_same_row_twice_is_a_question_to_its_author() -> None:
    sheet = read("name,status,amount\nA,pending,5\nA,recognized,5.0\n")
    assert len(sheet.lines) == 1
    (found,) = sheet.problems
    assert (found.line, found.column) == (3, "id")
    assert "line 2" in found.remedy


def test_the_same_id_twice_is_one_too_many() -> None:
    assert "line 2" in read(HEAD + "1,A,pending,1,,\n1,B,pending,2,,\n").problems[0].remedy


@pytest.mark.parametrize("source", ["revenue", "HubSpot"])
def test_a_deal_of_another_source_is_not_taken_from_a_file(source: str) -> None:
    head = "id,source,name,status,amount\n"
    assert problem(f"1,{source},A,pending,1\n", head)[1] == "source"
    assert deals(f"{head}1,manual,A,pending,1\n2,,B,pending,1\n")[0].source == "csv"


def test_dollars_are_not_another_currency() -> None:
    head = "id,name,status,amount_usd,currency\n"
    assert problem("1,A,pending,1,EUR\n", head)[1] == "currency"
    assert deals(f"{head}1,A,pending,1,USD\n")[0].amount == NANO


def test_a_file_of_our_own_is_read_back() -> None:
    head = "id,name,status,amount,currency,amount_usd,probability,rate,flag,updated_at,notes\n"
    stamp = "2026-11-02T00:00:00.000001Z"
    sheet = read(f"{head}1,'=A,pipeline,5,EUR,5.5,0.25,1.1,x,{stamp},'-b\n")
    assert set(sheet.ignored) == {"amount_usd", "flag"}
    (line,) = sheet.lines
    assert (line.deal.name, line.deal.notes, line.deal.probability) == ("=A", "-b", Decimal("0.25"))
    assert (line.deal.rate, line.deal.amount) == (Decimal("1.1"), 5 * NANO)
    assert line.exported == 1_793_577_600_000_001


def test_a_column_nobody_knows_is_said() -> None:
    assert list(read("id,name,status,amount,Colour\n").ignored) == ["Colour"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("id,name\n1,A\n", "status, amount"),
        ("id,name,status,amount,revenue\n", "both are the amount"),
        ("<html></html>", "names no column"),
        ('id,name,status,amount\n1,"A,pending,1\n', "quotation mark"),
        ('id,name,status,amount\n1,"A"x,pending,1\n', "quotation mark"),
        ("id,name,status,amount\n" + "x" * MOST_BYTES, "larger than 1,000,000 bytes"),
        ("id,name,status,amount\n" + "a,b,c,d\n" * (MOST_ROWS + 1), "more than 10,000 rows"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(text: str, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        read(text)


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(str.strip)
ROWS = st.lists(
    st.tuples(
        NAMES,
        st.sampled_from(["pending", "pipeline", "lost", "void"]),
        st.decimals(-(10**6), 10**6, places=9),
    ),
    unique_by=lambda row: row[0].strip(),
    max_size=8,
)


def written(rows: list[tuple[str, str, Decimal]], delimiter: str) -> str:
    """Return rows as a spreadsheet writes them."""
    page = io.StringIO(newline="")
    writer = csv.writer(page, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(["name", "status", "amount"])
    writer.writerows((name, status, format(amount, "f")) for name, status, amount in rows)
    return page.getvalue()


@given(ROWS, st.sampled_from(",;\t"))
def test_whatever_a_spreadsheet_wrote_is_read_exactly(
    rows: list[tuple[str, str, Decimal]], delimiter: str
) -> None:
    sheet = read(written(rows, delimiter))
    assert sheet.problems == []
    assert [line.deal.amount for line in sheet.lines] == [int(row[2] * NANO) for row in rows]
    assert [line.deal.id for line in sheet.lines] == ids(read(written(rows, ",")))


def ids(sheet: Sheet) -> list[str]:
    return [line.deal.id for line in sheet.lines]


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    """Every row is a deal or a problem."""
    try:
        sheet = deals_csv.read(f"name,status,amount\n{text}")
    except Unreadable:
        return
    assert len(sheet.lines) + len(sheet.problems) == sheet.rows
