"""Design tokens for what the stylesheet cannot reach: Plotly figures and the Mantine theme."""

from collections.abc import Mapping
from typing import Any, Final, Literal

Scheme = Literal["light", "dark"]

FONT: Final = (
    'Inter, "Inter Variable", system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", '
    "Arial, sans-serif"
)

TOKENS: Final[Mapping[Scheme, Mapping[str, str]]] = {
    "light": {
        "text": "#10151c",
        "muted": "#586273",
        "line": "#e6e9ee",
        "line-strong": "#c9cfd8",
        "raised": "#ffffff",
        "accent": "#2456c7",
        "accent-soft": "rgba(36, 86, 199, 0.11)",
    },
    "dark": {
        "text": "#e9edf3",
        "muted": "#98a3b3",
        "line": "#232a34",
        "line-strong": "#3a4451",
        "raised": "#1b212a",
        "accent": "#7ea6ff",
        "accent-soft": "rgba(126, 166, 255, 0.15)",
    },
}
"""The same names and values as --ns-* in assets/tokens.css."""

MANTINE: Final[Mapping[str, Any]] = {"fontFamily": FONT, "defaultRadius": "sm"}


def layout(scheme: Scheme) -> dict[str, Any]:
    """Return the Plotly layout members that carry the scheme: fonts, grids, hover labels."""
    token = TOKENS[scheme]
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 12, "color": token["text"]},
        "hoverlabel": {
            "bgcolor": token["raised"],
            "bordercolor": token["line-strong"],
            "font": {"family": FONT, "size": 12, "color": token["text"]},
        },
        "modebar": {
            "bgcolor": "rgba(0,0,0,0)",
            "color": token["muted"],
            "activecolor": token["text"],
        },
    }


def axis(scheme: Scheme) -> dict[str, Any]:
    """Return what every axis of the scheme shares."""
    token = TOKENS[scheme]
    return {
        "gridcolor": token["line"],
        "zeroline": False,
        "tickfont": {"color": token["muted"], "size": 11},
        "title": {"font": {"color": token["muted"], "size": 11}},
    }
