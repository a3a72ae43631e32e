"""Faults of paging: in a circle, the same again, empty, moving meanwhile, tied at the boundary."""

import json
from dataclasses import replace
from decimal import Decimal

from ledger.moment import HOUR, MICROS, text
from tests.faults.case import PATIENCE, Case, going_on, healed
from tests.faults.clock import NOON
from tests.faults.deals import deal
from tests.faults.exchange import fill
from tests.faults.provider import line
from tests.faults.stage import Stage
from tests.faults.transport import STAYS
from tests.faults.upstream import Row
from tests.faults.wire import Act, Misdeed, Reply, Request, told

MEMBERS = {
    "kalshi": ("fills", "cursor"),
    "anthropic": ("data", "next_page"),
    "revenue": ("data", "next_cursor"),
}
QUERY = {"kalshi": "cursor", "anthropic": "page", "revenue": "cursor"}
LINGERS = f"{STAYS}: the list goes round, or repeats itself"


def edited(stage: Stage, reply: Reply, cursor: str) -> Act:
    """Return an answer that names another cursor."""
    member = MEMBERS[stage.spoiled.name][1]
    more = {"has_more": True} if stage.spoiled.name == "anthropic" else {}
    return told(replace(reply, body={**reply.body, member: cursor, **more}), stage.clock.now)


def endless(stage: Stage, misdeed: Misdeed, says: str) -> None:
    """Play a list without an end: what was read counts once, the source says what is wrong."""
    stage.spoiled.size = 1
    stage.spoiled.misdeed = misdeed
    stage.arrive()
    allowed = {Decimal(figure) for figure in vars(stage.spoiled.expected).values()}
    for _ in range(PATIENCE):
        stage.tick()
        assert stage.figure() in allowed
        assert says in stage.status()[1], stage.status()
        assert stage.status()[0] != "ok"
        going_on(stage)
    assert stage.status()[0] == "failing"
    healed(stage)


def looping(stage: Stage) -> None:
    """Play a cursor that comes back."""
    endless(stage, lambda _, reply: edited(stage, reply, "after-1"), "in a circle")


def repeating(stage: Stage) -> None:
    """Play a page that comes again under ever new cursors."""
    numbers = iter(range(1_000_000))

    def misdeed(request: Request, reply: Reply) -> Act:
        del request
        return edited(stage, reply, f"new-{next(numbers)}")

    endless(stage, misdeed, "repeats a page")


def emptied(stage: Stage) -> None:
    """Play an empty page that names a cursor: the list goes on behind it."""
    stage.spoiled.size = 1
    rows = MEMBERS[stage.spoiled.name][0]

    def misdeed(request: Request, reply: Reply) -> Act:
        cursor = request.arg(QUERY[stage.spoiled.name])
        if not cursor.startswith("after-"):
            return told(reply, stage.clock.now)
        return edited(stage, replace(reply, body={**reply.body, rows: []}), f"hole-{cursor}")

    stage.spoiled.misdeed = misdeed
    stage.arrive()
    stage.tick()
    assert stage.whole(stage.spoiled.expected.both), (stage.figure(), stage.status())
    going_on(stage)
    healed(stage)


def third(stage: Stage) -> Row:
    """Return a row that moves no figure: bought at its bid, billed at 0, a deal of 0."""
    at = stage.clock.now - 3 * MICROS
    rows: dict[str, Row] = {
        "kalshi": fill("third", at, "bid", "1.00", "0.5000", "0.000000"),
        "anthropic": line("third", NOON - 4 * HOUR, "0"),
        "revenue": deal("third", "0.00", "2026-11-19", at),
    }
    return rows[stage.spoiled.name]


def shifting(stage: Stage) -> None:
    """Play a list that grows at its top between two pages, so that a row stands on both."""
    stage.spoiled.size = 1
    grown: list[Row] = []

    def misdeed(_: Request, reply: Reply) -> Act:
        if not grown and json.dumps(reply.body).count("after-1"):
            grown.append(third(stage))
            stage.spoiled.arrive(*grown)
        return told(reply, stage.clock.now)

    stage.spoiled.misdeed = misdeed
    stage.arrive()
    stage.tick(2)
    assert grown
    assert stage.whole(stage.spoiled.expected.both), (stage.figure(), stage.status())
    if stage.spoiled.name == "kalshi":
        stage.until(lambda: stage.shown()["trading"]["fills"] == 5)
    assert stage.refused() == []
    going_on(stage)
    healed(stage)


def tied(stage: Stage) -> None:
    """Play rows of one instant on both sides of a page's end."""
    at = stage.clock.now - 4 * MICROS
    same = {
        "kalshi": {"created_time": text(at), "ts": at // MICROS},
        "anthropic": {"starting_at": text(NOON - HOUR), "ending_at": text(NOON)},
        "revenue": {"updated_at": text(at)},
    }[stage.spoiled.name]
    stage.spoiled.size = 1
    for each in stage.others:
        each.arrive(each.fresh())
    rows = [stage.spoiled.victim() | same, third(stage) | same, stage.spoiled.fresh() | same]
    if stage.spoiled.name == "anthropic":
        for number, row in enumerate(rows):
            row["group"] = row["group"] | {"model": f"claude-{number}"}
    stage.spoiled.arrive(*rows)
    stage.tick(2)
    assert stage.whole(stage.spoiled.expected.both), (stage.figure(), stage.status())
    assert stage.refused() == []
    going_on(stage)
    healed(stage)


CASES = (
    Case(
        "paging-loop",
        "a cursor that comes twice",
        "the list ends as broken; what was read counts once, nothing is taken for whole",
        LINGERS,
        looping,
    ),
    Case(
        "paging-repeated",
        "the same page again under new cursors",
        "the list ends as broken; what was read counts once, nothing is taken for whole",
        LINGERS,
        repeating,
    ),
    Case(
        "paging-empty",
        "an empty page with a cursor",
        "the list goes on behind it, up to ten in a row",
        "all as ever",
        emptied,
    ),
    Case(
        "paging-shift",
        "a row that comes in while the list is read",
        "what stands on two pages counts once; what slipped is found by the next poll",
        "all as ever",
        shifting,
    ),
    Case(
        "paging-ties",
        "rows of one instant on two pages",
        "each counts once: identity decides, not time",
        "all as ever",
        tied,
    ),
)
