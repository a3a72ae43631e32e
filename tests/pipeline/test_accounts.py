"""The firm's accounts: where the stream is, and what is opened."""

import pytest

from pipeline.accounts import stream_url


@pytest.mark.parametrize(
    ("api", "socket"),
    [
        (
            "https://external-api.kalshi.com/trade-api/v2",
            "wss://external-api-ws.kalshi.com/trade-api/ws/v2",
        ),
        (
            "https://external-api.demo.kalshi.co/trade-api/v2",
            "wss://external-api-ws.demo.kalshi.co/trade-api/ws/v2",
        ),
        (
            "https://api.elections.kalshi.com/trade-api/v2",
            "wss://api.elections.kalshi.com/trade-api/ws/v2",
        ),
        (
            "https://demo-api.kalshi.co/trade-api/v2",
            "wss://demo-api.kalshi.co/trade-api/ws/v2",
        ),
        ("http://127.0.0.1:9/trade-api/v2", "ws://127.0.0.1:9/trade-api/ws/v2"),
    ],
)
def test_the_stream_is_beside_the_api_in_the_same_environment(api: str, socket: str) -> None:
    assert stream_url(api, "") == socket


def test_a_stream_that_is_told_is_taken() -> None:
    assert stream_url("http://127.0.0.1:9/trade-api/v2", "ws://other/x") == "ws://other/x"
