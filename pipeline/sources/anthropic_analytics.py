"""Anthropic's analytics cost report: hourly, by everything a row can be grouped by at once."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from ledger import moment
from pipeline.sources import anthropic_rows
from pipeline.sources.anthropic_organization import Organization, query_text
from pipeline.sources.anthropic_report import (
    NAME,
    YEAR,
    Ask,
    Harvest,
    Told,
    grouped,
    pages,
    refreshed,
    whole,
)
from pipeline.sources.client import Answer, Params
from pipeline.sources.fields import collect
from pipeline.sources.source import Deadline

PATH = "/v1/organizations/analytics/cost"
BETA = "analytics-usage-cost-2026-08-24"
GROUP = ("model", "workspace_id", "api_key_id", "service_tier", "inference_geo")
"""Five, the most it takes; cost_type and token_type are beside them."""
FAN = ("cost_type", "token_type")

FIRST = moment.parse("2026-01-01T00:00:00Z")
"""The report knows nothing older."""

_WIDTHS = {moment.HOUR: "1h", moment.DAY: "1d"}


class Analytics:
    """The report by the hour; hours it has not refreshed yet are not in, rather than zero."""

    mode: ClassVar[str] = anthropic_rows.ANALYTICS
    grouping: ClassVar[str] = ",".join((*GROUP, *FAN))
    step: ClassVar[int] = 7 * moment.DAY
    stride: ClassVar[int] = moment.DAY

    def __init__(self, organization: Organization) -> None:
        """Ask in the name of `organization`."""
        self._organization = organization

    def first(self, now: int) -> int:
        """Return the oldest start: a year back, never before 2026."""
        return max(FIRST, moment.floor(now, moment.DAY) - YEAR)

    def tail(self, now: int) -> int:
        """Return the start of yesterday."""
        return moment.floor(now, moment.DAY) - moment.DAY

    def newest(self, now: int) -> int:
        """Return the start of yesterday: what is older is compared by the day."""
        return self.tail(now)

    def end(self, now: int) -> int:
        """Return the end of the running hour."""
        return moment.floor(now, moment.HOUR) + moment.HOUR

    def probe(self, now: int, deadline: Deadline) -> None:
        """Ask for one row, to learn by the error whether this key may."""
        wanted = [*spanned(self.tail(now), self.end(now), moment.HOUR), ("limit", "1")]
        self._get(wanted, deadline)

    def window(self, ask: Ask) -> Told:
        """Return the window's lines; only the hours refreshed to their end are replaced."""
        harvest = Harvest(ask, self.mode, moment.HOUR)
        reach = ask.now
        read = partial(anthropic_rows.analytics, now=ask.now)
        wanted = [*spanned(ask.start, ask.end, moment.HOUR), *grouped((*GROUP, *FAN))]
        mark: int | None = None
        for answer, rows in self._pages(wanted, ask):
            harvest.take(*collect(NAME, "starting_at", rows, read))
            mark = refreshed(answer)
            reach = reach if mark is None else min(reach, mark)
        through = moment.floor(min(ask.end, reach), moment.HOUR)
        return harvest.told(through, mark, reach)

    def daily(self, ask: Ask) -> dict[int, int]:
        """Return nano-dollars by UTC day from the report's own days; those not over are absent."""
        days, mark = self.totals(ask)
        reach = ask.now if mark is None else min(ask.now, mark)
        over = range(ask.start, min(ask.end, moment.floor(reach, moment.DAY)), moment.DAY)
        return {day: nano for day, nano in days.items() if day in over}

    def totals(self, ask: Ask) -> tuple[dict[int, int], int | None]:
        """Return nano-dollars of every UTC day that begins in the window, and the oldest mark.

        One request for a month: what is told so far, of a day not refreshed to its end too.
        """
        days = dict.fromkeys(range(ask.start, ask.end, moment.DAY), 0)
        read = partial(anthropic_rows.analytics, now=ask.now, width=moment.DAY)
        marks: list[int] = []
        for answer, rows in self._pages(spanned(ask.start, ask.end, moment.DAY), ask):
            for line in whole(*collect(NAME, "starting_at", rows, read)):
                days[line.start] = days.get(line.start, 0) + line.amount
            mark = refreshed(answer)
            marks += [] if mark is None else [mark]
        return days, min(marks, default=None)

    def _pages(self, wanted: Params, ask: Ask) -> Iterator[tuple[Answer, list[object]]]:
        def read(cursor: str) -> Answer:
            following = [("page", cursor)] if cursor else []
            return self._get([*wanted, ("limit", "1000"), *following], ask.deadline())

        yield from pages(read)

    def _get(self, params: Params, deadline: Deadline) -> Answer:
        return self._organization.get(PATH, params, deadline, BETA)


def spanned(start: int, end: int, width: int) -> list[tuple[str, str]]:
    """Return the parameters that ask an analytics report for buckets by time, oldest first."""
    return [
        ("starting_at", query_text(start)),
        ("ending_at", query_text(end)),
        ("time_bucket_width", _WIDTHS[width]),
        ("order_by", "time"),
        ("order", "asc"),
    ]
