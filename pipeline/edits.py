"""Edits: deals that people make, change and take back by hand."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from ledger import moment
from ledger.facts import Deal, Status
from pipeline.outcome import OURS, Known, Outcome, changed, described, misread, refused
from pipeline.sources import revenue_rows
from pipeline.sources.fields import FieldError
from storage.inbox import Command

NAME = "manual"

FIELDS = (
    *("name", "status", "amount", "currency", "probability", "rate"),
    *revenue_rows.DAYS,
    *revenue_rows.TEXTS,
)
SHOWN = ("id", "source", "updated_at", "amount_usd", "flag")
"""Members of a deal's row that nobody can set; one that was read may be sent back with them."""


def subject(command: Command) -> list[str]:
    """Return the ids of the deals a command names."""
    if command.kind == "deal.create":
        return [_made(command)]
    return [str(command.body["id"])]


def created(command: Command, known: Known) -> Outcome:
    """Make a deal; its id follows from the command, so that a repeated one makes no second."""
    wish, identity = command.body["deal"], _made(command)
    if identity in known.deals:
        return refused(HTTPStatus.CONFLICT, f"deal {identity} is there already")
    try:
        _known_members(wish)
        after = known.version(None, described(wish, NAME, identity))
    except FieldError as error:
        return misread(error)
    deals, entries = changed(known, command.actor, "create", [(None, after)])
    return Outcome(HTTPStatus.CREATED, {"deal": known.shown(after)}, deals, entries)


def edited(command: Command, known: Known) -> Outcome:
    """Change the members given and leave the others; null empties one."""
    return _done(command, known, "edit")


def voided(command: Command, known: Known) -> Outcome:
    """Take a deal back: it stays, void, and counts zero."""
    return _done(command, known, "void")


def _done(command: Command, known: Known, action: str) -> Outcome:
    before = known.deals.get(command.body["id"])
    if before is None:
        return refused(HTTPStatus.NOT_FOUND, f"there is no deal {command.body['id']!r}")
    barred = _barred(before, command.body.get("match"), command.body.get("updated_at"))
    if barred is not None:
        return barred
    try:
        wish = _void(before) if action == "void" else _merged(before, command.body["deal"])
        after = replace(described(wish, before.source, before.id), updated_at=before.updated_at)
    except FieldError as error:
        return misread(error)
    if after == before:
        return Outcome(HTTPStatus.OK, {"deal": known.shown(before)})
    after = known.version(before, after)
    deals, entries = changed(known, command.actor, action, [(before, after)])
    return Outcome(HTTPStatus.OK, {"deal": known.shown(after)}, deals, entries)


def _barred(deal: Deal, match: str | None, updated_at: object) -> Outcome | None:
    """Return why this deal may not be changed by this request, None when it may."""
    if deal.source not in OURS:
        remedy = f"deal {deal.id} belongs to {deal.source}: change it there"
        return refused(HTTPStatus.CONFLICT, remedy, owner=deal.source)
    at = moment.text(deal.updated_at)
    late = f"deal {deal.id} was changed at {at} meanwhile: read it again, then decide"
    if match is not None and match not in ("*", at):
        return refused(HTTPStatus.PRECONDITION_FAILED, late, updated_at=at)
    if updated_at is not None and not _same(updated_at, deal.updated_at):
        return refused(HTTPStatus.CONFLICT, late, updated_at=at)
    return None


def _same(given: object, instant: int) -> bool:
    try:
        return moment.parse(str(given)) == instant
    except (moment.MomentError, OverflowError):
        return False


def _void(before: Deal) -> dict[str, Any]:
    return revenue_rows.described_by(before) | {"status": Status.VOID.value}


def _merged(before: Deal, wish: Mapping[str, Any]) -> dict[str, Any]:
    _known_members(wish)
    return revenue_rows.described_by(before) | dict(wish)


def _known_members(wish: Mapping[str, Any]) -> None:
    for name in wish:
        if name not in FIELDS and name not in SHOWN:
            raise FieldError(name, f"is no field of a deal; it has {', '.join(FIELDS)}")


def _made(command: Command) -> str:
    return f"{NAME}-{sha256(f'{command.id}:{command.key}'.encode()).hexdigest()[:12]}"
