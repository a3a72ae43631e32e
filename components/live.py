"""What the browser needs to stay live: the mounted transports, their settings, their callbacks."""

from typing import Literal

from dash import ClientsideFunction, Dash, Input, Output, dcc
from dash.development.base_component import Component
from dash_extensions import WebSocket

from components import ids

Socket = Literal["component", "native"]


def mounts(zone: str, tick_seconds: float, socket: Socket = "component") -> list[Component]:
    """Return the transports, closed until the ladder opens them, and the ladder's settings."""
    settings = {"zone": zone, "tick": tick_seconds * 1_000, "socket": socket}
    return [
        dcc.Store(id=ids.CONFIG, data=settings),
        WebSocket(id=ids.SOCKET, url=""),
        dcc.Interval(id=ids.POLL, interval=5_000, disabled=True),
    ]


def served(text: str | None) -> list[Component]:
    """Return the document a page was rendered from, as its exact text; None before the first."""
    return [dcc.Store(id=ids.SERVED, data=text), dcc.Store(id=ids.SEEN)]


def connect(app: Dash) -> None:
    """Register the clientside callbacks that feed assets/live.js."""
    _register(app, "boot", Input(ids.CONFIG, "data"))
    _register(app, "message", Input(ids.SOCKET, "message"), initially=False)
    _register(app, "state", Input(ids.SOCKET, "state"), initially=False)
    _register(app, "poll", Input(ids.POLL, "n_intervals"), initially=False)
    # With an output on the page, Dash calls it for every page that is mounted.
    _register(app, "served", Output(ids.SEEN, "data"), Input(ids.SERVED, "data"))


def _register(app: Dash, name: str, *ends: Input | Output, initially: bool = True) -> None:
    function = ClientsideFunction("northstar", name)
    app.clientside_callback(  # type: ignore[no-untyped-call] # Dash has no types here
        function, *ends, prevent_initial_call=not initially
    )
