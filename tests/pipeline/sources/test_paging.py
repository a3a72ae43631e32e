"""Pages of a list: to the end, from the middle, never in a circle; sweeps a few at a time."""

import pytest

from ledger.moment import MINUTE
from pipeline.sources.client import Answer, Broken, Declined, TimedOut
from pipeline.sources.paging import Batch, Sweep, Tail, batch, follow, resume

PAGES = {"": Batch([1], "b", 0), "b": Batch([2], "c", 0), "c": Batch([3], "", 0)}


def rows(batches: list[Batch]) -> list[int]:
    """Return the rows of all batches."""
    return [row for page in batches for row in page.rows]


def test_every_page_is_followed() -> None:
    assert rows(list(follow(PAGES.__getitem__))) == [1, 2, 3]


def test_an_empty_page_with_a_cursor_is_not_the_end() -> None:
    pages = PAGES | {"b": Batch([], "c", 0)}
    assert rows(list(follow(pages.__getitem__))) == [1, 3]


def test_a_circle_is_broken() -> None:
    pages = PAGES | {"c": Batch([3], "b", 0)}
    with pytest.raises(Broken, match="circle"):
        list(follow(pages.__getitem__))


def test_reading_goes_on_from_a_remembered_cursor() -> None:
    assert rows(list(resume(PAGES.__getitem__, "b"))) == [2, 3]


def test_a_cursor_nobody_knows_any_more_starts_the_list_over() -> None:
    def read(cursor: str) -> Batch:
        if cursor == "old":
            raise Declined("unknown cursor", 400)
        return PAGES[cursor]

    assert rows(list(resume(read, "old"))) == [1, 2, 3]


@pytest.mark.parametrize("body", [[], {"fills": None}, {"fills": {}}, {"fills": [], "cursor": 7}])
def test_an_answer_of_another_shape_is_broken(body: object) -> None:
    with pytest.raises(Broken):
        batch(Answer(body, 0), "fills", "cursor")


@pytest.mark.parametrize("end", [{}, {"cursor": ""}, {"cursor": None}])
def test_an_absent_cursor_is_the_end(end: dict[str, object]) -> None:
    assert batch(Answer({"fills": [1], **end}, 5), "fills", "cursor") == Batch([1], "", 5, 5)


def test_a_sweep_goes_on_where_the_last_poll_left_it() -> None:
    sweep, asked = Sweep(MINUTE, 10), []

    def read(since: int, cursor: str) -> Batch:
        asked.append((since, cursor))
        return PAGES[cursor]

    room = iter([True, False, True, True, True])
    assert rows(list(sweep.batches(100, read, lambda: next(room)))) == [1]
    assert rows(list(sweep.batches(200, read, lambda: next(room)))) == [2, 3]
    assert asked == [(90, ""), (90, "b"), (90, "c")]


def test_a_sweep_is_due_again_after_its_time() -> None:
    sweep = Sweep(MINUTE, None)

    def swept(now: int) -> list[int]:
        return rows(list(sweep.batches(now, lambda _, cursor: PAGES[cursor], lambda: True)))

    assert swept(0) == [1, 2, 3]
    assert swept(MINUTE - 1) == []
    assert swept(MINUTE) == [1, 2, 3]
    sweep.done(MINUTE + 5)
    assert swept(2 * MINUTE) == []


def test_a_sweep_that_failed_starts_over() -> None:
    sweep, failing = Sweep(MINUTE, None), [True]

    def read(_: int, cursor: str) -> Batch:
        if cursor == "b" and failing.pop():
            raise Broken("later", 500)
        return PAGES[cursor]

    with pytest.raises(Broken):
        list(sweep.batches(0, read, lambda: True))
    failing.append(False)
    assert rows(list(sweep.batches(0, read, lambda: True))) == [1, 2, 3]


def test_a_sweep_in_a_circle_is_broken() -> None:
    pages = {"": Batch([1], "b", 0), "b": Batch([2], "b", 0)}
    with pytest.raises(Broken, match="circle"):
        list(Sweep(MINUTE, None).batches(0, lambda _, cursor: pages[cursor], lambda: True))


class Impatient:
    """A list of three pages whose reader runs out of time at one of them, once."""

    def __init__(self, at: str) -> None:
        """Fail at the page a cursor names."""
        self.at = at
        self.asked: list[str] = []

    def __call__(self, cursor: str) -> Batch:
        self.asked.append(cursor)
        if cursor == self.at:
            self.at = "never again"
            raise TimedOut("no time left")
        return PAGES[cursor]


def tailed(tail: Tail, since: int, read: Impatient) -> list[int]:
    """Return the rows that came, each noted as an instant, whatever happened then."""
    came: list[int] = []
    try:
        for page in tail.batches(since, read):
            came += page.rows
            tail.note(max(page.rows))
    except TimedOut:
        assert tail.midway
    return came


def test_a_tail_goes_on_where_it_broke_off_after_a_look_at_the_newest() -> None:
    tail, read = Tail(), Impatient("b")
    assert tailed(tail, 5, read) == [1]
    assert tailed(tail, 5, read) == [1, 2, 3]
    assert read.asked == ["", "b", "", "b", "c"]
    assert not tail.midway
    assert tailed(tail, 5, read) == [1, 2, 3]


def test_a_tail_that_went_on_has_not_reached_what_it_only_looked_at() -> None:
    """Between the newest page now and the one it broke off after, others may have come."""
    tail, read = Tail(), Impatient("c")
    tailed(tail, 5, read)
    assert tail.reached == 2
    pages = {"": Batch([9], "b", 0), "c": Batch([1], "", 0)}
    for page in tail.batches(5, pages.__getitem__):
        tail.note(max(page.rows))
    assert tail.reached == 2


def test_a_tail_from_elsewhere_begins_anew() -> None:
    tail, read = Tail(), Impatient("c")
    tailed(tail, 5, read)
    tailed(tail, 6, read)
    assert read.asked == ["", "b", "c", "", "b", "c"]
    assert tail.reached == 3


def test_a_tail_whose_cursor_is_refused_begins_anew() -> None:
    tail = Tail()
    tailed(tail, 5, Impatient("b"))

    def refusing(cursor: str) -> Batch:
        if cursor == "b":
            raise Declined("unknown cursor", 400)
        return PAGES[cursor]

    with pytest.raises(Declined):
        list(tail.batches(5, refusing))
    assert not tail.midway


def test_a_sweep_that_ran_out_of_time_goes_on_at_its_page() -> None:
    sweep, read = Sweep(MINUTE, None), Impatient("b")
    with pytest.raises(TimedOut):
        list(sweep.batches(0, lambda _, cursor: read(cursor), lambda: True))
    assert sweep.midway
    assert rows(list(sweep.batches(0, lambda _, cursor: read(cursor), lambda: True))) == [2, 3]
    assert not sweep.midway


@pytest.mark.parametrize("last", ["b", "c"])
def test_a_sweep_in_a_longer_circle_is_broken(last: str) -> None:
    pages = PAGES | {"c": Batch([3], last, 0)}
    with pytest.raises(Broken, match="circle"):
        list(Sweep(MINUTE, None).batches(0, lambda _, cursor: pages[cursor], lambda: True))
