"""Anthropic's usage reports, hourly, as estimates of what is not billed yet."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from ledger import moment
from ledger.cost import ESTIMATES
from ledger.facts import Cost
from pipeline.sources import anthropic_rows
from pipeline.sources.anthropic_analytics import BETA, spanned
from pipeline.sources.anthropic_organization import Organization, query_text
from pipeline.sources.anthropic_prices import TOKENS, PriceTable, Usage
from pipeline.sources.anthropic_report import NAME, Ask, grouped, pages, refreshed
from pipeline.sources.client import Answer, Broken, Declined
from pipeline.sources.fields import Fields, collect
from storage.facts import Page, Reject, Window

ANALYTICS_PATH = "/v1/organizations/analytics/usage"
LEGACY_PATH = "/v1/organizations/usage_report/messages"
FAST_BETA = "fast-mode-2026-02-01"

ANALYTICS_GROUP = ("model", "workspace_id", "service_tier", "inference_geo", "speed")
"""Five, the most it takes, and all that changes a price but the context window: a tier over 200k
tokens ended with the models of early 2026, fast mode did not."""
LEGACY_GROUP = (
    "model",
    "workspace_id",
    "api_key_id",
    "service_tier",
    "inference_geo",
    "context_window",
)
_SPEED = "speed"

_HOURS_A_PAGE = "168"


class UsageReport(Protocol):
    """One usage report, read as estimates."""

    def window(self, ask: Ask) -> Page:
        """Return the window's estimates as one page that replaces the hours that are over."""
        ...


@dataclass(slots=True)
class Estimates:
    """What the pages of one window brought."""

    facts: list[Cost] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    def take(self, facts: Iterable[Cost], rejects: Sequence[Reject]) -> None:
        """Add the rows of one answer."""
        self.facts += facts
        self.rejects += rejects

    def page(self, ask: Ask, reach: int) -> Page:
        """Return it all; it replaces the hours that were over by `reach`, if all could be read."""
        end = moment.floor(min(ask.end, reach), moment.HOUR)
        replaces = end > ask.start and not self.rejects
        window = Window(ESTIMATES, ask.start, end) if replaces else None
        return Page(NAME, tuple(self.facts), rejects=tuple(self.rejects), window=window)


def estimated(
    table: PriceTable, bucket: Fields, group: Mapping[str, object], counts: Fields
) -> Cost:
    """Return what a row's tokens come to; of a model without a price it is 0 and `unpriced`."""
    start, _ = anthropic_rows.span(bucket, moment.HOUR)
    names = anthropic_rows.named(group)
    known = dict(names)
    usage = Usage(
        start,
        known.get("model", ""),
        _tokens(counts),
        _searches(counts),
        known.get("service_tier", ""),
        known.get("inference_geo", ""),
        known.get("speed", ""),
        known.get("context_window", ""),
    )
    amount = table.amount(usage)
    return Cost(
        ESTIMATES,
        start,
        moment.HOUR // moment.MICROS,
        names,
        amount or 0,
        estimated=True,
        price_table="" if amount is None else table.version,
    )


def _tokens(counts: Fields) -> tuple[int, ...]:
    """Return the counts in the order of a price's rates; those of cache writes are nested."""
    plain = {
        name: counts if "." not in name else anthropic_rows.member(counts, name.split(".")[0])
        for name in TOKENS
    }
    return tuple(fields.whole(name.rpartition(".")[2]) for name, fields in plain.items())


def _searches(counts: Fields) -> int:
    if not counts.has("server_tool_use"):
        return 0
    return anthropic_rows.member(counts, "server_tool_use").whole("web_search_requests", 0)


class AnalyticsUsage:
    """The usage report beside the analytics costs."""

    def __init__(self, organization: Organization, table: PriceTable) -> None:
        """Ask in the name of `organization`, price by `table`."""
        self._organization = organization
        self._table = table

    def window(self, ask: Ask) -> Page:
        """Return the window's estimates as one page that replaces the hours that are over."""
        estimates = Estimates()
        wanted = [*spanned(ask.start, ask.end, moment.HOUR), *grouped(ANALYTICS_GROUP)]
        reach = ask.now

        def read(cursor: str) -> Answer:
            following = [("page", cursor)] if cursor else []
            params = [*wanted, ("limit", "1000"), *following]
            return self._organization.get(ANALYTICS_PATH, params, ask.deadline(), BETA)

        for answer, rows in pages(read):
            estimates.take(*collect(NAME, "starting_at", rows, self._read))
            mark = refreshed(answer)
            reach = reach if mark is None else min(reach, mark)
        return estimates.page(ask, reach)

    def _read(self, row: Fields) -> Cost:
        group, usage = anthropic_rows.member(row, "group"), anthropic_rows.member(row, "usage")
        return estimated(self._table, row, group.row, usage)


class LegacyUsage:
    """The usage report for messages; tells apart fast mode where the account may."""

    def __init__(self, organization: Organization, table: PriceTable) -> None:
        """Ask in the name of `organization`, price by `table`."""
        self._organization = organization
        self._table = table
        self._fast = True

    def window(self, ask: Ask) -> Page:
        """Return the window's estimates as one page that replaces the hours that are over."""
        try:
            return self._window(ask)
        except Declined:
            if not self._fast:
                raise
            self._fast = False
        return self._window(ask)

    def _window(self, ask: Ask) -> Page:
        estimates = Estimates()
        for _, rows in pages(self._reader(ask)):
            for row in rows:
                if not isinstance(row, dict) or not isinstance(row.get("results"), list):
                    raise Broken("a bucket of the usage report has no list «results»", 200)
                bucket = Fields(row)
                read = partial(self._read, bucket)
                lines, rejects = collect(NAME, "starting_at", row["results"], read)
                estimates.take(anthropic_rows.together(lines), rejects)
        return estimates.page(ask, ask.now)

    def _reader(self, ask: Ask) -> Callable[[str], Answer]:
        names = (*LEGACY_GROUP, _SPEED) if self._fast else LEGACY_GROUP
        wanted = [
            ("starting_at", query_text(ask.start)),
            ("ending_at", query_text(ask.end)),
            ("bucket_width", "1h"),
            ("limit", _HOURS_A_PAGE),
            *grouped(names),
        ]
        betas = (FAST_BETA,) if self._fast else ()

        def read(cursor: str) -> Answer:
            params = [*wanted, *([("page", cursor)] if cursor else [])]
            return self._organization.get(LEGACY_PATH, params, ask.deadline(), *betas)

        return read

    def _read(self, bucket: Fields, row: Fields) -> Cost:
        group = {name: row.row.get(name) for name in (*LEGACY_GROUP, _SPEED)}
        return estimated(self._table, bucket, group, row)
