"""Cards of figures: each figure is a text node that the page keeps live by its path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component

from components import format as fmt
from components import ids
from components.attributes import aria, data

INCOMPLETE: Final = "incomplete"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A document (None before the first) and the zone in which its instants are shown."""

    document: Mapping[str, Any] | None
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Figure:
    """One member of the document: its path, how it reads, and what it needs to be shown."""

    path: str
    kind: str = "money"
    needs: str = ""
    lacking: str = fmt.UNKNOWN


@dataclass(frozen=True, slots=True)
class Line:
    """One labelled figure of a card."""

    label: str
    figure: Figure


def figure(sheet: Sheet, what: Figure, class_name: str = "ns-figure") -> Component:
    """Return the live text node of one figure, already written from the sheet."""
    told = data(live=what.path, format=what.kind)
    if what.needs:
        told |= data(needs=what.needs, lacking=what.lacking)
    if not _known(sheet, what):
        told |= data(unknown="")
        return html.Span(_unknown(sheet, what), className=class_name, **told)
    direction = _sign(sheet, what)
    if direction:
        told |= data(sign=direction)
    words = fmt.shown(sheet.document, what.path, what.kind, sheet.zone)
    return html.Span(words, className=class_name, **told)


def card(title: str, main: Component, lines: Sequence[Component], **rest: Any) -> Component:  # noqa: ANN401
    """Return a card: its title, its main figure, the lines that make it up."""
    head = html.Div([html.H2(title), main], className="ns-card-head")
    return html.Section(
        [head, html.Dl(list(lines), className="ns-lines")], className="ns-card", **rest
    )


def line(sheet: Sheet, what: Line) -> Component:
    """Return one line of a card: a term and its figure."""
    return html.Div([html.Dt(what.label), html.Dd(figure(sheet, what.figure))])


def waterfall(sheet: Sheet) -> Component:
    """Return revenue − cost + trading = net as bars on one scale."""
    rows = (
        ("revenue", "Recognized revenue", Figure("revenue.recognized", needs="complete")),
        ("cost", "AI cost", Figure("costs.total", "minus", "complete")),
        ("trading", "Trading", Figure("trading.total", "signed", "complete")),
        ("net", "Net P&L", Figure("net_pnl", "money", "complete", INCOMPLETE)),
    )
    shares = bars(sheet.document)
    made = [
        _bar(sheet, row, share, hidden=not _known(sheet, row[2]))
        for row, share in zip(rows, shares, strict=True)
    ]
    return html.Dl(made, className="ns-waterfall")


def bars(document: Mapping[str, Any] | None) -> list[tuple[float, float]]:
    """Return from and to of the four bars in percent of their scale, as assets/waterfall.js."""
    members = ("revenue.recognized", "costs.total", "trading.total")
    revenue, cost, trading = (float(fmt.lookup(document, path) or 0) for path in members)
    levels = (0.0, revenue, revenue - cost, revenue - cost + trading)
    low = min(levels)
    span = (max(levels) - low) or 1.0
    steps = (*pairwise(levels), (0.0, levels[3]))
    return [(100 * (min(step) - low) / span, 100 * (max(step) - low) / span) for step in steps]


def sources(sheet: Sheet, names: Sequence[tuple[str, str]]) -> Component:
    """Return each source with its status, age and latency; `names` are (key, label)."""
    head = html.Thead(html.Tr([html.Th(text, scope="col") for text in _SOURCE_COLUMNS]))
    body = html.Tbody([_source(sheet, key, label) for key, label in names])
    return html.Table([head, body], className="ns-table")


def alerts(sheet: Sheet) -> list[Component]:
    """Return the place of the open alerts, filled by the page, and what stands there without."""
    some = bool(fmt.lookup(sheet.document, "alerts"))
    return [
        html.Ul(id=ids.ALERTS, className="ns-alerts"),
        html.P("No open alerts.", className="ns-quiet", hidden=some, **data(without_alerts="")),
    ]


_SOURCE_COLUMNS: Final = ("Source", "Status", "Age", "Latency")


def _source(sheet: Sheet, key: str, label: str) -> Component:
    path = f"sources.{key}"
    status = fmt.lookup(sheet.document, f"{path}.status") or "unknown"
    words = figure(sheet, Figure(f"{path}.status", "text"), "")
    chip = html.Span(
        words, className="ns-status", **data(status_of=f"{path}.status", status=status)
    )
    return html.Tr(
        [
            html.Th(label, scope="row"),
            html.Td(chip),
            html.Td(html.Span(fmt.UNKNOWN, **data(age=f"{path}.as_of"))),
            html.Td(figure(sheet, Figure(f"{path}.latency_ms", "milliseconds"), "")),
        ]
    )


def _bar(
    sheet: Sheet, row: tuple[str, str, Figure], share: tuple[float, float], *, hidden: bool
) -> Component:
    name, label, what = row
    style = {"--from": f"{share[0]:.2f}%", "--to": f"{share[1]:.2f}%"}
    fill = html.Span(className="ns-bar", style=style, hidden=hidden, **data(bar=name))
    track = html.Span(fill, className="ns-track", **aria(hidden="true"))
    return html.Div([html.Dt(label), html.Dd([track, figure(sheet, what)])], className="ns-step")


def _known(sheet: Sheet, what: Figure) -> bool:
    lacking = what.needs and not fmt.lookup(sheet.document, what.needs)
    return not lacking and fmt.lookup(sheet.document, what.path) is not None


def _unknown(sheet: Sheet, what: Figure) -> str:
    """Before the first document there is nothing that could be incomplete."""
    return what.lacking if what.needs and sheet.document is not None else fmt.UNKNOWN


def _sign(sheet: Sheet, what: Figure) -> str:
    """Return gain, loss or flat of a move; of a plain amount only whether it is below zero."""
    if what.kind not in {"signed", "money"}:
        return ""
    found = fmt.sign(fmt.lookup(sheet.document, what.path))
    return found if found == "loss" or what.kind == "signed" else ""
