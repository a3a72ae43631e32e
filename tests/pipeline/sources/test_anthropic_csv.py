"""Costs from files: the Console's columns, rows refused by line and column, read when changed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.facts import Cost
from ledger.moment import DAY, HOUR, parse
from ledger.money import NANO
from pipeline.sources.anthropic import Anthropic
from pipeline.sources.client import Broken, Missing
from storage.facts import Page, Window
from tests.pipeline.sources.anthropic_account import TODAY, costs, merged, poll, silent
from tests.pipeline.sources.conftest import NOON, Hands

FIRST = parse("2026-11-18T00:00:00Z")
CONSOLE = """\
usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,\
list_price_usd,cost_type,inference_geo,speed,api_key_id,api_key_status
2026-11-18,Claude Sonnet 5,Default,robot,message,≤ 200k,input_no_cache,0.05,0.05,token,,,k1,active
2026-11-18,Claude Sonnet 5,Default,robot,message,≤ 200k,output,1.2378912,2,token,,,k1,active
2026-11-20,Claude Opus 5,Trading,other,message,≤ 200k,output,412.80,412.80,token,us,,k2,archived
"""

Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    times = iter(range(10**9, 2 * 10**9))

    def put(text: str, name: str = "costs.csv") -> None:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        stamp = next(times)
        os.utime(path, (stamp, stamp))

    return put


def opened(hands: Hands, path: Path) -> Anthropic:
    return Anthropic("", "", cost_source="csv", timepiece=hands.timepiece(), csv_path=str(path))


def imported(hands: Hands, path: Path) -> tuple[Page, list[Cost]]:
    (page,) = opened(hands, path).history({})
    return page, costs([page])


def test_an_export_of_the_console_is_read_by_the_day(
    write: Write, tmp_path: Path, hands: Hands
) -> None:
    write(CONSOLE)
    page, lines = imported(hands, tmp_path)
    assert [(line.source, line.start, line.width, line.amount) for line in lines] == [
        ("csv", FIRST, 86_400, 50_000_000),
        ("csv", FIRST, 86_400, 1_237_891_200),
        ("csv", FIRST + 2 * DAY, 86_400, 412_800_000_000),
    ]
    group = dict(lines[0].group)
    assert (group["model"], group["workspace"], group["api_key_id"]) == (
        "Claude Sonnet 5",
        "Default",
        "k1",
    )
    assert not {"api_key_status", "list_price_usd"} & group.keys()
    assert page.window == Window("csv", FIRST, FIRST + 3 * DAY)
    assert silent([page]) == {FIRST + DAY}
    assert page.cursor["complete"] == "1"
    assert page.cursor["data_refreshed_at"] == str(NOON)


def test_the_same_file_again_changes_nothing(write: Write, tmp_path: Path, hands: Hands) -> None:
    write(CONSOLE)
    source = opened(hands, tmp_path / "costs.csv")
    cursor = merged(list(source.history({})))
    assert poll(source, cursor) == []
    write(CONSOLE)
    assert poll(source, cursor) == []
    assert poll(opened(hands, tmp_path / "costs.csv"), cursor) == []


def test_a_changed_file_replaces_every_day_it_held(
    write: Write, tmp_path: Path, hands: Hands
) -> None:
    """The last day goes: the window still covers it, so that it counts zero from then on."""
    write(CONSOLE)
    source = opened(hands, tmp_path)
    cursor = merged(list(source.history({})))
    write("\n".join(CONSOLE.splitlines()[:3]))
    (page,) = poll(source, cursor)
    assert len(costs([page])) == 2
    assert page.window == Window("csv", FIRST, FIRST + 3 * DAY, FIRST + 3 * DAY)


@pytest.mark.parametrize(
    ("header", "value", "nano"),
    [
        ("date,amount_usd", "1.5", 1_500_000_000),
        ("date,cost_cents", "123.78912", 1_237_891_200),
        ("Day, Amount_Cents", "41280.000000", 412_800_000_000),
        ("date,cost_usd", "$2", 2 * NANO),
        ("date,cost_usd", "-0.25", -250_000_000),
    ],
)
def test_dollars_and_cents_are_told_apart_by_their_column(
    write: Write, tmp_path: Path, hands: Hands, header: str, value: str, nano: int
) -> None:
    write(f"﻿{header}\r\n2026-11-18,{value}\r\n")
    (page,) = opened(hands, tmp_path).history({})
    assert [fact.amount for fact in page.facts if isinstance(fact, Cost)] == [nano]


@pytest.mark.parametrize(
    "text", ["", "date,amount\n2026-11-18,5\n", "model,cost_usd\nopus,5\n", "nothing\n"]
)
def test_a_file_without_a_day_or_an_amount_is_no_zero(
    write: Write, tmp_path: Path, hands: Hands, text: str
) -> None:
    write(text)
    with pytest.raises(Broken, match=r"costs.csv: line 1: no column"):
        imported(hands, tmp_path)


def test_a_row_that_cannot_be_read_is_refused_by_line_and_column(
    write: Write, tmp_path: Path, hands: Hands
) -> None:
    write(
        "date,model,cost_usd,currency\n"
        "2026-11-18,opus,1,USD\n"
        "yesterday,opus,1,USD\n"
        '2026-11-18,"opus\nold",much,USD\n'
        "2026-11-18,opus,2,EUR\n"
        "2026-11-18,haiku,3,USD,more\n"
        "2026-11-20,haiku,4,\n"
    )
    page, lines = imported(hands, tmp_path)
    assert [line.amount for line in lines] == [NANO, 4 * NANO]
    assert [(reject.identity, reject.field) for reject in page.rejects] == [
        ("costs.csv, line 3", "date"),
        ("costs.csv, line 5", "cost_usd"),
        ("costs.csv, line 6", "currency"),
        ("costs.csv, line 7", "row"),
    ]
    assert page.window is None
    assert silent([page]) == set()


def test_a_time_makes_hours(write: Write, tmp_path: Path, hands: Hands) -> None:
    write(
        "starting_at,model,cost_usd\n"
        "2026-11-18T00:00:00Z,opus,1\n"
        "2026-11-18T13:00:00Z,opus,2\n"
        "2026-11-18 14:00,opus,3\n"
        "2026-11-18T15:30:00Z,opus,4\n"
        "2026-11-18T10:00:00-06:00,opus,5\n"
    )
    page, lines = imported(hands, tmp_path)
    assert {(line.width, (line.start - FIRST) // HOUR, line.amount // NANO) for line in lines} == {
        (3_600, 0, 1),
        (3_600, 13, 2),
        (3_600, 14, 3),
        (3_600, 16, 5),
    }
    assert [reject.reason for reject in page.rejects] == [
        "is no whole hour: '2026-11-18T15:30:00Z'"
    ]


def test_midnights_alone_are_days(write: Write, tmp_path: Path, hands: Hands) -> None:
    write("starting_at,model,cost_usd\n2026-11-18T00:00:00Z,opus,1\n")
    assert [line.width for line in imported(hands, tmp_path)[1]] == [86_400]


def test_rows_of_one_file_that_are_alike_are_each_billed(
    write: Write, tmp_path: Path, hands: Hands
) -> None:
    write("date,model,cost_usd\n2026-11-18,opus,1\n2026-11-18,opus,2\n")
    assert [line.amount for line in imported(hands, tmp_path)[1]] == [3 * NANO]


def test_a_line_that_two_files_hold_counts_as_in_the_newer_one(
    write: Write, tmp_path: Path, hands: Hands
) -> None:
    write("date,model,cost_usd\n2026-11-18,opus,1\n2026-11-19,opus,1\n", "z.csv")
    write("date,model,cost_usd\n2026-11-19,opus,5\n2026-11-19,haiku,7\n", "a.csv")
    lines = imported(hands, tmp_path)[1]
    assert sorted(line.amount // NANO for line in lines) == [1, 5, 7]


def test_files_that_are_gone_leave_the_facts_alone(
    write: Write, tmp_path: Path, hands: Hands
) -> None:
    write(CONSOLE)
    source = opened(hands, tmp_path / "costs.csv")
    cursor = merged(list(source.history({})))
    (tmp_path / "costs.csv").unlink()
    with pytest.raises(Missing, match=r"costs\.csv"):
        poll(source, cursor)
    with pytest.raises(Missing, match=r"no \.csv file"):
        imported(hands, tmp_path)


def test_a_file_of_bytes_is_no_csv(tmp_path: Path, hands: Hands) -> None:
    (tmp_path / "costs.csv").write_bytes(b"date,cost_usd\n2026-11-18,\xff\n")
    with pytest.raises(Broken, match="no CSV in UTF-8"):
        imported(hands, tmp_path)


def test_a_header_alone_holds_nothing(write: Write, tmp_path: Path, hands: Hands) -> None:
    write("date,cost_usd\n")
    page, lines = imported(hands, tmp_path)
    assert (lines, page.window, page.rejects) == ([], None, ())
    held = {"csv": "x", "csv_from": str(FIRST), "csv_until": str(TODAY)}
    (emptied,) = poll(opened(hands, tmp_path), held)
    assert emptied.window == Window("csv", FIRST, TODAY, TODAY)
