"""Attribute names that Python cannot spell."""

from components.attributes import aria, data


def test_underscores_become_dashes_behind_the_prefix() -> None:
    assert data(status_of="x", live="y") == {"data-status-of": "x", "data-live": "y"}
    assert aria(label="z") == {"aria-label": "z"}
