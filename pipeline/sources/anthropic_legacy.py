"""Anthropic's legacy cost report: daily, by workspace and description."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, ClassVar

from ledger import moment
from ledger.facts import Cost
from pipeline.sources import anthropic_rows
from pipeline.sources.anthropic_organization import Organization, query_text
from pipeline.sources.anthropic_report import (
    NAME,
    YEAR,
    Ask,
    Deadlines,
    Harvest,
    Told,
    grouped,
    pages,
    whole,
)
from pipeline.sources.client import Answer, Broken, Declined, Params
from pipeline.sources.fields import FieldError, Fields, collect, reject
from storage.facts import Reject

PATH = "/v1/organizations/cost_report"
GROUP = ("workspace_id", "description")
"""All it takes; the description opens model, cost type, token type, tier, window and geography."""

LEAST = 4 * moment.DAY
"""A narrower window may hold no complete day, which the report answers with 400."""
WIDER = LEAST + 3 * moment.DAY
"""Where the report sets the end itself, days it has not closed yet fall away."""


class Legacy:
    """The report by the day; its running day may be there or not, and is never booked as 0."""

    mode: ClassVar[str] = anthropic_rows.LEGACY
    grouping: ClassVar[str] = ",".join(GROUP)
    step: ClassVar[int] = 31 * moment.DAY
    stride: ClassVar[int] = 31 * moment.DAY

    def __init__(self, organization: Organization) -> None:
        """Ask in the name of `organization`."""
        self._organization = organization

    def first(self, now: int) -> int:
        """Return the oldest start: a year back."""
        return moment.floor(now, moment.DAY) - YEAR

    def tail(self, now: int) -> int:
        """Return the start of the day three days back."""
        return moment.floor(now, moment.DAY) - 3 * moment.DAY

    def newest(self, now: int) -> int:
        """Return the start of the day 30 days back: with today as many as one answer holds."""
        return moment.floor(now, moment.DAY) - 30 * moment.DAY

    def end(self, now: int) -> int:
        """Return the end of the running day."""
        return moment.floor(now, moment.DAY) + moment.DAY

    def window(self, ask: Ask) -> Told:
        """Return the window's lines; only the days that are over are replaced."""
        ask = replace(ask, start=min(ask.start, ask.end - LEAST))
        try:
            return self._window(ask, ask.end)
        except Declined:
            if ask.end <= ask.now:
                raise
            # Some accounts are refused a day that is not complete: leave the end to the report.
            return self._window(replace(ask, start=min(ask.start, ask.end - WIDER)), None)

    def daily(self, ask: Ask) -> dict[int, int]:
        """Return nano-dollars by UTC day of the ungrouped report; days not over are absent."""
        start = min(ask.start, ask.end - LEAST)
        end = min(ask.end, moment.floor(ask.now, moment.DAY))
        days: dict[int, int] = {}
        for bucket in self._buckets(_asked(start, end), ask.deadline):
            day, _ = _span(bucket)
            read = anthropic_rows.legacy(bucket, ask.now)
            lines = whole(*collect(NAME, "description", _results(bucket), read))
            days[day] = sum(line.amount for line in lines)
        return {day: nano for day, nano in days.items() if ask.start <= day < end}

    def _window(self, ask: Ask, end: int | None) -> Told:
        harvest = Harvest(ask, self.mode, moment.DAY)
        through = ask.start
        for bucket in self._buckets([*_asked(ask.start, end), *grouped(GROUP)], ask.deadline):
            try:
                _, until = anthropic_rows.span(bucket, moment.DAY)
            except FieldError as error:
                harvest.take((), [reject(NAME, "starting_at", bucket.row, error)])
                continue
            over = until <= ask.now
            lines, rejects = self._lines(bucket, ask.now)
            harvest.take([line for line in lines if over or line.amount], rejects)
            through = max(through, until) if over else through
        spoken = through if through > ask.start else None
        return harvest.told(through, spoken, through)

    def _lines(self, bucket: Fields, now: int) -> tuple[list[Cost], list[Reject]]:
        read = anthropic_rows.legacy(bucket, now)
        lines, rejects = collect(NAME, "description", _results(bucket), read)
        return anthropic_rows.together(lines), _dated(rejects, bucket)

    def _buckets(self, wanted: Params, deadline: Deadlines) -> Iterator[Fields]:
        for _, rows in pages(self._reader(wanted, deadline)):
            for row in rows:
                if not isinstance(row, dict):
                    raise Broken("a bucket of the cost report is no object", 200)
                yield Fields(row)

    def _reader(self, wanted: Params, deadline: Deadlines) -> Callable[[str], Answer]:
        def read(cursor: str) -> Answer:
            params = [*wanted, *([("page", cursor)] if cursor else [])]
            return self._organization.get(PATH, params, deadline())

        return read


def _asked(start: int, end: int | None) -> list[tuple[str, str]]:
    until = [] if end is None else [("ending_at", query_text(end))]
    return [("starting_at", query_text(start)), *until, ("bucket_width", "1d"), ("limit", "31")]


def _span(bucket: Fields) -> tuple[int, int]:
    try:
        return anthropic_rows.span(bucket, moment.DAY)
    except FieldError as error:
        raise Broken(f"a bucket of the cost report cannot be read: {error}", 200) from error


def _results(bucket: Fields) -> list[Any]:
    results = bucket.row.get("results")
    if not isinstance(results, list):
        raise Broken("a bucket of the cost report has no list «results»", 200)
    return results


def _dated(rejects: Iterable[Reject], bucket: Fields) -> list[Reject]:
    """Return the refused rows named by their day too: a row says nothing of its bucket."""
    day = bucket.text("starting_at")
    return [replace(row, identity=f"{day} {row.identity}".strip()) for row in rejects]
