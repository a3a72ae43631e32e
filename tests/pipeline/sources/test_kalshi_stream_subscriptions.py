"""Subscriptions: commands one after the other, each answer taken note of."""

from typing import Any

import pytest

from pipeline.sources.kalshi_stream_subscriptions import (
    ACCOUNT,
    AT_ONCE,
    Subscriptions,
    Unsubscribed,
)

Command = dict[str, Any]


def subscribed(ours: Subscriptions, command: Command, sid: int = 9) -> None:
    for channel in command["params"]["channels"]:
        msg = {"channel": channel, "sid": sid}
        assert not list(ours.told("subscribed", {"id": command["id"], "msg": msg}))


def refused(ours: Subscriptions, number: int | None, code: int) -> list[Command]:
    known = {} if number is None else {"id": number}
    return list(ours.told("error", {**known, "msg": {"code": code, "msg": "no"}}))


def done(ours: Subscriptions, command: Command) -> None:
    assert not list(ours.told("ok", {"id": command["id"], "sid": 9, "msg": {}}))


@pytest.fixture
def ours() -> Subscriptions:
    """Return subscriptions with every channel of the account."""
    made = Subscriptions()
    for command in made.opening():
        subscribed(made, command, 1)
    return made


def watching(ours: Subscriptions, *tickers: str) -> list[Command]:
    return list(ours.watching(frozenset(tickers)))


def test_it_is_ready_once_the_last_channel_of_the_account_is_granted() -> None:
    ours = Subscriptions()
    commands = list(ours.opening())
    assert [command["params"]["channels"] for command in commands] == [[name] for name in ACCOUNT]
    assert len({command["id"] for command in commands}) == len(commands)
    states = []
    for command in commands:
        states.append(ours.ready)
        subscribed(ours, command)
    assert [*states, ours.ready] == [False, False, False, True]


def test_nothing_is_asked_twice_and_nothing_while_an_answer_is_awaited(ours: Subscriptions) -> None:
    assert watching(ours) == []
    (first,) = watching(ours, "A", "B")
    assert watching(ours, "A", "B", "C") == []
    subscribed(ours, first)
    assert watching(ours, "A", "B") == []
    (more,) = watching(ours, "A", "B", "C")
    assert more["params"] == {"sids": [9], "action": "add_markets", "market_tickers": ["C"]}


def test_many_markets_are_asked_for_in_parts(ours: Subscriptions) -> None:
    names = [f"M{number:03}" for number in range(2 * AT_ONCE + 1)]
    (first,) = watching(ours, *names)
    assert first["params"]["market_tickers"] == names[:AT_ONCE]
    subscribed(ours, first)
    rest = watching(ours, *names)
    assert [len(command["params"]["market_tickers"]) for command in rest] == [AT_ONCE, 1]
    for command in rest:
        done(ours, command)
    assert watching(ours, *names) == []


def test_a_market_nobody_knows_costs_the_others_nothing(ours: Subscriptions) -> None:
    (first,) = watching(ours, "A", "GONE", "B")
    singles = refused(ours, first["id"], 16)
    assert [command["params"]["market_tickers"] for command in singles] == [["A"], ["B"], ["GONE"]]
    subscribed(ours, singles[0])
    done(ours, singles[1])
    assert refused(ours, singles[2]["id"], 16) == []
    assert watching(ours, "A", "GONE", "B") == []
    (gone,) = watching(ours, "A", "GONE")
    assert gone["params"] == {"sids": [9], "action": "delete_markets", "market_tickers": ["B"]}


def test_a_market_nobody_knows_is_found_out_later_too(ours: Subscriptions) -> None:
    (first,) = watching(ours, "A")
    subscribed(ours, first)
    (more,) = watching(ours, "A", "B", "GONE")
    again = refused(ours, more["id"], 16)
    assert [command["params"]["action"] for command in again] == ["add_markets"] * 2
    done(ours, again[0])
    assert refused(ours, again[1]["id"], 16) == []
    assert watching(ours, "A", "B", "GONE") == []


def test_without_any_market_the_subscription_ends_and_begins_anew(ours: Subscriptions) -> None:
    (first,) = watching(ours, "A")
    subscribed(ours, first)
    (end,) = watching(ours)
    assert (end["cmd"], end["params"]) == ("unsubscribe", {"sids": [9]})
    assert not list(ours.told("unsubscribed", {"id": end["id"], "sid": 9}))
    (anew,) = watching(ours, "B")
    assert anew["cmd"] == "subscribe"


@pytest.mark.parametrize("code", [6, 7])
def test_what_is_so_already_is_no_error(ours: Subscriptions, code: int) -> None:
    assert refused(ours, 99, code) == []


@pytest.mark.parametrize(("code", "forbidden"), [(8, True), (9, True), (10, True), (17, False)])
def test_a_refusal_says_whether_asking_again_helps(
    ours: Subscriptions,
    code: int,
    forbidden: bool,  # noqa: FBT001 -- a parameter of the case
) -> None:
    with pytest.raises(Unsubscribed, match=f"subscription error {code}: no") as caught:
        refused(ours, 1, code)
    assert caught.value.forbidden is forbidden


@pytest.mark.parametrize("code", [16, 25])
def test_an_error_of_no_command_ends_all(ours: Subscriptions, code: int) -> None:
    with pytest.raises(Unsubscribed):
        refused(ours, None, code)


@pytest.mark.parametrize("answer", [{"id": True}, {"id": "1", "msg": None}, {"msg": {"code": "x"}}])
def test_an_answer_of_another_shape_is_an_error_of_no_command(
    ours: Subscriptions, answer: dict[str, Any]
) -> None:
    assert not list(ours.told("ok", answer))
    with pytest.raises(Unsubscribed):
        list(ours.told("error", answer))
