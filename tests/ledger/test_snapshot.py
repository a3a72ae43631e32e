"""Snapshots: one document, exact to the nano-dollar inside, and patches between two."""

import json
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.money import LIMIT, NANO, number
from ledger.revenue import Revenue
from ledger.snapshot import (
    Alert,
    Cash,
    Change,
    Costs,
    Snapshot,
    SourceState,
    Trading,
    apply,
    diff,
)

EMPTY = Snapshot(
    as_of=0,
    since=0,
    mode="demo",
    complete=False,
    trading=Trading(),
    revenue=Revenue(),
    costs=Costs(),
    cash=Cash(),
    change=Change(),
    sources={},
)
FULL = Snapshot(
    as_of=1_795_286_410_000_000,
    since=1_262_304_000_000_000,
    mode="live",
    complete=True,
    trading=Trading(-80_000_000, 1_234_567_891, 17_500_000, 12, 345),
    revenue=Revenue(100 * NANO, 20 * NANO, 3 * NANO, 50 * NANO, 12_500_000_000),
    costs=Costs(1_237_891_200, 500, unpriced=True),
    cash=Cash(98_018_600_000, 1_980_000_000),
    change=Change(-1, 2_000_000_000, 3 * NANO, 4 * NANO, -5 * NANO),
    sources={
        "kalshi": SourceState("ok", 1_795_286_410_000_000, 12),
        "anthropic": SourceState("failing", detail="credentials refused"),
    },
    alerts=(Alert("a", "warning", "late", 5),),
)


def test_the_document_is_the_wire_member_by_member() -> None:
    """1.137067891 trading + 100 revenue − 1.2378917 cost = 99.899176191, shown to six places."""
    assert FULL.document("e1", 7) == {
        "epoch": "e1",
        "seq": 7,
        "as_of": "2026-11-21T18:40:10.000000Z",
        "since": "2010-01-01T00:00:00.000000Z",
        "currency": "USD",
        "mode": "live",
        "complete": True,
        "net_pnl": Decimal("99.899176"),
        "trading": {
            "total": Decimal("1.137068"),
            "realized": Decimal("-0.08"),
            "unrealized": Decimal("1.234568"),
            "fees": Decimal("0.0175"),
            "open_positions": 12,
            "fills": 345,
        },
        "revenue": {
            "recognized": Decimal(100),
            "pending": Decimal(20),
            "deferred": Decimal(3),
            "pipeline": Decimal(50),
            "pipeline_weighted": Decimal("12.5"),
        },
        "costs": {
            "total": Decimal("1.237892"),
            "billed": Decimal("1.237891"),
            "estimated": Decimal(0),
            "unpriced": True,
        },
        "cash": {
            "balance": Decimal("98.0186"),
            "positions": Decimal("1.98"),
            "equity": Decimal("99.9986"),
        },
        "change": {
            "tick": Decimal(0),
            "today": Decimal(2),
            "week": Decimal(3),
            "month": Decimal(4),
            "year": Decimal(-5),
        },
        "sources": {
            "kalshi": {"status": "ok", "as_of": "2026-11-21T18:40:10.000000Z", "latency_ms": 12},
            "anthropic": {"status": "failing", "detail": "credentials refused"},
        },
        "alerts": [
            {
                "id": "a",
                "severity": "warning",
                "title": "late",
                "since": "1970-01-01T00:00:00.000005Z",
            }
        ],
    }


def test_every_figure_is_there_from_the_first_and_what_is_unknown_is_absent() -> None:
    document = EMPTY.document("e", 1)
    assert document["net_pnl"] == 0
    assert set(document["trading"].values()) == {0}
    assert set(document["revenue"].values()) == set(document["change"].values()) == {0}
    assert document["costs"]["unpriced"] is False
    assert document["complete"] is False
    assert (document["cash"], document["sources"], document["alerts"]) == ({}, {}, [])


def test_what_nothing_has_moved_is_exactly_zero() -> None:
    assert EMPTY.net == 0
    assert Trading() == Trading(0, 0, 0, 0, 0)
    assert Costs() == Costs(0, 0, unpriced=False)
    assert Change() == Change(0, 0, 0, 0, 0)
    assert Cash() == Cash(None, None)


@pytest.mark.parametrize(
    ("cash", "shown"),
    [
        (Cash(balance=0), {"balance": 0}),
        (Cash(positions=NANO), {"positions": 1}),
        (Cash(0, 0), {"balance": 0, "positions": 0, "equity": 0}),
        (Cash(), {}),
    ],
)
def test_equity_needs_both_its_parts(cash: Cash, shown: dict[str, int]) -> None:
    assert replace(EMPTY, cash=cash).document("e", 1)["cash"] == shown


def test_a_source_with_latency_zero_and_an_instant_zero_shows_both() -> None:
    states = {"kalshi": SourceState("ok", 0, 0)}
    shown = replace(EMPTY, sources=states).document("e", 1)["sources"]
    assert shown == {
        "kalshi": {"status": "ok", "as_of": "1970-01-01T00:00:00.000000Z", "latency_ms": 0}
    }


def test_alerts_are_the_first_twenty_by_severity_since_and_id() -> None:
    found = [
        *(Alert(f"w{i:02}", "warning", "t", 9 - i // 3) for i in range(20)),
        Alert("b", "critical", "t", 2),
        Alert("a", "critical", "t", 2),
        Alert("z", "critical", "t", 1),
    ]
    shown = replace(EMPTY, alerts=tuple(found)).document("e", 1)["alerts"]
    assert len(shown) == 20
    assert [alert["id"] for alert in shown[:6]] == ["z", "a", "b", "w18", "w19", "w15"]
    assert [alert["id"] for alert in shown[-2:]] == ["w04", "w05"]


def nulls(value: object) -> int:
    """Return how many nulls there are at any depth."""
    if isinstance(value, dict):
        return sum(map(nulls, value.values()))
    if isinstance(value, list):
        return sum(map(nulls, value))
    return value is None


MONEY = st.integers(-(10**15), 10**15)
SNAPSHOTS = st.builds(
    Snapshot,
    as_of=st.integers(0, 4 * 10**15),
    since=st.integers(0, 4 * 10**15),
    mode=st.sampled_from(["live", "demo"]),
    complete=st.booleans(),
    trading=st.builds(Trading, MONEY, MONEY, MONEY, st.integers(0, 9), st.integers(0, 9)),
    revenue=st.builds(Revenue, MONEY, MONEY, MONEY, MONEY, MONEY),
    costs=st.builds(Costs, MONEY, MONEY, st.booleans()),
    cash=st.builds(Cash, st.none() | MONEY, st.none() | MONEY),
    change=st.builds(Change, MONEY, MONEY, MONEY, MONEY, MONEY),
    sources=st.dictionaries(
        st.sampled_from(["kalshi", "anthropic", "revenue"]),
        st.builds(
            SourceState,
            st.sampled_from(["ok", "stale"]),
            st.none() | st.integers(0, 10**15),
            st.none() | st.integers(0, 99),
            st.sampled_from(["", "why"]),
        ),
    ),
    alerts=st.lists(
        st.builds(
            Alert, st.text(max_size=2), st.just("warning"), st.text(max_size=2), MONEY.map(abs)
        ),
        max_size=3,
    ).map(tuple),
)


@given(SNAPSHOTS)
def test_net_is_trading_and_revenue_less_costs(snapshot: Snapshot) -> None:
    trading, costs = snapshot.trading, snapshot.costs
    assert snapshot.net == trading.total + snapshot.revenue.recognized - costs.total
    assert trading.total == trading.realized + trading.unrealized - trading.fees
    assert costs.total == costs.billed + costs.estimated
    document = snapshot.document("e", 1)
    assert document["net_pnl"] == number(snapshot.net)
    assert document["trading"]["total"] == number(trading.total)
    assert document["costs"]["total"] == number(costs.total)
    assert nulls(document) == 0


@given(
    st.lists(st.integers(-(10**9), 10**9).map(lambda micro: micro * 1_000), min_size=6, max_size=6)
)
def test_whole_micro_dollars_add_up_in_the_document_itself(figures: list[int]) -> None:
    realized, unrealized, fees, recognized, billed, estimated = figures
    document = replace(
        EMPTY,
        trading=Trading(realized, unrealized, fees),
        revenue=Revenue(recognized),
        costs=Costs(billed, estimated),
    ).document("e", 1)
    trading, costs = document["trading"], document["costs"]
    assert trading["total"] == trading["realized"] + trading["unrealized"] - trading["fees"]
    assert costs["total"] == costs["billed"] + costs["estimated"]
    net = trading["total"] + document["revenue"]["recognized"] - costs["total"]
    assert document["net_pnl"] == net


@given(SNAPSHOTS)
def test_no_figure_is_ever_minus_zero_or_finer_than_a_micro_dollar(snapshot: Snapshot) -> None:
    def look(value: object) -> None:
        if isinstance(value, dict):
            for member in value.values():
                look(member)
        if isinstance(value, Decimal):
            exponent = value.as_tuple().exponent
            assert isinstance(exponent, int)
            assert -6 <= exponent <= 0
            assert value or not value.is_signed()

    look(snapshot.document("e", 1))


def test_the_largest_figures_still_have_their_micro_dollars() -> None:
    shown = replace(EMPTY, trading=Trading(LIMIT, LIMIT, -LIMIT)).document("e", 1)
    assert shown["trading"]["realized"] == Decimal("9223372036.854776")
    assert shown["net_pnl"] == Decimal("27670116110.564327")


def test_a_patch_holds_only_what_changed() -> None:
    later = replace(FULL, trading=replace(FULL.trading, fills=346))
    patch = diff(FULL.document("e", 7), later.document("e", 8))
    assert patch == {"seq": 8, "trading": {"fills": 346}}


def test_equal_documents_have_an_empty_patch() -> None:
    assert diff(FULL.document("e", 7), FULL.document("e", 7)) == {}


def test_a_member_that_became_unknown_is_removed_by_null() -> None:
    before = replace(EMPTY, cash=Cash(0, 0)).document("e", 1)
    after = replace(EMPTY, cash=Cash(balance=0)).document("e", 1)
    assert diff(before, after) == {"cash": {"equity": None, "positions": None}}


@pytest.mark.parametrize(
    ("a", "b", "patch"),
    [
        ({"n": 1}, {"n": Decimal("1.0")}, {}),
        ({"n": Decimal(2)}, {"n": 3}, {"n": 3}),
        ({"n": 1}, {"n": True}, {"n": True}),
        ({"n": False}, {"n": Decimal(0)}, {"n": Decimal(0)}),
        ({"n": [True, {"m": 0}]}, {"n": [1, {"m": False}]}, {"n": [1, {"m": False}]}),
        ({"n": [{"m": 1}]}, {"n": [{"m": 1}, {}]}, {"n": [{"m": 1}, {}]}),
        ({"n": [{"m": 1}]}, {"n": [{"m": Decimal(1)}]}, {}),
        ({"n": {}}, {"n": []}, {"n": []}),
        ({"n": {"m": 1}}, {"n": {}}, {"n": {"m": None}}),
        ({"n": 1}, {"n": {}}, {"n": {}}),
        ({}, {"n": {"m": {"o": 1}}}, {"n": {"m": {"o": 1}}}),
        ({"n": "1"}, {"n": 1}, {"n": 1}),
    ],
)
def test_numbers_are_equal_by_value_and_never_to_a_truth(
    a: dict[str, Any], b: dict[str, Any], patch: dict[str, Any]
) -> None:
    assert exact(diff(a, b)) == exact(patch)
    assert exact(apply(a, diff(a, b))) == exact(b)


@pytest.mark.parametrize(
    ("document", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_patches_apply_as_the_examples_of_rfc_7396(
    document: dict[str, Any], patch: dict[str, Any], result: dict[str, Any]
) -> None:
    assert apply(document, patch) == result


VALUES = st.recursive(
    st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([Decimal(0), Decimal(1), Decimal("0.5"), Decimal("-1.25")])
    | st.sampled_from(["", "a", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.sampled_from("abc"), VALUES)


def exact(value: object) -> str:
    """Return a text in which truths, words and numbers differ and equal numbers agree."""
    if isinstance(value, dict):
        members = (f"{name}:{exact(value[name])}" for name in sorted(value))
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(exact, value)) + "]"
    if isinstance(value, bool | str) or value is None:
        return json.dumps(value)
    assert isinstance(value, int | Decimal)
    return str(Decimal(value).normalize())


@given(DOCUMENTS, DOCUMENTS)
def test_a_patch_turns_any_document_into_any_other(a: dict[str, Any], b: dict[str, Any]) -> None:
    before = deepcopy((a, b))
    assert exact(apply(a, diff(a, b))) == exact(b)
    assert (a, b) == before


@given(SNAPSHOTS, SNAPSHOTS)
def test_a_patch_turns_any_snapshot_into_any_other(a: Snapshot, b: Snapshot) -> None:
    old, new = a.document("e", 1), b.document("f", 2)
    assert exact(apply(old, diff(old, new))) == exact(new)


@given(DOCUMENTS)
def test_a_document_differs_from_itself_in_nothing(document: dict[str, Any]) -> None:
    assert diff(document, deepcopy(document)) == {}
    assert exact(apply(document, {})) == exact(document)


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_patches_overlap_without_harm(
    a: dict[str, Any], b: dict[str, Any], c: dict[str, Any]
) -> None:
    """A patch applied twice, or one made for an equal head, changes nothing more."""
    head = apply(apply(a, diff(a, b)), diff(b, c))
    assert exact(head) == exact(c)
    assert exact(apply(head, diff(b, c))) == exact(c)
