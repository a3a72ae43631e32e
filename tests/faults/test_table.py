"""The table of faults in the docs is the suite's own, line by line."""

from pathlib import Path

import pytest

from tests.faults.case import Case
from tests.faults.stage import NAMES
from tests.faults.table import CASES

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"


def told() -> list[str]:
    return [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]


def test_the_docs_tell_every_case_and_no_other() -> None:
    assert [line.split("`")[1] for line in told()] == [case.id for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_docs_tell_a_case_as_it_is_played(case: Case) -> None:
    assert case.line() in told()


def test_every_case_has_an_id_of_its_own_and_a_source() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
    assert all(case.without.keys() < set(NAMES) for case in CASES)
