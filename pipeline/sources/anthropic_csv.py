"""Costs from CSV files: what the Console exports, read again whenever a file changes."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from ledger import moment, money
from ledger.facts import Cost
from pipeline.sources.anthropic_report import NAME
from pipeline.sources.anthropic_rows import INVOICED, named, nothing, together
from pipeline.sources.client import Broken, Missing
from pipeline.sources.fields import FieldError
from storage.facts import Page, Reject, Window

SOURCE = "csv"

DATES = ("usage_date_utc", "date", "usage_date", "day", "starting_at", "hour", "usage_hour_utc")
DOLLARS = ("cost_usd", "amount_usd", "cost (usd)", "cost usd")
CENTS = ("amount_cents", "cost_cents")
GROUPS: Mapping[str, str] = {
    "model": "model",
    "model_version": "model",
    "workspace": "workspace",
    "workspace_name": "workspace",
    "workspace_id": "workspace_id",
    "api_key": "api_key",
    "api_key_name": "api_key",
    "api_key_id": "api_key_id",
    "token_type": "token_type",  # nosec B105  # a column, no password
    "cost_type": "cost_type",
    "usage_type": "usage_type",
    "service_tier": "service_tier",
    "context_window": "context_window",
    "inference_geo": "inference_geo",
    "speed": "speed",
    "description": "description",
    "product": "product",
}
"""Columns that tell lines apart, by what they are called; others are not read."""

LIMIT = 64 * 1024 * 1024
_SHOWN = 4_096

Row = Mapping[str | None, str]
"""A line by its columns; csv keeps cells beyond them under None."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a file says what: the day or hour, the amount and how it is read, the group."""

    date: str
    amount: str
    read: Callable[[money.Number, str], int]
    groups: Mapping[str, str]

    @classmethod
    def of(cls, file: str, names: Iterable[str]) -> "Columns":
        """Return the columns of a header; Broken when the date or the amount is not among them."""
        known = {name.strip().lower(): name for name in names if name}
        date = _first(known, DATES)
        dollars, cents = _first(known, DOLLARS), _first(known, CENTS)
        if not date or not (dollars or cents):
            wanted = " or ".join([*DOLLARS[:2], *CENTS[:1]]) if date else " or ".join(DATES[:2])
            raise Broken(f"{file}: line 1: no column {wanted} among {', '.join(known)}")
        groups = {GROUPS[name]: known[name] for name in reversed(list(GROUPS)) if name in known}
        read = money.nearest_cents if cents and not dollars else _nearest_dollars
        return cls(date, dollars or cents, read, groups)


class CsvCosts:
    """A file, or all *.csv of a folder; a line is the same in every file that holds it.

    Rows of one file that differ in nothing we tell apart are added up; a line that several files
    hold counts once, as in the file changed last. What a file lost counts 0 from then on.
    """

    def __init__(self, path: Path) -> None:
        """Read nothing yet."""
        self._path = path
        self._seen: tuple[tuple[str, int, int], ...] = ()

    def changed(self, cursor: Mapping[str, str]) -> bool:
        """Tell whether a file is another one than at the last page; Missing when there is none."""
        return "csv" not in cursor or self._stamps() != self._seen

    def page(self, cursor: Mapping[str, str], now: int) -> Page | None:
        """Return everything the files hold, None when they hold what the cursor has."""
        self._seen = self._stamps()
        contents = {Path(name): _content(Path(name)) for name, _, _ in self._seen}
        digest = sha256(b"\0".join(contents.values())).hexdigest()
        if digest == cursor.get("csv"):
            return None
        costs: dict[object, Cost] = {}
        rejects: list[Reject] = []
        for path, content in contents.items():
            lines, refused = _read(path.name, content, now)
            costs |= {line.identity: line for line in lines}
            rejects += refused
        return _page(list(costs.values()), rejects, cursor, now, digest)

    def _stamps(self) -> tuple[tuple[str, int, int], ...]:
        """Return each file with its time and size, the one changed last at the end."""
        try:
            folder = self._path.is_dir()
            files = sorted(self._path.glob("*.csv")) if folder else [self._path]
            stats = [(file, file.stat()) for file in files]
        except OSError as error:
            raise Missing(f"{self._path}: {error.strerror}") from error
        if not stats:
            raise Missing(f"{self._path}: there is no .csv file in it")
        aged = sorted(stats, key=lambda pair: (pair[1].st_mtime_ns, pair[0].name))
        return tuple((str(file), stat.st_mtime_ns, stat.st_size) for file, stat in aged)


def _page(
    costs: list[Cost], rejects: list[Reject], cursor: Mapping[str, str], now: int, digest: str
) -> Page:
    """Return the page that replaces every day the files hold or held."""
    ends = [cost.start + cost.width * moment.MICROS for cost in costs]
    first = min((cost.start for cost in costs), default=None)
    last = max(ends, default=None)
    silent = () if rejects else _silent(costs, now)
    held = [int(cursor[name]) for name in ("csv_from", "csv_until") if name in cursor]
    spoken = int(cursor.get("csv_until", "0"))
    known = [instant for instant in (first, last, *held) if instant is not None]
    window = None if rejects or not known else Window(SOURCE, min(known), max(known), spoken)
    reached = {} if last is None else {"data_refreshed_at": str(min(last, now))}
    span = {"csv_from": str(min(known)), "csv_until": str(max(known))} if known else {}
    remembered = {"mode": SOURCE, "csv": digest, **span, **reached}
    return Page(NAME, (*costs, *silent), (), remembered, tuple(rejects), window)


def _silent(costs: list[Cost], now: int) -> Iterator[Cost]:
    """Yield the days between the first and the last that the files say nothing of: they are 0."""
    days = {moment.floor(cost.start, moment.DAY) for cost in costs}
    if days:
        for day in range(min(days), max(days), moment.DAY):
            if day not in days:
                yield nothing(SOURCE, day, moment.DAY, now)


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > LIMIT:
            raise Broken(f"{path.name}: it is larger than {LIMIT} bytes")
        return path.read_bytes()
    except OSError as error:
        raise Missing(f"{path}: {error.strerror}") from error


def _read(file: str, content: bytes, now: int) -> tuple[list[Cost], list[Reject]]:
    """Return a file's lines and the rows it refuses, each by line and column."""
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        columns = Columns.of(file, reader.fieldnames or ())
        numbered = [(reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Broken(f"{file}: it is no CSV in UTF-8 ({error})") from error
    width = moment.HOUR if any(_has_time(row, columns) for _, row in numbered) else moment.DAY
    lines: list[Cost] = []
    rejects: list[Reject] = []
    for number, row in numbered:
        try:
            lines.append(_line(row, columns, width, now))
        except FieldError as error:
            text = ",".join(str(value) for value in row.values())[:_SHOWN]
            rejects.append(Reject(NAME, f"{file}, line {number}", error.field, error.reason, text))
    return together(lines), rejects


def _line(row: Row, columns: Columns, width: int, now: int) -> Cost:
    if None in row:
        raise FieldError("row", "has more cells than the header names columns")
    start = _start(row, columns, width)
    text = (row[columns.amount] or "").strip().removeprefix("$")
    try:
        amount = columns.read(text, columns.amount)
    except money.MoneyError as error:
        raise FieldError(columns.amount, str(error).removeprefix(columns.amount).strip()) from error
    currency = (row.get("currency") or "USD").strip()
    if currency.upper() != "USD":
        raise FieldError("currency", f"is {currency!r}, not USD")
    group = named({name: (row[column] or "").strip() for name, column in columns.groups.items()})
    final = start + width <= now - INVOICED
    return Cost(SOURCE, start, width // moment.MICROS, group, amount, final=final)


def _start(row: Row, columns: Columns, width: int) -> int:
    text = (row[columns.date] or "").strip()
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise FieldError(columns.date, f"must be a date or a UTC time, not {text!r}") from error
    start = moment.of(at if at.tzinfo else at.replace(tzinfo=UTC))
    if start % width:
        raise FieldError(columns.date, f"is no whole hour: {text!r}")
    return start


def _has_time(row: Row, columns: Columns) -> bool:
    text = (row[columns.date] or "").strip()
    return len(text) > len("2026-11-20") and not text[11:].startswith("00:00")


def _first(known: Mapping[str, str], wanted: Iterable[str]) -> str:
    return next((known[name] for name in wanted if name in known), "")


def _nearest_dollars(value: money.Number, what: str) -> int:
    return money.nearest_cents(f"{value}e2" if isinstance(value, str) else value, what)
