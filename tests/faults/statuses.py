"""Faults by status: refusals, missing lists, failures, and every kind of 429."""

import re
from decimal import Decimal
from email.utils import formatdate

from tests.faults.case import Case, Play, Spoiler, going_on, healed, untouched, unusable
from tests.faults.stage import Stage
from tests.faults.transport import STAYS
from tests.faults.wire import Act, Misdeed, Reply, Request, told

POLLS = 6
"""Of a storm of 429."""

TRIES = 4
"""Requests of one poll, where waiting costs it nothing: a case's sleep moves no deadline."""


def answering(status: int, headers: dict[str, str] | None = None) -> Spoiler:
    """Return what answers a status; the body repeats the request's headers, as some do."""

    def spoiler(stage: Stage) -> Misdeed:
        def misdeed(request: Request, _: Reply) -> Act:
            said = f"you sent {dict(request.headers)}"
            body = stage.spoiled.error(status, said)
            return told(Reply(body, status, headers or {}), stage.clock.now)

        return misdeed

    return spoiler


def throttled(headers: dict[str, str] | None = None, ahead: int = 0) -> Play:
    """Play a storm of 429: it is no failure, and few requests go into it."""

    def play(stage: Stage) -> None:
        named = dict(headers or {})
        if ahead:
            named["Retry-After"] = formatdate(stage.clock.now // 1_000_000 + ahead, usegmt=True)
        stage.arrive()
        stage.spoiled.misdeed, stage.spoiled.everywhere = answering(429, named)(stage), True
        asked = len(stage.spoiled.server.seen)
        for _ in range(POLLS):
            stage.tick()
            untouched(stage)
            status, detail = stage.status()
            assert status in {"ok", "stale"}
            assert re.search("429|our own request budget", detail), detail
        assert f"source.{stage.spoiled.name}" not in stage.alerts()
        assert len(stage.spoiled.server.seen) - asked <= TRIES * POLLS
        healed(stage)

    return play


def waiting(stage: Stage) -> None:
    """Play a Retry-After of 5 minutes: nothing is asked before it has passed."""
    stage.arrive()
    stage.spoiled.misdeed = answering(429, {"Retry-After": "300"})(stage)
    stage.tick()
    asked = stage.spoiled.asked()
    stage.spoiled.heal()
    stage.tick(3)
    assert stage.spoiled.asked() == asked
    assert stage.figure() == Decimal(stage.spoiled.expected.base)
    assert stage.status()[0] == "stale"
    going_on(stage)
    healed(stage)


FAILS = "the poll fails; after three the source rests for a minute, then one probe"
WORDS = {
    400: "the request is not accepted",
    402: "a bill is not paid",
    404: "the list is not there",
    409: "a conflict",
    500: "the upstream fails",
    502: "a gateway fails",
    503: "the upstream is closed",
    504: "a gateway waits in vain",
    529: "the upstream is overloaded",
}


def _failing(status: int) -> Case:
    return Case(
        f"status-{status}",
        f"{status}: {WORDS[status]}",
        FAILS,
        f"{STAYS}: method, path, {status} and what the body says, without what we sent",
        unusable(answering(status), rf"GET \S+ was answered {status}"),
    )


def _refusing(status: int) -> Case:
    return Case(
        f"status-{status}",
        f"{status}: the credentials are not accepted",
        "the key is read anew from its file once; still refused, the poll fails",
        f"last figures with their age; «failing» at once and an alert: {status}",
        unusable(answering(status), rf"GET \S+ was answered {status}", at_once=True),
    )


def _throttling(kind: str, arrives: str, rule: str, play: Play) -> Case:
    shown = "last figures with their age, «stale» when it lasts; no failure, no alert of one"
    return Case(f"status-429-{kind}", arrives, rule, shown, play)


CASES = (
    _failing(400),
    _refusing(401),
    _failing(402),
    _refusing(403),
    *(_failing(status) for status in (404, 409, 500, 502, 503, 504, 529)),
    _throttling(
        "without",
        "429 without Retry-After",
        "quiet for 1 · 2ⁿ s with jitter, up to 60 s; then one request alone",
        throttled(),
    ),
    _throttling("with", "429 with Retry-After: 300", "nothing is asked for 5 minutes", waiting),
    _throttling(
        "absurd",
        "429 with Retry-After: 999999999",
        "taken for none: our own back-off",
        throttled({"Retry-After": "999999999"}),
    ),
    _throttling(
        "date",
        "429 with an HTTP date as Retry-After",
        "nothing is asked until then",
        throttled(ahead=55),
    ),
    _throttling(
        "negative",
        "429 with Retry-After: -5",
        "taken for none: our own back-off",
        throttled({"Retry-After": "-5"}),
    ),
)
