"""An Anthropic source over a test's upstream, and what its pages come to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ledger.facts import Cost
from ledger.moment import DAY, HOUR, floor
from pipeline.sources import anthropic_days
from pipeline.sources.anthropic import Anthropic
from pipeline.sources.anthropic_analytics import Analytics
from pipeline.sources.anthropic_legacy import Legacy
from pipeline.sources.source import Deadline, Held
from storage.facts import Page
from tests.pipeline.sources.anthropic_upstream import (
    LEGACY_USAGE,
    USAGE,
    legacy_usage,
    usage,
)
from tests.pipeline.sources.conftest import NOON, Hands
from tests.pipeline.sources.upstream import Upstream

TODAY = floor(NOON, DAY)
Make = Callable[..., Anthropic]


@contextmanager
def opened(upstream: Upstream, hands: Hands) -> Iterator[Make]:
    """Make sources that read `upstream`, whose usage is empty unless the test says otherwise."""
    made: list[Anthropic] = []
    upstream.on(USAGE, usage(list, NOON))
    upstream.on(LEGACY_USAGE, legacy_usage(list))

    def build(cost_source: str = "auto", **more: Any) -> Anthropic:
        timepiece = hands.timepiece()
        source = Anthropic(
            upstream.url, "key", cost_source=cost_source, timepiece=timepiece, **more
        )
        made.append(source)
        return source

    yield build
    for source in made:
        source.close()


def merged(pages: list[Page]) -> dict[str, str]:
    """Return the cursor after these pages."""
    return {name: value for page in pages for name, value in page.cursor.items()}


def lines(pages: list[Page]) -> list[Cost]:
    """Return every line of the pages."""
    return [fact for page in pages for fact in page.facts if isinstance(fact, Cost)]


def costs(pages: list[Page]) -> list[Cost]:
    """Return the lines of a group: what a bill says itself."""
    return [line for line in lines(pages) if line.group and not line.estimated]


def estimates(pages: list[Page]) -> list[Cost]:
    """Return what usage came to."""
    return [line for line in lines(pages) if line.estimated]


def silent(pages: list[Page]) -> set[int]:
    """Return the starts of the buckets that were read and are empty."""
    empty = [line for line in lines(pages) if not line.group]
    assert {line.amount for line in empty} <= {0}
    return {line.start for line in empty}


def caught_up(mode: str = "analytics", now: int = NOON, **more: str) -> dict[str, str]:
    """Return the cursor of a source that has read everything there was by now."""
    first = floor(now, DAY) - 32 * DAY
    known = {"analytics": Analytics.grouping, "legacy": Legacy.grouping}
    return {
        "mode": mode,
        "complete": "1",
        f"{mode}_through": str(now),
        f"{mode}_group": known[mode],
        "data_refreshed_at": str(now - 4 * HOUR),
        "swept_at": str(now),
        "names_at": str(now),
        "days": anthropic_days.text(dict.fromkeys(range(first, now, DAY), 0), first),
        **more,
    }


def poll(source: Anthropic, cursor: dict[str, str], now: int = NOON) -> list[Page]:
    """Poll once, with time for everything."""
    return list(source.poll(cursor, Held(now=now), Deadline.after(3.0)))
