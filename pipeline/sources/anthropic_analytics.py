"""Anthropic's analytics cost report: hourly, by model, workspace, cost type and token type."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from ledger import moment
from pipeline.sources import anthropic_rows
from pipeline.sources.anthropic_report import NAME, VERSION, YEAR, Deadlines, Harvest, query_text
from pipeline.sources.client import Answer, Broken, Client, Params
from pipeline.sources.fields import FieldError, Fields, collect
from pipeline.sources.paging import Batch, batch, follow
from pipeline.sources.source import Deadline
from storage.facts import Page

PATH = "/v1/organizations/analytics/cost"
HEADERS = {**VERSION, "anthropic-beta": "analytics-usage-cost-2026-08-24"}
GROUP = ("model", "workspace_id", "cost_type", "token_type")

FIRST = moment.parse("2026-01-01T00:00:00Z")
"""The report knows nothing older."""


class Analytics:
    """The report by the hour; hours it has not refreshed yet are not in, rather than zero."""

    mode: ClassVar[str] = anthropic_rows.ANALYTICS
    step: ClassVar[int] = 7 * moment.DAY
    stride: ClassVar[int] = moment.DAY

    def __init__(self, client: Client) -> None:
        """Ask through `client`."""
        self._client = client

    def first(self, now: int) -> int:
        """Return the oldest start: a year back, never before 2026."""
        return max(FIRST, moment.floor(now, moment.DAY) - YEAR)

    def tail(self, now: int) -> int:
        """Return the start of yesterday."""
        return moment.floor(now, moment.DAY) - moment.DAY

    def end(self, now: int) -> int:
        """Return the end of the running hour."""
        return moment.floor(now, moment.HOUR) + moment.HOUR

    def probe(self, now: int, deadline: Deadline) -> None:
        """Ask for one row, to learn by the error whether this key may."""
        self._get([*_wanted(self.tail(now), self.end(now)), ("limit", "1")], deadline)

    def window(self, start: int, end: int, now: int, deadline: Deadlines) -> Page:
        """Return the window's lines; only the hours refreshed to their end are replaced."""
        harvest = Harvest()
        for answer, page in self._pages(start, end, deadline):
            read = partial(anthropic_rows.analytics, now=now)
            harvest.take(*collect(NAME, "starting_at", page.rows, read))
            harvest.spoken += _refreshed(answer)
        through = min(end, max(harvest.spoken, default=now))
        return harvest.page(self.mode, start, moment.floor(through, moment.HOUR))

    def _pages(self, start: int, end: int, deadline: Deadlines) -> Iterator[tuple[Answer, Batch]]:
        answers: list[Answer] = []

        def read(cursor: str) -> Batch:
            following = [("page", cursor)] if cursor else []
            params = [*_wanted(start, end), ("limit", "1000"), *following]
            answers.append(self._get(params, deadline()))
            return batch(answers[-1], "data", "next_page")

        for page in follow(read):
            yield answers.pop(), page

    def _get(self, params: Params, deadline: Deadline) -> Answer:
        return self._client.get(PATH, params, deadline=deadline, headers=HEADERS)


def _wanted(start: int, end: int) -> list[tuple[str, str]]:
    return [
        ("starting_at", query_text(start)),
        ("ending_at", query_text(end)),
        ("time_bucket_width", "1h"),
        *(("group_by[]", name) for name in GROUP),
        ("order_by", "time"),
        ("order", "asc"),
    ]


def _refreshed(answer: Answer) -> list[int]:
    stated = Fields(answer.body)
    try:
        return [stated.instant("data_refreshed_at")] if stated.has("data_refreshed_at") else []
    except FieldError as error:
        raise Broken(f"the answer cannot be used: {error}", 200) from error
