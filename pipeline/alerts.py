"""Alerts: what a person should know, each with since when it is so."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ledger import moment
from ledger.snapshot import Alert, SourceState
from storage.facts import Refusals
from storage.text import decode

DOWN_SECONDS = 60.0
"""How long a stream may be down before that is said."""

MOST_FIELDS = 10
"""Fields of refused rows that are named one by one."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is so now: an id that stays the same while it is, and how to say it."""

    id: str
    severity: str
    title: str


class Alerts:
    """The open alerts; one that goes on keeps its beginning, also over a restart."""

    def __init__(self, document: bytes | None) -> None:
        """Take over what was open in the newest stored document, None before the first."""
        self._open = {} if document is None else _stored(document)

    def raised(self, conditions: Iterable[Condition], now: int) -> tuple[Alert, ...]:
        """Return what is open now."""
        self._open = {
            each.id: Alert(each.id, each.severity, each.title, self._since(each.id, now))
            for each in conditions
        }
        return tuple(self._open.values())

    def _since(self, key: str, now: int) -> int:
        known = self._open.get(key)
        return known.since if known else now


def of_sources(states: Mapping[str, SourceState]) -> Iterator[Condition]:
    """Yield sources that fail or whose figures are old."""
    for name, state in states.items():
        if state.status == "failing":
            yield Condition(f"source.{name}", "critical", f"{name}: {state.detail or 'no answer'}")
        elif state.status == "stale":
            yield Condition(f"stale.{name}", "warning", f"{name}: {_age(state.as_of)}")


def of_stream(name: str, down_seconds: float, detail: str) -> Iterator[Condition]:
    """Yield a stream that has been down for longer than a minute."""
    if down_seconds > DOWN_SECONDS:
        yield Condition(f"stream.{name}", "warning", f"{name}: {detail or 'no stream: polling'}")


def of_refusals(refusals: Iterable[Refusals]) -> Iterator[Condition]:
    """Yield each field for which rows were refused, the most frequent first."""
    ordered = sorted(refusals, key=lambda each: (-each.rows, each.source, each.field))
    for each in ordered[:MOST_FIELDS]:
        reason = each.reason if each.same else f"{each.reason}, and other reasons"
        rows = "1 row" if each.rows == 1 else f"{each.rows} rows"
        key = f"quarantine.{each.source}.{each.field}"
        yield Condition(key, "warning", f"{each.source}: {each.field} {reason} ({rows})")
    left = ordered[MOST_FIELDS:]
    if left:
        rows = f"{sum(each.rows for each in left)} rows refused for {len(left)} other fields"
        yield Condition("quarantine.more", "warning", rows)


def of_prices(*, unpriced: bool) -> Iterator[Condition]:
    """Yield that AI cost is a lower bound."""
    if unpriced:
        title = "anthropic: a model has no price yet; the cost shown is a lower bound"
        yield Condition("unpriced", "warning", title)


def of_reconciliation(differences: Mapping[str, int]) -> Iterator[Condition]:
    """Yield each source whose own figures differ from ours."""
    for source, count in differences.items():
        if count:
            noun = "difference" if count == 1 else "differences"
            title = f"{source}: {count} {noun} from its own figures"
            yield Condition(f"reconciliation.{source}", "warning", title)


def _age(as_of: int | None) -> str:
    if as_of is None:
        return "no figures yet"
    return f"no new figures since {moment.text(as_of)[:16]}Z"


def _stored(document: bytes) -> dict[str, Alert]:
    shown = decode(document).get("alerts", ())
    return {
        one["id"]: Alert(one["id"], one["severity"], one["title"], moment.parse(one["since"]))
        for one in shown
    }
