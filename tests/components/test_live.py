"""What the browser needs to stay live."""

from dash import Dash, html

from components import ids, live


def test_the_transports_are_mounted_closed() -> None:
    config, socket, poll = (part.to_plotly_json()["props"] for part in live.mounts("UTC", 2.5))
    assert config["data"] == {"zone": "UTC", "tick": 2500.0, "socket": "component"}
    assert socket["url"] == ""
    assert poll["disabled"] is True


def test_a_page_hands_over_the_exact_text_it_was_rendered_from() -> None:
    text = '{"net_pnl":0.10}'
    assert live.served(text)[0].to_plotly_json()["props"]["data"] == text


def test_every_callback_runs_in_the_browser() -> None:
    app = Dash("test", server=False)
    app.layout = html.Div([*live.mounts("UTC", 10), *live.served(None)])
    live.connect(app)
    callbacks = app._callback_list  # noqa: SLF001 -- Dash has no public list of them
    functions = {callback["clientside_function"]["function_name"] for callback in callbacks}
    assert functions == {"boot", "served", "message", "state", "poll"}
    inputs = {entry["id"] for callback in callbacks for entry in callback["inputs"]}
    assert inputs == {ids.SOCKET, ids.POLL, ids.SERVED, ids.CONFIG}
