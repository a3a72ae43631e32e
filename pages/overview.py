"""Overview: what is our net P&L now, is it fresh, what is it made of."""

from typing import Any, Final

import dash
import flask
from dash import dcc, html
from dash.development.base_component import Component

from components import cards, charts, ids, live, shell
from components import format as fmt
from components.attributes import data
from components.cards import INCOMPLETE, Figure, Line, Sheet
from ledger import moment
from pages import source

PATH: Final = "/"
dash.register_page(  # type: ignore[no-untyped-call] # Dash has no types here
    __name__, path=PATH, name="Overview", title="Overview · NorthStar"
)

SOURCES: Final = (
    ("kalshi", "Kalshi"),
    ("anthropic", "Anthropic"),
    ("revenue", "Revenue"),
)
CHANGES: Final = (
    ("Today", "change.today"),
    ("This week", "change.week"),
    ("This month", "change.month"),
    ("This year", "change.year"),
)
TRADING: Final = (
    Line("Realized", Figure("trading.realized", "signed", "complete")),
    Line("Unrealized", Figure("trading.unrealized", "signed", "complete")),
    Line("Fees", Figure("trading.fees", "minus", "complete")),
    Line("Open positions", Figure("trading.open_positions", "count", "complete")),
    Line("Fills", Figure("trading.fills", "count", "complete")),
)
REVENUE: Final = (
    Line("Pending", Figure("revenue.pending", needs="complete")),
    Line("Deferred", Figure("revenue.deferred", needs="complete")),
    Line("Pipeline", Figure("revenue.pipeline", needs="complete")),
    Line("Pipeline, weighted", Figure("revenue.pipeline_weighted", needs="complete")),
)
COSTS: Final = (
    Line("Billed", Figure("costs.billed", needs="complete")),
    Line("Estimated", Figure("costs.estimated", "atleast", "complete")),
)
CASH: Final = (
    Line("Balance", Figure("cash.balance")),
    Line("Positions", Figure("cash.positions")),
)
GRAPH: Final[Any] = {
    "displaylogo": False,
    "responsive": True,
    "displayModeBar": "hover",
    "scrollZoom": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "autoScale2d"],
    "toImageButtonOptions": {"filename": "northstar-day", "scale": 2},
}


@dash.hooks.index()  # type: ignore[untyped-decorator] # likewise
def first_paint(index: str) -> str:
    """Put the newest net into the HTML itself, so that it is read before any script has run."""
    if flask.request.path != PATH:
        return index
    return shell.painted(index, Sheet(source.reading().document, source.zone()))


def layout(**_query: str) -> Component:
    """Return the page with the newest figures already in it."""
    read = source.reading()
    sheet = Sheet(read.document, source.zone())
    return html.Div(
        [
            *live.served(read.text),
            html.Div([_hero(sheet), _changes(sheet)], className="ns-top"),
            html.Div([_curve(sheet), _bridge(sheet)], className="ns-middle"),
            html.Div(_cards(sheet), className="ns-cards"),
            html.Div([_sources(sheet), _alerts(sheet)], className="ns-bottom"),
        ],
        className="ns-overview",
    )


def _hero(sheet: Sheet) -> Component:
    net = Figure("net_pnl", "money", "complete", INCOMPLETE)
    since = cards.figure(sheet, Figure("since", "date"), "")
    as_of = cards.figure(sheet, Figure("as_of", "time"), "")
    return html.Section(
        [
            html.H1("Net P&L", className="ns-label"),
            html.P(cards.figure(sheet, net, "ns-net-figure"), className="ns-net"),
            html.P(["since ", since, " · as of ", as_of], className="ns-quiet"),
        ],
        className="ns-hero",
    )


def _changes(sheet: Sheet) -> Component:
    made = [
        html.Div(
            [html.Dt(label), html.Dd(cards.figure(sheet, Figure(path, "signed", "complete")))],
            className="ns-change",
        )
        for label, path in CHANGES
    ]
    return html.Dl(made, className="ns-changes")


def _curve(sheet: Sheet) -> Component:
    day = source.day(sheet.document)
    complete = bool(fmt.lookup(sheet.document, "complete"))
    rows = source.minutes(day.start) if complete else ()
    figure = charts.day_figure(rows, sheet.document, day, source.scheme())
    return html.Section(
        [
            html.Div([html.H2("Today"), _legend(), _csv(day)], className="ns-panel-head"),
            html.Div(
                [
                    dcc.Graph(id=ids.CURVE, figure=figure, config=GRAPH, className="ns-graph"),
                    html.P(
                        "The curve begins once every source has told its whole history.",
                        className="ns-empty",
                        hidden=complete,
                        **data(hide="complete"),
                    ),
                ],
                className="ns-graph-frame",
            ),
        ],
        className="ns-card ns-curve",
    )


def _legend() -> Component:
    return html.P(
        [
            html.Span("Net", className="ns-key ns-key-net"),
            html.Span("Without unrealized", className="ns-key ns-key-base"),
            html.Span("Unrealized", className="ns-key ns-key-band"),
        ],
        className="ns-legend",
    )


def _csv(day: charts.Day) -> Component:
    since = moment.text(day.start)
    href = f"/api/pnl/series.csv?period=1m&from={since}"
    return html.A("CSV", href=href, className="ns-action", download="", **data(day_csv=""))


def _bridge(sheet: Sheet) -> Component:
    return html.Section(
        [html.H2("How the net is made"), cards.waterfall(sheet)], className="ns-card ns-bridge"
    )


def _cards(sheet: Sheet) -> list[Component]:
    cash = fmt.lookup(sheet.document, "cash.balance") is not None
    trading = cards.figure(sheet, Figure("trading.total", "signed", "complete"), "ns-main-figure")
    revenue = cards.figure(sheet, Figure("revenue.recognized", needs="complete"), "ns-main-figure")
    cost = cards.figure(sheet, Figure("costs.total", "atleast", "complete"), "ns-main-figure")
    equity = cards.figure(sheet, Figure("cash.equity"), "ns-main-figure")
    return [
        cards.card("Trading", trading, _lines(sheet, TRADING)),
        cards.card("Recognized revenue", revenue, _lines(sheet, REVENUE)),
        cards.card("AI cost", cost, [*_lines(sheet, COSTS), _unpriced(sheet)]),
        cards.card(
            "Cash and equity",
            equity,
            _lines(sheet, CASH),
            hidden=not cash,
            **data(show="cash.balance"),
        ),
    ]


def _lines(sheet: Sheet, lines: tuple[Line, ...]) -> list[Component]:
    return [cards.line(sheet, line) for line in lines]


def _unpriced(sheet: Sheet) -> Component:
    flagged = bool(fmt.lookup(sheet.document, "costs.unpriced"))
    return html.Div(
        [html.Dt("Unpriced usage"), html.Dd("not in the total")],
        hidden=not flagged,
        **data(show="costs.unpriced"),
    )


def _sources(sheet: Sheet) -> Component:
    return html.Section(
        [html.H2("Sources"), cards.sources(sheet, SOURCES)], className="ns-card ns-sources"
    )


def _alerts(sheet: Sheet) -> Component:
    return html.Section([html.H2("Open alerts"), *cards.alerts(sheet)], className="ns-card")
