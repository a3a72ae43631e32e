"""One fault as the table tells it and as the suite plays it; the plays many of them share."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from tests.faults.stage import Stage
from tests.faults.upstream import Worn
from tests.faults.wire import Misdeed

PATIENCE = 3
"""Polls in a row that fail before a source reads as failing."""

Play = Callable[[Stage], None]
Spoiler = Callable[[Stage], Misdeed]
"""Of a stage: what becomes of the answers of the spoiled upstream's list."""


@dataclass(frozen=True)
class Case:
    """What arrives, what is done with it, what the dashboard shows; and how it is played.

    `without` names the sources for which it has no meaning, and why.
    """

    id: str
    arrives: str
    rule: str
    shows: str
    play: Play
    without: Mapping[str, str] = field(default_factory=dict)

    def line(self) -> str:
        """Return the case as a line of the table."""
        lacking = "; ".join(f"{name}: {why}" for name, why in self.without.items())
        cells = (f"`{self.id}`", self.arrives, self.rule, self.shows, lacking or "all")
        return f"| {' | '.join(cells)} |"


def unusable(spoiler: Spoiler, says: str, *, at_once: bool = False) -> Play:
    """Play an answer of which nothing can be used: last figures stay, the source says why.

    `says` is a pattern of the detail, `at_once` whether one refusal is enough to read as failing.
    """

    def play(stage: Stage) -> None:
        stage.arrive()
        stage.spoiled.misdeed = spoiler(stage)
        failing(stage, says, at_once=at_once)
        rested(stage)
        healed(stage)

    return play


def failing(stage: Stage, says: str, *, at_once: bool = False) -> None:
    """Check that a source that gives nothing ages, says why, and reads as failing after three."""
    for _ in range(1 if at_once else PATIENCE):
        stage.tick()
        untouched(stage)
        status, detail = stage.status()
        assert status in {"stale", "failing"}
        assert re.search(says, detail), detail
    assert status == "failing", (status, detail)
    alert = stage.alerts()[f"source.{stage.spoiled.name}"]
    assert re.search(says, alert), alert


def rested(stage: Stage) -> None:
    """Check that a source that fails is left alone for a while, and what is said meanwhile."""
    asked = stage.spoiled.asked()
    stage.tick()
    assert stage.spoiled.asked() <= asked + 1
    assert stage.status()[0] == "failing"
    untouched(stage)


def untouched(stage: Stage) -> None:
    """Check that the figures are those from before, and that the other sources went on."""
    document = stage.shown()
    assert stage.figure(document) == Decimal(stage.spoiled.expected.base)
    going_on(stage)


def going_on(stage: Stage) -> None:
    """Check that the other sources have booked what came, and are well."""
    document = stage.shown()
    for each in stage.others:
        assert each.figure(document) == Decimal(each.expected.fresh), each.name
        assert stage.status(each.name, document)[0] == "ok", document["sources"][each.name]


def healed(stage: Stage) -> None:
    """Let the upstream heal; everything is booked, and the source is well."""
    stage.spoiled.heal()
    stage.until(lambda: stage.whole(stage.spoiled.expected.both))
    stage.tick()
    assert stage.whole(stage.spoiled.expected.both), (stage.figure(), stage.status())
    assert f"source.{stage.spoiled.name}" not in stage.alerts()


def refused(worn: Mapping[str, tuple[str, Worn]], *, lasting: str = "") -> Play:
    """Play a row that cannot be read: it is quarantined by its field, the row beside it counts.

    Once it comes readable the alert ends; not so at `lasting`, where it then is another row.
    """

    def play(stage: Stage) -> None:
        name = stage.spoiled.name
        field, wear = worn[name]
        stage.spoiled.worn["victim"] = wear
        stage.arrive()
        for _ in range(3):
            stage.tick()
            assert stage.figure() == Decimal(stage.spoiled.expected.fresh)
            assert [(row[0], row[1]) for row in stage.refused()] == [(name, field)]
            assert stage.status()[0] == "ok", stage.status()
            going_on(stage)
        assert f"quarantine.{name}.{field}" in anew(stage)
        healed(stage)
        assert (f"quarantine.{name}.{field}" in anew(stage)) is (name == lasting)

    return play


def anew(stage: Stage) -> dict[str, str]:
    """Return the alerts of a product that has just started: what it knew is seconds old."""
    stage.start()
    stage.tick()
    return stage.alerts()


def taken(worn: Mapping[str, tuple[str, Worn]]) -> Play:
    """Play a row that looks odd and is right: it counts as worked out by hand, nobody complains."""

    def play(stage: Stage) -> None:
        figure, wear = worn[stage.spoiled.name]
        stage.spoiled.worn["victim"] = wear
        stage.arrive()
        for _ in range(2):
            stage.tick()
            assert stage.whole(figure), (stage.figure(), stage.status(), stage.refused())
            assert stage.refused() == []
            going_on(stage)

    return play


def changed(**members: object) -> Worn:
    """Return what sets members of a row; None removes nothing, it is null."""
    return lambda row: row | members


def within(member: str, **members: object) -> Worn:
    """Return what sets members of an object inside a row."""
    return lambda row: row | {member: {**row[member], **members}}


def lacking(*names: str) -> Worn:
    """Return what leaves members out."""
    return lambda row: {name: value for name, value in row.items() if name not in names}


def renamed(before: str, after: str) -> Worn:
    """Return what gives a member another name."""
    return lambda row: {(after if name == before else name): value for name, value in row.items()}
