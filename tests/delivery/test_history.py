"""History: from any position in the window, one patch gives the head exactly."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from delivery import history
from delivery.history import History
from ledger.snapshot import apply
from storage import text
from storage.reader import Head

NAMES = st.sampled_from("abc")
LEAVES = (
    st.integers(-2, 2)
    | st.booleans()
    | st.sampled_from([Decimal("0.1"), Decimal("-1.5"), "", "text"])
    | st.lists(st.integers(0, 1) | st.booleans(), max_size=2)
)
VALUES = st.recursive(LEAVES, lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=9)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=3)


def head(seq: int, document: dict[str, Any], as_of: int = 0) -> Head:
    return Head("e", seq, as_of, text.encode(document))


def told(documents: list[dict[str, Any]]) -> History:
    found = History(head(0, documents[0]))
    for seq, document in enumerate(documents[1:], 1):
        found.add(head(seq, document))
    return found


@given(st.lists(DOCUMENTS, min_size=1, max_size=8))
def test_a_patch_from_any_position_gives_the_head_exactly(
    documents: list[dict[str, Any]],
) -> None:
    known = told(documents)
    for seq, document in enumerate(documents):
        assert repr_of(apply(document, known.patch(seq))) == repr_of(documents[-1])


@given(st.lists(DOCUMENTS, min_size=2, max_size=8), st.data())
def test_a_patch_applies_to_every_position_from_its_prev_on(
    documents: list[dict[str, Any]], data: st.DataObject
) -> None:
    known = told(documents)
    prev = data.draw(st.integers(0, len(documents) - 1))
    for document in documents[prev:]:
        assert repr_of(apply(document, known.patch(prev))) == repr_of(documents[-1])


def repr_of(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: repr_of(member) for name, member in value.items()}
    return repr(value)


def test_what_did_not_change_is_not_sent() -> None:
    known = told([{"a": 1, "b": {"c": 2, "d": 3}}, {"a": 1, "b": {"c": 5, "d": 3}}])
    assert known.patch(0) == {"b": {"c": 5}}


def test_a_deletion_is_sent_until_it_leaves_the_window() -> None:
    known = told([{"a": 1, "b": 2}, {"a": 1}, {"a": 2}])
    assert known.patch(0) == {"a": 2, "b": None}
    assert known.patch(1) == {"a": 2}


def test_a_list_is_replaced_as_a_whole() -> None:
    known = told([{"alerts": [{"id": "x"}]}, {"alerts": [{"id": "x"}, {"id": "y"}]}])
    assert known.patch(0) == {"alerts": [{"id": "x"}, {"id": "y"}]}


def test_the_window_holds_300_snapshots() -> None:
    known = told([{"n": n} for n in range(history.SNAPSHOTS + 51)])
    assert known.floor == 50
    assert known.covers("e", 50)
    assert not known.covers("e", 49)
    assert not known.covers("other", 60)
    assert not known.covers("e", known.head.seq + 1)


def test_the_window_holds_10_minutes() -> None:
    known = History(head(0, {"n": 0}))
    for seq in range(1, 12):
        known.add(head(seq, {"n": seq}, as_of=seq * history.AGE // 10))
    assert known.floor == 1


def test_a_long_silence_leaves_the_head_alone() -> None:
    known = History(head(0, {"n": 0, "m": 0}))
    known.add(head(1, {"n": 1}, as_of=3 * history.AGE))
    assert known.floor == 1
    assert known.patch(1) == {}
