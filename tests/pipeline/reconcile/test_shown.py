"""What is printed: every digit in a pipe, in a wide terminal and in a narrow one."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from ledger.difference import Difference, Kind, Unit
from pipeline.reconcile.shown import COLUMNS, show
from storage.reconciliation import Run

LONG = Difference(
    "fill 13deef8c-0b1a-4f6e-9c55-5f0b7d2c7a11 KXHIGHNY-26NOV22-B55.5 subaccount 7",
    "yes 123456.78 at 0.5234 fee 1234.567890123",
    "",
    -80_329_145_641,
    Unit.USD,
    Kind.EXTRA,
)
RUN = Run("kalshi", 1, 812, (LONG, replace(LONG, subject="fees RAIN", kind=Kind.LAG)))
CELLS = ("kalshi", LONG.subject, LONG.ours, "", "-80.329145641", "usd", "extra")


def printed(run: Run, width: int, *, terminal: bool) -> str:
    """Return what is printed on a console of this width."""
    told = io.StringIO()
    show([run], Console(file=told, width=width, force_terminal=terminal, color_system=None))
    return told.getvalue()


@pytest.mark.parametrize("width", [20, 80])
def test_a_pipe_gets_a_header_and_a_line_a_difference(width: int) -> None:
    lines = printed(RUN, width, terminal=False).splitlines()
    assert lines[0].split("\t") == list(COLUMNS)
    assert lines[1].split("\t") == list(CELLS)
    assert lines[2].split("\t")[1::5] == ["fees RAIN", "lag"]
    assert lines[3:] == ["kalshi: 812 checked, 1 difference, 1 lag"]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_terminal_gets_a_table_that_folds_and_cuts_nothing(width: int) -> None:
    shown = printed(replace(RUN, differences=(LONG,)), width, terminal=True)
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= width
    columns = [re.split("[│┃]", row)[1:-1] for row in shown.splitlines() if row[0] in "│┃"]
    told = ["".join(column).replace(" ", "") for column in zip(*columns, strict=True)]
    expected = zip(COLUMNS, CELLS, strict=True)
    assert told == [f"{name}{cell}".replace(" ", "") for name, cell in expected]


def test_a_terminal_too_narrow_for_a_table_gets_the_lines() -> None:
    assert printed(RUN, 40, terminal=True) == printed(RUN, 40, terminal=False)


def test_what_a_source_names_cannot_break_a_line_or_a_column() -> None:
    odd = replace(LONG, subject="deal a\tb\n\x1b[2Jc")
    lines = printed(replace(RUN, differences=(odd,)), 80, terminal=False).splitlines()
    assert lines[1].split("\t")[1] == r"deal a\tb\n\x1b[2Jc"
    assert "\x1b[2J" not in printed(replace(RUN, differences=(odd,)), 200, terminal=True)


def test_where_nothing_differs_there_is_no_header() -> None:
    assert (
        printed(Run("kalshi", 1, 812, ()), 80, terminal=False) == "kalshi: 812 checked, all agree\n"
    )
