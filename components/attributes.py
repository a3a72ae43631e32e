"""Attributes of elements whose names Python cannot spell: data-* and aria-*."""

from typing import Any

Attributes = dict[str, Any]


def data(**members: str) -> Attributes:
    """Return data attributes: `data(status_of="x")` is data-status-of="x"."""
    return _prefixed("data", members)


def aria(**members: str) -> Attributes:
    """Return ARIA attributes: `aria(label="x")` is aria-label="x"."""
    return _prefixed("aria", members)


def _prefixed(prefix: str, members: dict[str, str]) -> Attributes:
    return {f"{prefix}-{name.replace('_', '-')}": value for name, value in members.items()}
