"""Anthropic's legacy cost report: daily, by workspace and description."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, ClassVar

from ledger import moment
from pipeline.sources import anthropic_rows
from pipeline.sources.anthropic_report import NAME, VERSION, YEAR, Deadlines, Harvest, query_text
from pipeline.sources.client import Broken, Client, Declined
from pipeline.sources.fields import FieldError, Fields, collect, reject
from pipeline.sources.paging import Batch, batch, follow
from storage.facts import Page, Reject

PATH = "/v1/organizations/cost_report"

LEAST = 4 * moment.DAY
"""A narrower window may hold no complete day, which the report answers with 400."""


class Legacy:
    """The report by the day; its running day may be there or not, and is never booked as 0."""

    mode: ClassVar[str] = anthropic_rows.LEGACY
    step: ClassVar[int] = 31 * moment.DAY
    stride: ClassVar[int] = 31 * moment.DAY

    def __init__(self, client: Client) -> None:
        """Ask through `client`."""
        self._client = client

    def first(self, now: int) -> int:
        """Return the oldest start: a year back."""
        return moment.floor(now, moment.DAY) - YEAR

    def tail(self, now: int) -> int:
        """Return the start of the day three days back."""
        return moment.floor(now, moment.DAY) - 3 * moment.DAY

    def end(self, now: int) -> int:
        """Return the end of the running day."""
        return moment.floor(now, moment.DAY) + moment.DAY

    def window(self, start: int, end: int, now: int, deadline: Deadlines) -> Page:
        """Return the window's lines; only the days that are over are replaced."""
        start = min(start, end - LEAST)
        try:
            return self._window(start, end, now, deadline)
        except Declined:
            if end <= now:
                raise
            # Some accounts are refused a day that is not complete: leave the end to the report.
            return self._window(start - 3 * moment.DAY, None, now, deadline)

    def _window(self, start: int, end: int | None, now: int, deadline: Deadlines) -> Page:
        harvest = Harvest()
        for bucket in self._buckets(start, end, deadline):
            try:
                _, until = anthropic_rows.span(bucket, moment.DAY)
            except FieldError as error:
                harvest.take((), [reject(NAME, "starting_at", bucket.row, error)])
                continue
            read = anthropic_rows.legacy(bucket, now)
            lines, rejects = collect(NAME, "description", _results(bucket), read)
            over = until <= now
            billed = anthropic_rows.together(lines)
            harvest.take([line for line in billed if over or line.amount], _dated(rejects, bucket))
            harvest.spoken += [until] if over else []
        return harvest.page(self.mode, start, max(harvest.spoken, default=start))

    def _buckets(self, start: int, end: int | None, deadline: Deadlines) -> Iterator[Fields]:
        wanted = [("starting_at", query_text(start))]
        wanted += [] if end is None else [("ending_at", query_text(end))]
        wanted += [("bucket_width", "1d"), ("limit", "31")]
        wanted += [("group_by[]", "workspace_id"), ("group_by[]", "description")]

        def read(cursor: str) -> Batch:
            params = [*wanted, *([("page", cursor)] if cursor else [])]
            answer = self._client.get(PATH, params, deadline=deadline(), headers=VERSION)
            return batch(answer, "data", "next_page")

        for page in follow(read):
            for row in page.rows:
                if not isinstance(row, dict):
                    raise Broken("a bucket of the cost report is no object", 200)
                yield Fields(row)


def _results(bucket: Fields) -> list[Any]:
    results = bucket.row.get("results")
    if not isinstance(results, list):
        raise Broken("a bucket of the cost report has no list «results»", 200)
    return results


def _dated(rejects: Iterable[Reject], bucket: Fields) -> list[Reject]:
    """Return the refused rows named by their day too: a row says nothing of its bucket."""
    day = bucket.text("starting_at")
    return [replace(row, identity=f"{day} {row.identity}".strip()) for row in rejects]
