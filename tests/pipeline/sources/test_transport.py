"""Connections of which no read outlives its deadline."""

import requests

from pipeline.sources.transport import BoundAdapter, within
from tests.pipeline.sources.conftest import Hands
from tests.pipeline.sources.upstream import Reply, Request, Upstream


def test_each_read_has_only_the_time_that_is_left(upstream: Upstream, hands: Hands) -> None:
    """Of three seconds the upstream takes two before it answers; one is left to read in."""

    def late(_: Request) -> Reply:
        hands.seconds = 2.0
        return Reply("x" * 1_000_000)

    upstream.on("/", late)
    with requests.Session() as session, within(hands.deadline(3.0)):
        session.mount("http://", BoundAdapter())
        with session.get(upstream.url + "/", stream=True, timeout=60) as response:
            response.raw.read(500_000)
            assert response.raw.connection.sock.gettimeout() == 1.0
