"""Column types that keep exactly what a fact holds."""

from dataclasses import replace

import pytest

from tests.storage.databases import COST, FILL, MARK, SETTLEMENT, Database

LIMIT = 2**63 - 1


@pytest.mark.parametrize("amount", [LIMIT, -LIMIT, 2**53 + 1, 0])
def test_an_amount_of_64_bits_is_kept_to_the_last_nano_dollar(db: Database, amount: int) -> None:
    cost, mark = replace(COST, amount=amount), replace(MARK, bid=amount, ask=None)
    db.record(cost, mark)
    assert list(db.facts.costs()) == [cost]
    assert list(db.facts.marks(0)) == [mark]


def test_group_fields_keep_their_order_and_their_text(db: Database) -> None:
    group = (("workspace", "«ü»"), ("model", ""), ("token_type", 'a"b,[]'))
    db.record(replace(COST, group=group))
    assert [line.group for line in db.facts.costs()] == [group]


def test_every_subaccount_and_subaccount_0_are_told_apart(db: Database) -> None:
    own = replace(SETTLEMENT, subaccount=0)
    db.record(own, SETTLEMENT)
    assert {fact.subaccount for fact in db.facts.settlements()} == {None, 0}


def test_a_flag_and_a_side_come_back_as_they_went(db: Database) -> None:
    db.record(FILL)
    (kept,) = db.facts.fills()
    assert kept.is_taker is True
    assert kept.side is FILL.side
