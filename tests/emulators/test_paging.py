"""Cursors: opaque, stable, forgiving."""

import pytest

from emulators import paging

ROWS = [(time, name) for time in range(5) for name in "ab"]


def key(row: tuple[int, str]) -> tuple[int, str]:
    return row


@pytest.mark.parametrize("limit", [1, 3, 10, 11])
def test_every_row_comes_once_newest_first(limit: int) -> None:
    found, cursor = paging.newest(ROWS, key, "", limit)
    while cursor:
        page, cursor = paging.newest(ROWS, key, cursor, limit)
        found += page
    assert found == ROWS[::-1]


def test_rows_that_come_meanwhile_disturb_nothing() -> None:
    page, cursor = paging.newest(ROWS, key, "", 4)
    more, _ = paging.newest([*ROWS, (9, "z")], key, cursor, 4)
    assert page + more == ROWS[::-1][:8]


@pytest.mark.parametrize("cursor", ["?", "bm9uZQ==", paging.encoded("a", 1), "WyJ4Il0"])
def test_a_cursor_that_is_none_gives_the_first_page(cursor: str) -> None:
    assert paging.newest(ROWS, key, cursor, 3) == paging.newest(ROWS, key, "", 3)


def test_the_end_is_an_empty_cursor_even_without_rows() -> None:
    assert paging.newest([], key, "", 3) == ([], "")


def test_between_takes_both_ends() -> None:
    assert paging.between([1, 2, 2, 3, 4], lambda row: row, 2, 3) == [2, 2, 3]
