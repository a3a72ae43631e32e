"""Deals from a CSV file that a person saved: every row read or named with its remedy."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from ledger.facts import Deal
from ledger.money import plain
from pipeline.sources import revenue_rows
from pipeline.sources.fields import FieldError, Fields

NAME = "csv"
MOST_BYTES = 1_000_000
MOST_ROWS = 10_000
EDITABLE = ("", "csv", "manual")
"""What a `source` column may say; any other source keeps its deals itself."""

FIELDS = (
    "id", "name", "status", "amount", "currency", "probability", "rate", "source", "updated_at",
    *revenue_rows.DAYS, *revenue_rows.TEXTS,
)  # fmt: skip
REQUIRED = ("name", "status", "amount")
ALIASES = {
    "deal_id": "id",
    "deal": "name",
    "deal_name": "name",
    "revenue": "amount",
    "amount_usd": "amount",
    "close_date": "closed_date",
    "date_closed": "closed_date",
    "recognized_date": "recognized_at",
    "revenue_recognized_date": "recognized_at",
}
_DERIVED = frozenset({"amount_usd", "flag"})
"""Columns of our own export that only repeat what others say."""

_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}([ ,.'\u2019\u00a0\u202f]\d{3})+([.,]\d+)?", re.ASCII)
_SCIENTIFIC = re.compile(r"[+-]?\d+([.,]\d+)?[eE][+-]?\d+", re.ASCII)
_GUARDED = re.compile(r"^'(?=[=+\-@\t\r])")


class Unreadable(ValueError):
    """The file as a whole cannot be read; `line` is where, 0 for everywhere."""

    def __init__(self, sentence: str, line: int = 0) -> None:
        """Say what is wrong and what to do."""
        super().__init__(sentence)
        self.line = line


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row is refused: its line, the column as the file calls it, and the remedy."""

    line: int
    column: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row read: where it stands, the deal, and when the file says it was last changed (µs).

    What the file has no column for may be known otherwise, so `revenue_rows.check` comes later.
    """

    number: int
    deal: Deal
    exported: int | None


@dataclass(slots=True)
class Sheet:
    """A file read: its rows, what is wrong with others, and how its columns were understood."""

    delimiter: str
    columns: Mapping[str, str]
    ignored: Sequence[str]
    lines: list[Line] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    rows: int = 0


def read(text: str) -> Sheet:
    """Return the rows of a file; each is a deal or a problem, none is dropped in silence.

    A row without id is named by its name, closed date, amount and currency. A second row of the
    same id is a problem: only its author can tell whether it is a repetition or another deal.
    """
    if len(text.encode()) > MOST_BYTES:
        raise Unreadable(f"the file is larger than {MOST_BYTES:,} bytes; import it in parts")
    delimiter, first, body = _opened(text.removeprefix("\ufeff"))
    rows = _rows(body, delimiter, first)
    _, header = next(rows, (0, []))
    sheet = Sheet(delimiter, *_columns(header))
    names = {header.index(head): name for name, head in sheet.columns.items()}
    dollars = _plain(sheet.columns["amount"]) in _DERIVED
    seen: dict[str, int] = {}
    for number, cells in rows:
        sheet.rows += 1
        if sheet.rows > MOST_ROWS:
            raise Unreadable(f"the file has more than {MOST_ROWS:,} rows; import it in parts")
        try:
            row = _row(cells, len(header), names)
            sheet.lines.append(_line(number, row, seen, dollars=dollars))
        except FieldError as error:
            column = sheet.columns.get(error.field, error.field)
            sheet.problems.append(Problem(number, column, f"{column} {error.reason}"))
    return sheet


def identity(deal: Deal) -> str:
    """Return the id of a deal that has none: the same row gives the same id for ever."""
    closed = str(deal.closed_date or "")
    parts = json.dumps([deal.name, closed, plain(deal.amount), deal.currency])
    return f"csv-{sha256(parts.encode()).hexdigest()[:16]}"


def _opened(text: str) -> tuple[str, int, str]:
    """Return the delimiter, the line the table begins on, and the table."""
    head, _, rest = text.partition("\n")
    if head.strip().lower().startswith("sep=") and len(head.strip()) == len("sep=;"):
        return head.strip()[-1], 2, rest
    outside = re.sub(r'"[^"]*"', "", head)
    return max(",;\t", key=outside.count), 1, text


def _rows(text: str, delimiter: str, first: int) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that is not empty, with the line it begins on."""
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = first
    try:
        for cells in lines:
            if any(cell.strip() for cell in cells):
                yield number, [_GUARDED.sub("", cell.strip()) for cell in cells]
            number = first + lines.line_num
    except csv.Error as error:
        raise Unreadable(f"line {number}: {error}; is a quotation mark open?", number) from error


def _columns(header: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return the file's column for each field, and those nothing is read from."""
    if not header:
        raise Unreadable("the file is empty; its first line names the columns")
    known: dict[str, str] = {}
    ignored: list[str] = []
    for head in sorted(header, key=lambda head: _plain(head) in _DERIVED):
        name = ALIASES.get(_plain(head), _plain(head))
        if name not in FIELDS or (name in known and _plain(head) in _DERIVED):
            ignored.append(head)
        elif name in known:
            raise Unreadable(f"columns «{known[name]}» and «{head}» both are the {name}; keep one")
        else:
            known[name] = head
    missing = [name for name in REQUIRED if name not in known]
    if missing:
        wanted = ", ".join(missing)
        raise Unreadable(f"the first line names no column {wanted}; it names {', '.join(header)}")
    return known, ignored


def _plain(head: str) -> str:
    return re.sub(r"[\s\-]+", "_", head.strip().lower())


def _row(cells: Sequence[str], width: int, names: Mapping[int, str]) -> dict[str, str]:
    extra = [cell for cell in cells[width:] if cell]
    if len(cells) < width or extra:
        raise FieldError("row", f"has {len(cells)} cells, the first line {width}: quote commas")
    row = {name: cells[at] for at, name in names.items() if cells[at]}
    return row | {name: change(row[name]) for name, change in _CASES.items() if name in row}


_CASES = {"status": str.lower, "currency": str.upper}


def _line(number: int, row: dict[str, str], seen: dict[str, int], *, dollars: bool) -> Line:
    if dollars and row.get("currency", "USD") != "USD":
        raise FieldError("currency", "is not USD, but the amounts are: name one of both")
    for name in ("amount", "rate", "probability"):
        if name in row:
            _decimal(name, row[name])
    if row.get("source", "").lower() not in EDITABLE:
        raise FieldError("source", f"is {row['source']}: change the deal there, not in a file")
    fields = Fields(row)
    exported = fields.instant("updated_at") if "updated_at" in row else None
    read = revenue_rows.parsed(fields, NAME, row.get("id", ""), 0)
    named = row.get("id") or identity(read)
    if named in seen:
        raise FieldError("id", _repeated(row, seen[named]))
    seen[named] = number
    return Line(number, replace(read, id=named), exported)


def _repeated(row: Mapping[str, str], line: int) -> str:
    if "id" in row:
        return f"{row['id']!r} stands on line {line} already; each deal stands once"
    return f"is missing, and line {line} is the same deal: leave one out, or give both an id"


def _decimal(name: str, text: str) -> None:
    """Refuse what a spreadsheet may have rounded or grouped; FieldError says how to write it."""
    if _DECIMAL.fullmatch(text):
        return
    if _SCIENTIFIC.fullmatch(text):
        reason = f"is in scientific notation, which loses digits: {text!r}; format it as a number"
    elif _GROUPED.fullmatch(text):
        reason = f"must have no thousands separators, as 1234.50, not {text!r}"
    else:
        reason = f"must be a plain decimal with a point, as -1234.50, not {text!r}"
    raise FieldError(name, reason)
