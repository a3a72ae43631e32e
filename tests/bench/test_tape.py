"""The tape: seeded fills, levels and documents that every contender gets."""

from itertools import pairwise

from bench import tape
from ledger.book import Book
from ledger.moment import HOUR, MINUTE
from ledger.snapshot import diff


def test_the_same_tape_can_be_made_again() -> None:
    assert tape.fills(50) == tape.fills(50)
    assert tape.levels(50) == tape.levels(50)
    assert tape.snapshots(50) == tape.snapshots(50)


def test_fills_open_close_and_reverse_positions() -> None:
    book = Book()
    moves = [book.fill(fill) for fill in tape.fills(2_000)]
    assert any(before.count * after.count < 0 for before, after in moves)
    assert any(0 < abs(after.count) < abs(before.count) for before, after in moves)
    assert any(before.count and not after.count for before, after in moves)


def test_levels_follow_each_other_with_quiet_hours_between() -> None:
    levels = tape.levels(20_000)
    steps = [after.time - before.time for before, after in pairwise(levels)]
    assert min(steps) > 0
    assert max(steps) > HOUR
    assert sorted(steps)[len(steps) // 2] < MINUTE
    assert levels[0].time % HOUR == 0


def test_levels_add_up() -> None:
    levels = tape.levels(500)
    flows = sum(level.realized - level.fees for level in levels)
    assert levels[-1].trading == flows + levels[-1].unrealized


def test_neighbouring_documents_differ_in_some_members_only() -> None:
    documents = [snapshot.document("e", 1) for snapshot in tape.snapshots(20)]
    patches = [diff(before, after) for before, after in pairwise(documents)]
    assert all({"as_of", "net_pnl"} <= patch.keys() for patch in patches)
    assert all("revenue" not in patch for patch in patches)
