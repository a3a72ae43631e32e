"""Every fault an upstream may show, at each of the three sources, over real HTTP."""

from collections.abc import Callable

import pytest

from tests.faults import table
from tests.faults.case import Case
from tests.faults.stage import NAMES, Stage, secrets

PLAYED = [
    pytest.param(case, name, id=f"{case.id}-{name}")
    for case in table.CASES
    for name in NAMES
    if name not in case.without
]


@pytest.mark.parametrize(("case", "name"), PLAYED)
def test_a_fault_counts_nothing_wrong_and_stops_nothing_else(
    case: Case,
    name: str,
    staged: Callable[[str], Stage],
    capsys: pytest.CaptureFixture[str],
) -> None:
    stage = staged(name)
    case.play(stage)
    told = stage.texts() + "".join(capsys.readouterr())
    assert [secret for secret in secrets(list(stage.upstreams.values())) if secret in told] == []
