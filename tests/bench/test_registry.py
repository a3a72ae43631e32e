"""Registry: every benchmark there is, by name."""

from dataclasses import replace

import pytest

from bench.harness import Case, Contender, Differs, Scale, agree
from bench.registry import BENCHMARKS

QUICK = {name: each.prepare(Scale.QUICK) for name, each in BENCHMARKS.items()}
CASES = [pytest.param(case, id=case.title) for cases in QUICK.values() for case in cases]
PEERS = [
    pytest.param(case, peer, id=f"{peer.name}: {case.title}")
    for cases in QUICK.values()
    for case in cases
    for peer in case.contenders[1:]
]


@pytest.mark.parametrize("case", CASES)
def test_all_contenders_of_a_case_do_the_same_job(case: Case) -> None:
    agree(case)


@pytest.mark.parametrize(("case", "peer"), PEERS)
def test_a_peer_that_leaves_a_part_out_is_refused(case: Case, peer: Contender) -> None:
    """What is compared is the whole result: dropping its last part is noticed."""

    def shorter(result: object) -> object:
        whole = peer.comparable(result)
        assert isinstance(whole, dict | list)
        return dict(list(whole.items())[:-1]) if isinstance(whole, dict) else whole[:-1]

    lazy = replace(peer, comparable=shorter)
    with pytest.raises(Differs, match="gives another result"):
        agree(replace(case, contenders=(case.contenders[0], lazy)))


@pytest.mark.parametrize("case", CASES)
def test_names_tell_contenders_apart_and_goals_name_one_of_the_peers(case: Case) -> None:
    names = [contender.name for contender in case.contenders]
    assert len(set(names)) == len(names) > 1
    assert {goal.peer for goal in case.goals if goal.peer} <= set(names[1:])


def test_a_benchmark_is_registered_under_its_own_name() -> None:
    assert {"fold", "minutes", "document"} <= BENCHMARKS.keys()
    assert all(name == each.name for name, each in BENCHMARKS.items())
