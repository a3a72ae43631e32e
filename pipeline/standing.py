"""Standing: how a source of the document is when more than one feed makes it."""

from collections.abc import Mapping

from ledger.snapshot import SourceState

PARTS = {"hubspot": "revenue"}
"""Feeds that are shown as part of another source: deals are deals, whoever keeps them."""

_WORST_FIRST = ("failing", "stale", "starting", "ok", "off")


def composed(states: Mapping[str, SourceState]) -> dict[str, SourceState]:
    """Return the states of the document's sources: of several feeds the worst is shown.

    The status is the worst one's, the age the oldest one's; a feed that is off does not count
    beside one that is not. Details say whose they are.
    """
    shown: dict[str, dict[str, SourceState]] = {}
    for name, state in states.items():
        shown.setdefault(PARTS.get(name, name), {})[name] = state
    return {name: _worst(parts) for name, parts in shown.items()}


def _worst(parts: Mapping[str, SourceState]) -> SourceState:
    used = {name: state for name, state in parts.items() if state.status != "off"}
    if len(used) < 2:  # noqa: PLR2004 (nothing to compose)
        return next(iter((used or parts).values()))
    known = [state.as_of for state in used.values() if state.as_of is not None]
    latencies = [state.latency_ms for state in used.values() if state.latency_ms is not None]
    return SourceState(
        min((state.status for state in used.values()), key=_WORST_FIRST.index),
        min(known) if len(known) == len(used) else None,
        max(latencies, default=None),
        "; ".join(f"{name}: {state.detail}" for name, state in used.items() if state.detail),
    )
