"""What each trailing UTC day came to when it was read last, as the cursor remembers it."""

import json
from collections.abc import Mapping

from ledger import moment
from ledger.facts import Cost
from storage.facts import Page

KEY = "days"
"""The name in the cursor: a JSON object of nano-dollars by ISO date."""

Days = Mapping[int, int]
"""Nano-dollars by the start of a UTC day, µs."""


def remembered(cursor: Mapping[str, str]) -> dict[int, int]:
    """Return what a cursor knows of days; nothing before the first was read."""
    stated = json.loads(cursor.get(KEY) or "{}")
    return {moment.parse(f"{day}T00:00:00Z"): int(nano) for day, nano in stated.items()}


def text(days: Days, since: int) -> str:
    """Return the days from `since` on as the cursor keeps them."""
    kept = {moment.text(day)[:10]: days[day] for day in sorted(days) if day >= since}
    return json.dumps(kept, separators=(",", ":"))


def summed(page: Page, start: int, end: int) -> dict[int, int]:
    """Return what the lines of each day that begins within [start, end) come to."""
    first = -(-start // moment.DAY) * moment.DAY
    days = dict.fromkeys(range(first, end, moment.DAY), 0)
    for line in page.facts:
        if isinstance(line, Cost):
            day = moment.floor(line.start, moment.DAY)
            if day in days:
                days[day] += line.amount
    return days
