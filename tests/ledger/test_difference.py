"""Differences as people and tables read them."""

from ledger.difference import Difference, Kind, Unit, shown


def test_an_amount_is_an_exact_decimal_of_its_unit() -> None:
    assert shown(-1_234_567_891, Unit.USD) == "-1.234567891"
    assert shown(777, Unit.CONTRACTS) == "7.77"
    assert shown(1, Unit.COUNT) == "1"


def test_the_same_difference_is_known_again_by_what_it_is_about_and_its_amount() -> None:
    first = Difference("fees RAIN", "1", "2", 10**9, Unit.USD, Kind.CHANGED, touched=5)
    again = Difference("fees RAIN", "1", "2", 10**9, Unit.USD, Kind.LAG, touched=9)
    assert first.identity == again.identity == ("fees RAIN", Unit.USD, "1")
    other = Difference("fees RAIN", "1", "3", 2 * 10**9, Unit.USD, Kind.CHANGED)
    assert other.identity != first.identity
