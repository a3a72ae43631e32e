"""Faults of trust: figures of yesterday with status 200, and certificates nobody should take."""

from decimal import Decimal
from pathlib import Path

from ledger.moment import HOUR
from tests.faults import certificates
from tests.faults.case import Case, Play, failing, going_on, healed
from tests.faults.stage import Stage
from tests.faults.transport import STAYS
from tests.faults.wire import Server


def stale(stage: Stage) -> None:
    """Play an upstream that falls back to what it knew an hour ago, and stays there for a day."""
    stage.arrive()
    stage.tick()
    assert stage.whole(stage.spoiled.expected.both)
    known, stage.spoiled.rows = stage.spoiled.rows, stage.spoiled.base()
    stage.spoiled.frozen = stage.clock.now - HOUR
    for _ in range(26):
        stage.tick(1, 3_600.0)
        assert stage.figure() == Decimal(stage.spoiled.expected.both), stage.figure()
    going_on(stage)
    assert stage.status()[0] == "stale", stage.status()
    stage.spoiled.rows, stage.spoiled.frozen = known, None
    healed(stage)


def distrusted(kind: str) -> Play:
    """Play an address whose certificate is not to be trusted: nothing is sent to it."""

    def play(stage: Stage) -> None:
        tls = certificates.presented(kind, Path(stage.path).parent)
        server = Server(stage.spoiled, tls)
        stage.start(**{stage.spoiled.name: server.url("localhost") + stage.spoiled.root})
        stage.arrive()
        failing(stage, "TLS certificate that is not trusted")
        assert server.connections >= 1
        assert server.seen == []
        server.close()
        stage.start()
        healed(stage)

    return play


def _tls(kind: str, arrives: str) -> Case:
    return Case(
        f"tls-{kind}",
        arrives,
        "the connection ends before anything is sent; there is no setting to skip the check",
        f"{STAYS}: a TLS certificate that is not trusted",
        distrusted(kind),
    )


CASES = (
    Case(
        "stale-answer",
        "status 200, day after day the same old figures, and a time stamp that says so",
        "nothing booked is taken back; the time stamp is believed, not the status",
        "the figures stay; «stale» with the age of what it was given",
        stale,
    ),
    _tls("expired", "a certificate that has expired"),
    _tls("self-signed", "a certificate signed by itself"),
    _tls("wrong-host", "a certificate of another host"),
)
