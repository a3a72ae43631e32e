"""The frame around every page: header, badge, banner, theme switch, and the document's HTML."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final

import dash
import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from components import ids, live, theme
from components.attributes import aria, data
from components.cards import INCOMPLETE, Sheet
from components.format import shown

INDEX: Final = """<!DOCTYPE html>
<html lang="en">
  <head>
    {%metas%}
    <meta name="color-scheme" content="light dark">
    <meta name="description" content="Live, exact net P&amp;L.">
    <title>{%title%}</title>
    <link rel="icon" type="image/svg+xml" href="/assets/favicon.svg">
    {%css%}
  </head>
  <body>
    <!-- first paint -->
    {%app_entry%}
    <footer>
      {%config%}
      {%scripts%}
      {%renderer%}
    </footer>
  </body>
</html>
"""
"""For `app.index_string`; `painted` puts the first numbers in place of the comment."""

PLACE: Final = "<!-- first paint -->"


def layout(zone: str, tick_seconds: float, socket: live.Socket = "component") -> Component:
    """Return the frame with the transports, one for all pages; `zone` names the display zone."""
    provider: Component = dmc.MantineProvider(
        [
            html.A("Skip to the figures", href=f"#{ids.CONTENT}", className="ns-skip"),
            *live.mounts(zone, tick_seconds, socket),
            header(dash.page_registry.values()),
            _banner(),
            html.Main(dash.page_container, id=ids.CONTENT, className="ns-main", tabIndex="-1"),
            html.Div(
                id=ids.ANNOUNCER,
                className="ns-unseen",
                role="status",
                **aria(live="polite"),
            ),
        ],
        defaultColorScheme="auto",
        theme=dict(theme.MANTINE),
    )
    return provider


def header(pages: Iterable[Mapping[str, Any]]) -> Component:
    """Return the header: brand, the pages that exist, DEMO label, badge, theme switch."""
    links = [dcc.Link(page["name"], href=page["path"], className="ns-link") for page in pages]
    return html.Header(
        [
            html.Div([_brand(), html.Span("Demo", className="ns-demo")], className="ns-brand-row"),
            html.Nav(links, className="ns-nav", **aria(label="Pages")),
            html.Div([_oldest(), badge(), switch()], className="ns-tools"),
        ],
        className="ns-header",
    )


def badge() -> Component:
    """Return the transport badge; assets/live.js writes its state and words."""
    words = html.Span("Connecting", **data(badge=""))
    return html.Div(words, id=ids.BADGE, className="ns-badge", **data(state="reconnecting"))


def switch() -> Component:
    """Return the theme switch."""
    toggle: Component = dmc.ColorSchemeToggle(
        lightIcon=html.Span(className="ns-icon-sun", **aria(hidden="true")),
        darkIcon=html.Span(className="ns-icon-moon", **aria(hidden="true")),
        variant="subtle",
        color="gray",
        size="lg",
        **aria(label="Switch between light and dark"),
    )
    return toggle


def painted(index: str, sheet: Sheet) -> str:
    """Return the HTML document with the first numbers in it, shown until the page is there."""
    return index.replace(PLACE, _first(sheet))


def _first(sheet: Sheet) -> str:
    document = sheet.document
    complete = bool(document and document["complete"])
    net = shown(document, "net_pnl", "money", sheet.zone) if complete else INCOMPLETE
    words = net if document else "starting"
    demo = '<span class="ns-demo">Demo</span>' if document and document["mode"] == "demo" else ""
    brand = f'<div class="ns-brand-row"><span class="ns-brand">NorthStar</span>{demo}</div>'
    hero = f'<p class="ns-label">Net P&amp;L</p><p class="ns-net">{escape(words)}</p>'
    return (
        f'<div data-first-paint class="ns-first"><div class="ns-header">{brand}</div>'
        f'<div class="ns-main"><div class="ns-hero">{hero}</div></div></div>'
    )


def _brand() -> Component:
    return dcc.Link("NorthStar", href="/", className="ns-brand")


def _oldest() -> Component:
    return html.Span(className="ns-oldest", **data(oldest=""))


def _banner() -> Component:
    return html.Div(html.P(""), id=ids.BANNER, className="ns-banner", hidden=True)
