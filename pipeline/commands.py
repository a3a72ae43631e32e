"""Commands: what people ask for becomes facts at once, answered through the inbox."""

from collections.abc import Iterable
from http import HTTPStatus

import structlog

from ledger.moment import DAY, HOUR, Clock, system
from pipeline import edits, imports
from pipeline.outcome import Known, Outcome, refused
from pipeline.reconcile import handover
from pipeline.sources.deals_csv import Unreadable
from storage import audit
from storage.facts import Facts, Page, Recorded
from storage.inbox import Command, Inbox

KEPT = 7 * DAY
"""How long an answered command, and so its Idempotency-Key, is remembered."""

_EDITS = {
    "deal.create": edits.created,
    "deal.edit": edits.edited,
    "deal.void": edits.voided,
}

log = structlog.get_logger()


class Commands:
    """The worker's side of the inbox.

    A command's facts, its line in the audit and its answer are one transaction: a crash before
    it leaves the command waiting, a crash after it leaves it answered.
    """

    def __init__(self, facts: Facts, inbox: Inbox, clock: Clock = system) -> None:
        """Do nothing yet; `run` is called while nobody else records."""
        self._facts = facts
        self._inbox = inbox
        self._clock = clock
        self._arrived: list[Recorded] = []
        self._tidied = 0

    def run(self) -> bool:
        """Obey every command that waits; return whether there was one."""
        waiting = self._inbox.waiting()
        for command in waiting:
            self._arrived.append(self._obey(command))
        self._tidy()
        return bool(waiting)

    def drain(self) -> list[Recorded]:
        """Return what was recorded since the last call."""
        arrived, self._arrived = self._arrived, []
        return arrived

    def _obey(self, command: Command) -> Recorded:
        outcome = self._outcome(command)
        log.info("command", id=command.id, kind=command.kind, status=int(outcome.status))
        return self._facts.record(
            Page(edits.NAME, outcome.deals),
            self._inbox.answered(command, int(outcome.status), outcome.body),
            audit.noted(outcome.entries),
            *outcome.also,
        )

    def _outcome(self, command: Command) -> Outcome:
        try:
            return self._worked_out(command)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            # Asked again it would fail again, and every command behind it would wait for ever.
            log.exception("command failed", id=command.id, kind=command.kind)
            return refused(HTTPStatus.INTERNAL_SERVER_ERROR, "the worker's log has the reason")

    def _worked_out(self, command: Command) -> Outcome:
        if command.kind in _EDITS:
            return _EDITS[command.kind](command, self._known(edits.subject(command)))
        if command.kind == handover.KIND:
            return handover.taken(command)
        if command.kind != "deal.import":
            return refused(HTTPStatus.BAD_REQUEST, f"{command.kind} is no command of this version")
        try:
            sheet = imports.sheet(command)
        except Unreadable as error:
            return imports.unreadable(error)
        return imports.imported(command, sheet, self._known(one.deal.id for one in sheet.lines))

    def _known(self, ids: Iterable[str]) -> Known:
        return Known.of(self._facts.deals_named(ids), self._facts.rates(), self._clock())

    def _tidy(self) -> None:
        now = self._clock()
        if now - self._tidied > HOUR:
            self._tidied = now
            self._inbox.prune(now - KEPT)
