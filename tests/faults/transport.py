"""Faults of the transport: no connection, broken ones, bodies cut, endless or of another kind."""

import gzip
import zlib
from collections.abc import Iterator
from functools import cache

from tests.faults.case import (
    Case,
    Play,
    failing,
    healed,
    rested,
    untouched,
    unusable,
)
from tests.faults.stage import TICK, Stage
from tests.faults.upstream import Elsewhere
from tests.faults.wire import Act, Misdeed, Reply, Request, told

MEGA = 1024 * 1024
GIGA = 1024 * MEGA
LOGIN = b"<!doctype html><html><body><form action='/login'>Please sign in</form></body></html>"


def delivered(*, cut: float = 1.0, **how: object) -> Misdeed:
    """Return a delivery whose body ends early; its length claims to be whole."""

    def misdeed(_: Request, reply: Reply) -> Act:
        content = reply.content()
        body = content[: round(len(content) * cut)]
        return Act([reply.head(len(content), 0) + body], **how)  # type: ignore[arg-type]

    return misdeed


def dripping(stage: Stage) -> Misdeed:
    """Return a delivery of one byte a second."""

    def misdeed(_: Request, reply: Reply) -> Act:
        content = reply.content()
        whole = reply.head(len(content), stage.clock.now) + content
        return Act((whole[at : at + 1] for at in range(len(whole))), pause=1.0, close=True)

    return misdeed


def bodied(stage: Stage, content: bytes, **headers: str) -> Act:
    """Return an answer of 200 with this body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return told(Reply(content, headers=named), stage.clock.now)


def truncated(stage: Stage) -> Misdeed:
    """Return JSON that ends in its middle, of the right length."""
    return lambda _, reply: bodied(stage, reply.content()[:-20])


def truncated_gzip(stage: Stage) -> Misdeed:
    """Return a gzip body that ends in its middle."""
    return lambda _, reply: bodied(
        stage, gzip.compress(reply.content())[:-12], Content_Encoding="gzip"
    )


def login(stage: Stage) -> Misdeed:
    """Return a page of HTML."""
    return lambda _, __: bodied(stage, LOGIN, Content_Type="text/html")


def round_in_circles(stage: Stage) -> Misdeed:
    """Return a redirect to the same address."""
    where = stage.spoiled.url + stage.spoiled.primary
    return lambda _, __: told(Reply(b"", 302, {"Location": where}), stage.clock.now)


@cache
def bomb() -> bytes:
    """Return a gzip body of 1 MB that inflates to 1 GB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    begin = packer.compress(b" " * MEGA) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(b" " * MEGA) + packer.flush(zlib.Z_FULL_FLUSH)
    return begin + again * 1022 + packer.compress(b"[]") + packer.flush()


def endless(stage: Stage) -> Misdeed:
    """Return a body of 1 GB."""

    def chunks() -> Iterator[bytes]:
        yield Reply().head(GIGA, stage.clock.now)
        for _ in range(GIGA // MEGA):
            yield b" " * MEGA

    return lambda _, __: Act(chunks(), close=True)


def refusing(stage: Stage) -> None:
    """Play an upstream that does not listen."""
    stage.arrive()
    stage.spoiled.server.leave()
    failing(stage, "no connection.*refused")
    rested(stage)
    stage.spoiled.server.come_back()
    healed(stage)


def sent_elsewhere(stage: Stage) -> None:
    """Play a redirect to another host: nobody goes there, least of all with the key."""
    elsewhere = Elsewhere(stage.clock)
    where = elsewhere.server.url("localhost") + stage.spoiled.root + stage.spoiled.primary
    away = told(Reply(b"", 307, {"Location": where}), stage.clock.now)
    unusable(lambda _: lambda __, ___: away, "307.*redirect, which is never followed")(stage)
    elsewhere.server.close()
    assert elsewhere.server.connections == 0


def dripped(stage: Stage) -> None:
    """Play one byte a second, real seconds: the poll ends by its deadline, and so do the others."""
    stage.arrive()
    stage.spoiled.misdeed = dripping(stage)
    stage.until(lambda: "no whole answer by its deadline" in stage.status()[1], 2, TICK)
    assert stage.status()[0] in {"stale", "failing"}
    untouched(stage)
    healed(stage)


def resetting(_: Stage) -> Misdeed:
    """Return half an answer and a reset."""
    return delivered(cut=0.5, reset=True)


def fast(spoiler: object, says: str) -> Play:
    """Return the play of an answer that comes at once."""
    return unusable(spoiler, says)  # type: ignore[arg-type]


STAYS = "last figures with their age; «stale», after three polls «failing» and an alert"
CASES = (
    Case(
        "transport-refused",
        "the connection is refused",
        "the poll fails; after three the source rests for a minute, then one probe",
        f"{STAYS}: no connection",
        refusing,
    ),
    Case(
        "transport-reset",
        "half of a body, then a reset",
        "tried once more in the same poll, then the poll fails; nothing of the answer is used",
        f"{STAYS}: broke off",
        fast(resetting, "broke off"),
    ),
    Case(
        "transport-drip",
        "one byte a second",
        "the poll ends by its deadline of 3 s, however the bytes drip",
        f"{STAYS}: no whole answer by its deadline",
        dripped,
    ),
    Case(
        "transport-truncated-json",
        "JSON that ends in its middle",
        "nothing of the answer is used",
        f"{STAYS}: the body is not JSON",
        fast(truncated, "answered 200, but the body is not JSON"),
    ),
    Case(
        "transport-truncated-gzip",
        "a gzip body that ends in its middle",
        "nothing of the answer is used",
        f"{STAYS}: the gzip body is cut off",
        fast(truncated_gzip, "answered 200, but the gzip body is (cut off|damaged)"),
    ),
    Case(
        "transport-login-page",
        "an HTML login page with status 200",
        "nothing of the answer is used",
        f"{STAYS}: the body is not JSON",
        fast(login, "answered 200, but the body is not JSON"),
    ),
    Case(
        "transport-redirect-loop",
        "a redirect to itself",
        "no redirect is ever followed",
        f"{STAYS}: a redirect, which is never followed",
        fast(round_in_circles, "302.*redirect, which is never followed"),
    ),
    Case(
        "transport-redirect-elsewhere",
        "a redirect to another host",
        "no redirect is ever followed: the other host sees no connection, so no key",
        f"{STAYS}: a redirect, which is never followed",
        sent_elsewhere,
    ),
    Case(
        "transport-endless-body",
        "a body of 1 GB",
        "reading ends at 64 MB; nothing of the answer is used",
        f"{STAYS}: the body is larger",
        fast(endless, "answered 200, but the body is larger"),
    ),
    Case(
        "transport-gzip-bomb",
        "1 MB of gzip that inflates to 1 GB",
        "inflating ends at 64 MB; nothing of the answer is used",
        f"{STAYS}: the body is larger",
        fast(
            lambda stage: lambda _, __: bodied(stage, bomb(), Content_Encoding="gzip"),
            "answered 200, but the body is larger",
        ),
    ),
)
