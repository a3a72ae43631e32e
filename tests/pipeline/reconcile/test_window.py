"""The settling window: new is lag, old is a difference, and what stands is one too."""

from dataclasses import replace

from ledger.difference import Difference, Kind, Unit
from ledger.moment import MINUTE
from pipeline.reconcile.window import MARGIN, SETTLING, horizon, settled

NOW = 1_795_000_000_000_000
OLD = Difference("fees RAIN", "1", "2", 1, Unit.USD, Kind.CHANGED, NOW - 2 * SETTLING)
NEW = replace(OLD, subject="fees SNOW", touched=NOW)


def test_both_sides_are_complete_up_to_the_window_and_their_own_lag() -> None:
    assert horizon(NOW, None) == NOW - SETTLING
    assert horizon(NOW, None, NOW - MINUTE) == NOW - MINUTE - SETTLING
    assert horizon(NOW, NOW + MINUTE) == NOW - MARGIN
    assert horizon(NOW, NOW - MINUTE) == NOW - MINUTE - MARGIN
    assert horizon(NOW, NOW, NOW - MINUTE) == NOW - MINUTE - MARGIN


def test_what_is_about_new_facts_is_lag() -> None:
    found = settled([OLD, NEW], horizon(NOW, None), set())
    assert [each.kind for each in found] == [Kind.CHANGED, Kind.LAG]


def test_what_was_found_before_the_same_stands() -> None:
    (stands,) = settled([NEW], horizon(NOW, None), {NEW.identity})
    assert stands.kind is Kind.CHANGED
    other = {replace(NEW, amount=2).identity}
    (lags,) = settled([NEW], horizon(NOW, None), other)
    assert lags.kind is Kind.LAG
