"""Tokens: one set of names and values for figures and stylesheet, legible in both schemes."""

import re
from itertools import product
from pathlib import Path

import pytest

from components import theme
from components.theme import Scheme

CSS = (Path(__file__).parents[2] / "assets" / "tokens.css").read_text()


def stylesheet(scheme: Scheme) -> dict[str, str]:
    """Return --ns-* of a scheme; the dark one repeats only what differs."""
    light, dark = CSS.split(':root[data-mantine-color-scheme="dark"]')
    dark = dark.split("@media")[0]
    tokens = dict(re.findall(r"--ns-([\w-]+):\s*([^;]+);", light))
    return (
        tokens
        if scheme == "light"
        else tokens | dict(re.findall(r"--ns-([\w-]+):\s*([^;]+);", dark))
    )


def luminance(color: str) -> float:
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_use_the_stylesheets_colours(scheme: Scheme) -> None:
    css = stylesheet(scheme)
    assert {name: css[name] for name in theme.TOKENS[scheme]} == theme.TOKENS[scheme]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_colour_has_a_contrast_of_four_and_a_half(scheme: Scheme) -> None:
    css = stylesheet(scheme)
    texts = ("text", "muted", "accent", "gain", "loss", "warn")
    grounds = ("ground", "surface", "raised")
    weak = [
        (text, ground)
        for text, ground in product(texts, grounds)
        if contrast(css[text], css[ground]) < 4.5
    ]
    tinted = [
        ("text", "warn-soft"),
        ("text", "loss-soft"),
        ("text", "info-soft"),
        ("demo", "demo-soft"),
    ]
    weak += [pair for pair in tinted if contrast(css[pair[0]], css[pair[1]]) < 4.5]
    assert weak == []


def test_both_schemes_have_the_same_tokens() -> None:
    assert theme.TOKENS["light"].keys() == theme.TOKENS["dark"].keys()
