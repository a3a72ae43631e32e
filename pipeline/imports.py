"""Imports: a file of deals compared with what is known, shown first, then taken."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from ledger import moment
from ledger.facts import Deal
from ledger.revenue import rated
from pipeline.outcome import OURS, Known, Outcome, changed, refused
from pipeline.sources import deals_csv, revenue_rows
from pipeline.sources.deals_csv import Line, Problem, Sheet, Unreadable
from pipeline.sources.fields import FieldError
from storage.inbox import Command

SHOWN = 20
"""Rows of the file that a preview shows."""

TOLD = 100
"""Problems that an answer lists; their number it always says."""

_OPTIONAL = ("currency", "probability", "rate", *revenue_rows.DAYS, *revenue_rows.TEXTS)


@dataclass(frozen=True, slots=True)
class Step:
    """What one row of the file does: `action` is new, changed or unchanged."""

    line: int
    action: str
    before: Deal | None
    after: Deal


def sheet(command: Command) -> Sheet:
    """Return the file of a command; Unreadable when it is none."""
    return deals_csv.read(command.body["text"])


def imported(command: Command, read: Sheet, known: Known) -> Outcome:
    """Take the file's deals: all or none, or with `partial` the good rows; `dry_run` none."""
    problems, steps = list(read.problems), list[Step]()
    for line in read.lines:
        try:
            steps.append(_step(line, read, known))
        except FieldError as error:
            column = read.columns.get(error.field, error.field)
            problems.append(Problem(line.number, column, f"{column} {error.reason}"))
    dry, partial = bool(command.body["dry_run"]), bool(command.body["partial"])
    body = _told(read, sorted(problems, key=lambda one: one.line), steps, known)
    if dry:
        return Outcome(HTTPStatus.OK, body | {"dry_run": True})
    if problems and not partial:
        detail = f"{len(problems)} of {read.rows} rows cannot be read, so none was imported"
        return refused(HTTPStatus.BAD_REQUEST, detail, field="file", **body)
    pairs = ((step.before, step.after) for step in steps if step.action != "unchanged")
    deals, entries = changed(known, command.actor, "import", pairs)
    return Outcome(HTTPStatus.OK, body | {"applied": True}, deals, entries)


def unreadable(error: Unreadable) -> Outcome:
    """Return the refusal of a file as a whole."""
    errors = [{"line": error.line, "column": "", "remedy": str(error)}] if error.line else []
    return refused(HTTPStatus.BAD_REQUEST, str(error), field="file", errors=errors)


def _step(line: Line, read: Sheet, known: Known) -> Step:
    before = known.deals.get(line.deal.id)
    if before is not None and before.source not in OURS:
        raise FieldError("id", f"{before.id!r} is a deal of {before.source}: change it there")
    if before is None:
        revenue_rows.check(line.deal)
        return Step(line.number, "new", None, known.version(None, line.deal))
    if line.exported is not None and line.exported < before.updated_at:
        at = moment.text(before.updated_at)
        raise FieldError("updated_at", f"is older than {at}: the deal was changed since; export it")
    after = _merged(before, line.deal, read)
    revenue_rows.check(after)
    if after == before:
        return Step(line.number, "unchanged", before, before)
    return Step(line.number, "changed", before, known.version(before, after))


def _merged(before: Deal, given: Deal, read: Sheet) -> Deal:
    """Return what the file says of a deal; what it has no column for stays."""
    absent: dict[str, Any] = {
        name: getattr(before, name) for name in _OPTIONAL if name not in read.columns
    }
    same: dict[str, Any] = {"source": before.source, "updated_at": before.updated_at}
    return rated(replace(given, **absent, **same), before, {}, 0)


def _told(read: Sheet, problems: list[Problem], steps: list[Step], known: Known) -> dict[str, Any]:
    errors = [{"line": p.line, "column": p.column, "remedy": p.remedy} for p in problems[:TOLD]]
    return {
        "dry_run": False,
        "applied": False,
        "rows": read.rows,
        **_counts(steps),
        "refused": len(problems),
        "delimiter": read.delimiter,
        "columns": dict(read.columns),
        "ignored": list(read.ignored),
        "errors": errors,
        "preview": list(_preview(steps[:SHOWN], known)),
    }


def _counts(steps: list[Step]) -> dict[str, int]:
    actions = [step.action for step in steps]
    return {action: actions.count(action) for action in ("new", "changed", "unchanged")}


def _preview(steps: list[Step], known: Known) -> Iterator[dict[str, Any]]:
    for step in steps:
        yield {"line": step.line, "action": step.action, "deal": known.shown(step.after)}
