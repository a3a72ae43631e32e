"""What the command prints: a table where there is room for one, else a line a difference."""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from ledger.difference import Kind
from storage.reconciliation import Run

COLUMNS = ("source", "subject", "ours", "theirs", "difference", "unit", "kind")

ROOM = 60
"""Columns of a terminal below which a table would be one of single letters."""


def show(runs: Sequence[Run], console: Console) -> None:
    """Print every difference whole, then what each run comes to.

    A file or a pipe gets a header and a line a difference, its cells parted by tabs.
    """
    rows = list(_rows(runs))
    if rows and console.is_terminal and console.width >= ROOM:
        console.print(_table(rows))
    elif rows:
        for row in (COLUMNS, *rows):
            line("\t".join(row), console)
    for run in runs:
        line(_sentence(run), console)


def line(text: str, console: Console) -> None:
    """Print a line as it is: neither wrapped nor cut, its tabs kept, whatever the width."""
    console.file.write(f"{text}\n")


def _rows(runs: Iterable[Run]) -> Iterator[tuple[str, ...]]:
    for run in runs:
        for each in run.differences:
            cells = (run.source, each.subject, each.ours, each.theirs, each.difference)
            yield tuple(map(_printable, (*cells, each.unit.value, each.kind.value)))


def _printable(cell: str) -> str:
    """Return a cell without what would move the cursor or end the line or the column."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in cell
    )


def _table(rows: Iterable[Sequence[str]]) -> Table:
    table = Table(*(Column(name, overflow="fold") for name in COLUMNS))
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _sentence(run: Run) -> str:
    """Return what a run comes to, as `kalshi: 812 checked, 2 differences, 1 lag`."""
    count = len(run.open)
    lag = sum(each.kind is Kind.LAG for each in run.differences)
    parts = [
        f"{run.checked:,} checked",
        "all agree" if not count else f"{count} difference" + "s" * (count > 1),
        f"{lag} lag" if lag else "",
        run.detail,
    ]
    return f"{run.source}: " + ", ".join(part for part in parts if part)
