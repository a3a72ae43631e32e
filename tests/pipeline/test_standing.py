"""Two feeds of deals are one source of the document, and as well as the worse of them."""

import pytest

from ledger.snapshot import SourceState
from pipeline.standing import composed

OK = SourceState("ok", 5, 20)


def test_a_source_of_one_feed_is_as_it_is() -> None:
    states = {"kalshi": OK, "anthropic": SourceState("off"), "revenue": SourceState("stale", 1)}
    assert composed(states) == states


@pytest.mark.parametrize(
    ("revenue", "hubspot", "status", "as_of"),
    [
        (OK, SourceState("failing", 3, 90, "no"), "failing", 3),
        (SourceState("stale", 4, 10), OK, "stale", 4),
        (OK, SourceState("starting"), "starting", None),
        (SourceState("failing"), SourceState("stale", 2), "failing", None),
        (SourceState("off"), OK, "ok", 5),
        (OK, OK, "ok", 5),
    ],
)
def test_two_feeds_are_as_the_worse_one(
    revenue: SourceState, hubspot: SourceState, status: str, as_of: int | None
) -> None:
    (shown,) = composed({"revenue": revenue, "hubspot": hubspot}).items()
    assert shown[0] == "revenue"
    assert (shown[1].status, shown[1].as_of) == (status, as_of)


def test_a_feed_without_its_twin_stands_for_the_source() -> None:
    assert composed({"hubspot": OK}) == {"revenue": OK}
    assert composed({"hubspot": SourceState("off"), "revenue": SourceState("off")}) == {
        "revenue": SourceState("off")
    }


def test_details_say_whose_they_are() -> None:
    states = {"revenue": SourceState("ok", 1, 7, "a"), "hubspot": SourceState("ok", 2, 9, "b")}
    shown = composed(states)["revenue"]
    assert (shown.detail, shown.latency_ms) == ("revenue: a; hubspot: b", 9)
