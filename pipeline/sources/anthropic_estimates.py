"""Which usage is read when: what is not billed yet, and what a day's bill is spread by."""

from collections.abc import Iterator

from ledger import moment
from ledger.facts import Cost
from pipeline.sources.anthropic_organization import NOT_OURS, Organization
from pipeline.sources.anthropic_prices import PRIORITY, PriceTable
from pipeline.sources.anthropic_progress import Memory, Span
from pipeline.sources.anthropic_report import Ask, Deadlines, Report
from pipeline.sources.anthropic_rows import ANALYTICS
from pipeline.sources.anthropic_usage import AnalyticsUsage, LegacyUsage, UsageReport
from pipeline.sources.client import Missing, Refused
from storage.facts import Page

LONGEST = 31 * moment.DAY
"""The widest window a usage report takes."""


class Estimator:
    """Estimates from the usage report this key may read, by the shipped price table."""

    def __init__(self, organization: Organization, table: PriceTable) -> None:
        """Ask in the name of `organization`, price by `table`."""
        self._reports: dict[str, UsageReport] = {
            ANALYTICS: AnalyticsUsage(organization, table),
            "": LegacyUsage(organization, table),
        }
        self._refused: set[str] = set()
        self._priority = False

    @property
    def note(self) -> str:
        """Return what is not in the estimates, "" mostly."""
        unread = "no usage report may be read: what is not billed yet is not estimated"
        priority = "tokens of the priority tier are paid by commitment and not counted"
        shown = (unread if "" in self._refused else "", priority if self._priority else "")
        return "; ".join(filter(None, shown))

    def again(self) -> None:
        """Try again what this key might not read before."""
        self._refused.clear()

    def newest(self, report: Report, memory: Memory, now: int, deadlines: Deadlines) -> Page | None:
        """Return the estimates of the hours that begin at or after the bill's reach, if any."""
        reached = now if memory.refreshed is None else memory.refreshed
        end = moment.floor(now, moment.HOUR) + moment.HOUR
        start = max(-(-reached // moment.HOUR) * moment.HOUR, end - LONGEST)
        if start >= end:
            return None
        page = self._read(report.mode, Ask(start, end, now, deadlines))
        self._priority = page is not None and any(map(_is_priority, page.facts))
        return page

    def weights(self, span: Span, now: int, deadlines: Deadlines) -> Iterator[Page]:
        """Yield the usage of a window billed by the day: it says in which hours it was spent."""
        start, end = span[0], min(span[1], moment.floor(now, moment.HOUR) + moment.HOUR)
        page = self._read("", Ask(start, end, now, deadlines)) if start < end else None
        if page:
            yield page

    def _read(self, mode: str, ask: Ask) -> Page | None:
        """Return the usage by the report beside the bill, else by the legacy one, else nothing."""
        for name in dict.fromkeys((mode if mode in self._reports else "", "")):
            if name not in self._refused:
                try:
                    return self._reports[name].window(ask)
                except (Refused, Missing) as error:
                    if error.status not in NOT_OURS:
                        raise
                    self._refused.add(name)
        return None


def _is_priority(fact: object) -> bool:
    return isinstance(fact, Cost) and ("service_tier", PRIORITY) in fact.group
