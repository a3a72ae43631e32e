"""Batches: read elsewhere, in pieces, and closed however the response ends."""

import threading
from collections.abc import Iterator

import pytest

from delivery.batches import SIZE, away, batches


def test_work_is_done_by_another_thread() -> None:
    assert away(threading.get_ident) != threading.get_ident()


def test_an_error_comes_back_to_the_caller(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        away(divmod, 1, 0)
    assert capfd.readouterr().err == ""


def test_rows_come_in_batches_in_order() -> None:
    parts = list(batches(iter(range(2 * SIZE + 1)), lambda part: b"%d," % len(part)))
    assert parts == [b"500,", b"500,", b"1,"]


def test_a_response_that_ends_early_ends_the_read() -> None:
    ended = []

    def rows() -> Iterator[int]:
        try:
            yield from range(10 * SIZE)
        finally:
            ended.append(True)

    parts = batches(rows(), lambda part: b"x" * len(part))
    next(parts)
    parts.close()
    assert ended == [True]
