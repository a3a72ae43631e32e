"""Progress: how far an import is, how fast, and how long it may take, or that nobody can tell."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Lock

import pytest

from ledger.facts import Fill
from ledger.moment import DAY, HOUR, MINUTE
from pipeline.cycle import Store
from pipeline.feed import Feed
from pipeline.progress import FILLS_SHARE, Pace, Tracker, about, noted
from pipeline.sources.client import Unreachable
from pipeline.sources.kalshi_rows import Transfer
from pipeline.sources.source import Held
from storage import engine
from storage.engine import unguarded
from storage.facts import Page, Reject
from storage.progress import IMPORTING, WHOLE, Imports
from tests.pipeline.conftest import Hands, Script
from tests.product import until

Filled = Callable[..., Fill]


@dataclass
class Statement:
    """What says when money first came."""

    began: int | None
    asked: int = 0

    def transfers(self) -> tuple[list[Transfer], list[Reject]]:
        """Return one deposit, or fail."""
        self.asked += 1
        if self.began is None:
            raise Unreachable("GET /portfolio/deposits: no connection")
        return [Transfer("t", "applied", 1, 0, self.began, self.began)], []


@dataclass
class Account(Script):
    """A source of fills with a statement."""

    statement: Statement = field(default_factory=lambda: Statement(None))


@pytest.fixture
def imports(url: str, store: Store) -> Iterator[Imports]:
    del store
    opened = engine.writer(url)
    yield Imports(opened, unguarded)
    opened.dispose()


@pytest.fixture
def fed(store: Store, hands: Hands) -> Callable[..., Feed]:
    return lambda source: Feed(source, store.facts, hands, Lock())


def fills(filled: Filled, hands: Hands, first: int, last: int) -> Page:
    """Return a page of fills, one an hour, `first` to `last` hours ago."""
    found = [filled(str(n), hands.now - n * HOUR, "yes", "1", "0.40") for n in range(first, last)]
    return Page("kalshi", tuple(found), cursor={"stage": "fills"})


def test_lists_that_come_newest_first_are_as_far_as_the_time_they_cover(
    imports: Imports, fed: Callable[..., Feed], filled: Filled, hands: Hands
) -> None:
    """Money came 100 hours ago; 20 of them are read after 10 s: 0.9 × 20 % of the whole."""
    source = Account(statement=Statement(hands.now - 100 * HOUR))
    feed = fed(source)
    tracker = Tracker([feed], imports, hands, 0.0)
    feed.push(fills(filled, hands, 1, 11))
    first = tracker.paces(5.0)["kalshi"]
    assert (first.done, first.total, first.left) == (10, round(10 / 0.09), None)
    feed.push(fills(filled, hands, 11, 21))
    pace = tracker.paces(10.0)["kalshi"]
    share = FILLS_SHARE * 0.2
    assert pace == Pace(20, 2.0, round(20 / share), pytest.approx(0.82 / 0.018), share)
    assert source.statement.asked == 1


def test_settlements_come_after_the_fills(
    imports: Imports, fed: Callable[..., Feed], filled: Filled, hands: Hands
) -> None:
    source = Account(statement=Statement(hands.now - 100 * HOUR))
    source.past = [fills(filled, hands, 1, 100), Page("kalshi", cursor={"stage": "settlements"})]
    feed = fed(source)
    for page in source.past:
        feed.read(lambda _, page=page: [page])
    tracker = Tracker([feed], imports, hands, 0.0)
    pace = tracker.paces(1.0)["kalshi"]
    assert pace.total == round(99 / FILLS_SHARE)


def test_a_report_that_comes_oldest_first_is_as_far_as_it_was_read(
    imports: Imports, fed: Callable[..., Feed], hands: Hands
) -> None:
    feed = fed(Script("anthropic"))
    reached = {"mode": "legacy", "legacy_through": str(hands.now - 182 * DAY)}
    feed.read(lambda _: [Page("anthropic", cursor=reached)])
    tracker = Tracker([feed], imports, hands, 0.0)
    assert tracker.note(1.0)
    assert tracker.paces(1.0)["anthropic"].share == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("source", [Account(), Script("revenue")])
def test_what_nobody_can_tell_is_not_told(
    imports: Imports, fed: Callable[..., Feed], source: Script
) -> None:
    tracker = Tracker([fed(source)], imports, lambda: 1, 0.0)
    for seconds in (1.0, 20.0):
        assert tracker.paces(seconds)[source.name] == Pace(0)


def test_the_pace_is_that_of_the_last_half_minute(
    imports: Imports, fed: Callable[..., Feed], filled: Filled, hands: Hands
) -> None:
    feed = fed(Script())
    tracker = Tracker([feed], imports, hands, 0.0)
    feed.push(fills(filled, hands, 1, 61))
    assert tracker.paces(1.0)["kalshi"].rate == 60.0
    tracker.paces(20.0)
    assert tracker.paces(40.0)["kalshi"].rate == 0.0


def test_another_attempt_goes_on_counting_and_keeps_its_beginning(
    imports: Imports, fed: Callable[..., Feed], filled: Filled, hands: Hands
) -> None:
    feed = fed(Script())
    feed.push(fills(filled, hands, 1, 11))
    Tracker([feed], imports, hands, 0.0).note(1.0)
    began, hands.now = hands.now, hands.now + MINUTE
    again = fed(Script())
    tracker = Tracker([again], imports, hands, 0.0)
    tracker.note(1.0)
    known = imports.known()["kalshi"]
    assert (known.done, known.started_at, known.updated_at) == (10, began, began + MINUTE)
    assert known.state == IMPORTING


def test_progress_is_kept_until_every_import_is_whole(
    imports: Imports, fed: Callable[..., Feed], filled: Filled, hands: Hands
) -> None:
    feed = fed(Script(past=[fills(filled, hands, 1, 8)]))
    with noted(Tracker([feed], imports, hands, 0.0), lambda: 1.0):
        until(imports.known, "the beginning")
        feed.poll(Held(frozenset(), hands.now))
        until(lambda: imports.known()["kalshi"].state == WHOLE, "the end")
    known = imports.known()["kalshi"]
    assert (known.done, known.total) == (7, 7)


def test_a_source_that_was_whole_before_is_not_kept(
    imports: Imports, fed: Callable[..., Feed], hands: Hands
) -> None:
    feed = fed(Script())
    feed.poll(Held(frozenset(), hands.now))
    tracker = Tracker([feed], imports, hands, 0.0)
    with noted(tracker, lambda: 1.0):
        assert not tracker.follows
    assert imports.known() == {}
    assert tracker.paces(1.0)["kalshi"] == Pace(0, 0.0, 0, 0.0, 1.0)


def test_a_failure_is_the_state_until_it_goes_on(
    imports: Imports, fed: Callable[..., Feed], hands: Hands
) -> None:
    feed = fed(Script())
    feed.health.error = "GET /portfolio/fills: no connection"
    Tracker([feed], imports, hands, 0.0).note(1.0)
    assert imports.known()["kalshi"].state == "GET /portfolio/fills: no connection"


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (None, ""),
        (0.2, "about 5 s"),
        (43, "about 45 s"),
        (58, "about 1 min"),
        (125, "about 2 min"),
        (54 * 60, "about 54 min"),
        (58 * 60, "about 1 h"),
        (7 * 3_600, "about 7 h"),
        (80 * 3_600, "days"),
    ],
)
def test_a_remaining_time_is_told_as_people_say_it(left: float | None, said: str) -> None:
    assert about(left) == said
