"""Faults of JSON: what is no number, too deep, named twice, no Unicode, marked."""

import json
from dataclasses import replace

from tests.faults.case import (
    Case,
    Play,
    Spoiler,
    Worn,
    changed,
    going_on,
    healed,
    refused,
    unusable,
    within,
)
from tests.faults.stage import Stage
from tests.faults.transport import STAYS
from tests.faults.wire import Act, Misdeed, Reply, told

MARK = "@@"
AMOUNTS = {"kalshi": "count_fp", "anthropic": "amount", "revenue": "amount"}


def marked(name: str, value: object) -> Worn:
    """Return what puts a value where the amount of a row stands."""
    field = AMOUNTS[name]
    return within("cost", **{field: value}) if name == "anthropic" else changed(**{field: value})


def literal(stage: Stage, raw: str) -> Misdeed:
    """Return answers in which the victim's amount is this text, unquoted."""
    stage.spoiled.worn["victim"] = marked(stage.spoiled.name, MARK)

    def misdeed(_: object, reply: Reply) -> Act:
        body = reply.content().replace(json.dumps(MARK).encode(), raw.encode())
        return told(replace(reply, body=body), stage.clock.now)

    return misdeed


def raw(text: str) -> Spoiler:
    """Return what writes the victim's amount as this text."""
    return lambda stage: literal(stage, text)


def read_by_row(text: str) -> Play:
    """Play an amount that is JSON, but no amount."""

    def play(stage: Stage) -> None:
        field = AMOUNTS[stage.spoiled.name]
        stage.spoiled.misdeed = literal(stage, text)
        wear = stage.spoiled.worn["victim"]
        refused({stage.spoiled.name: (field, wear)})(stage)

    return play


def bom(stage: Stage) -> None:
    """Play answers that begin with a byte order mark."""
    stage.spoiled.misdeed = lambda _, reply: told(
        replace(reply, body=b"\xef\xbb\xbf" + reply.content()), stage.clock.now
    )
    stage.arrive()
    stage.tick()
    assert stage.whole(stage.spoiled.expected.both), (stage.figure(), stage.status())
    going_on(stage)
    healed(stage)


NESTED = "[" * 10_000 + "]" * 10_000
UNREAD = "nothing of the answer is used"
CASES = (
    Case(
        "json-nan",
        "NaN as an amount",
        UNREAD,
        f"{STAYS}: NaN is no number",
        unusable(raw("NaN"), "answered 200, but .*NaN is no number"),
    ),
    Case(
        "json-infinity",
        "Infinity as an amount",
        UNREAD,
        f"{STAYS}: Infinity is no number",
        unusable(raw("-Infinity"), "answered 200, but .*Infinity is no number"),
    ),
    Case(
        "json-overflow",
        "1e999 as an amount",
        "the row is quarantined by its field; the others count",
        "an alert names source and field; the source is well",
        read_by_row("1e999"),
    ),
    Case(
        "json-depth",
        "10,000 arrays inside each other",
        UNREAD,
        f"{STAYS}: nested too deeply",
        unusable(raw(NESTED), "answered 200, but .*nested too deeply"),
    ),
    Case(
        "json-duplicate-keys",
        "a key twice in one object, with two values",
        UNREAD,
        f"{STAYS}: an object names a key twice",
        unusable(
            raw('"3.00", "amount": "4.00", "count_fp": "4.00", "amount": "5.00"'),
            "answered 200, but .*names a key twice",
        ),
    ),
    Case(
        "json-surrogate",
        "half a surrogate pair in a name",
        "the row is quarantined by its field; the others count",
        "an alert names source and field; the source is well",
        refused(
            {
                "kalshi": ("ticker", changed(ticker="KX\ud800")),
                "anthropic": ("model", within("group", model="claude\udc00")),
                "revenue": ("name", changed(name="Deal \ud800")),
            }
        ),
    ),
    Case("json-bom", "a byte order mark before the JSON", "it is left out", "all as ever", bom),
)
