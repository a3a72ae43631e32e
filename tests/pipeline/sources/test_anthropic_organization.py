"""The organization: names of its ids, a spend limit that lasts, errors with their request id."""

from collections.abc import Iterator, Sequence

import pytest

from ledger.moment import HOUR, MINUTE
from pipeline.sources.client import Broken, Throttled
from storage.facts import Name, Page
from tests.pipeline.sources.anthropic_account import Make, caught_up, merged, opened, poll
from tests.pipeline.sources.anthropic_upstream import ANALYTICS, analytics
from tests.pipeline.sources.conftest import NOON, Hands
from tests.pipeline.sources.upstream import Answer, Reply, Request, Upstream

WORKSPACES = "/v1/organizations/workspaces"
API_KEYS = "/v1/organizations/api_keys"
CAPPED = {
    "type": "error",
    "error": {"type": "rate_limit_error", "message": "You have reached your spend limit"},
    "request_id": "req_7",
}


@pytest.fixture
def make(upstream: Upstream, hands: Hands) -> Iterator[Make]:
    with opened(upstream, hands) as build:
        upstream.on(ANALYTICS, analytics(list, lambda: NOON))
        yield build


def listed(rows: Sequence[tuple[str, str | None]], size: int = 2) -> Answer:
    """Answer a list by id, in pages of `size`."""

    def answer(request: Request) -> Reply:
        ids = [identity for identity, _ in rows]
        after = request.arg("after_id")
        first = ids.index(after) + 1 if after else 0
        page = rows[first : first + size]
        data = [{"id": identity, "name": name} for identity, name in page]
        ends = {"first_id": page[0][0], "last_id": page[-1][0]}
        return Reply({"data": data, "has_more": first + size < len(rows), **ends})

    return answer


def names(pages: list[Page]) -> list[Name]:
    return [name for page in pages for name in page.names]


def unnamed(**more: str) -> dict[str, str]:
    return caught_up() | {"names_at": ""} | more


def test_workspaces_and_keys_are_named_from_every_page(make: Make, upstream: Upstream) -> None:
    upstream.on(WORKSPACES, listed([("w1", "Research"), ("w2", "Trading"), ("w3", "Old")]))
    upstream.on(API_KEYS, listed([("k1", "Robot")]))
    pages = poll(make(), unnamed())
    assert names(pages) == [
        Name("workspace", "w1", "Research"),
        Name("workspace", "w2", "Trading"),
        Name("workspace", "w3", "Old"),
        Name("api_key", "k1", "Robot"),
    ]
    assert upstream.asked(WORKSPACES)[0].arg("include_archived") == "true"


def test_names_are_read_every_six_hours_also_across_restarts(
    make: Make, upstream: Upstream
) -> None:
    upstream.on(WORKSPACES, listed([("w1", "Research")]))
    upstream.on(API_KEYS, listed([("k1", "Robot")]))
    cursor = unnamed() | merged(poll(make(), unnamed()))
    assert names(poll(make(), cursor, NOON + 5 * HOUR)) == []
    assert len(names(poll(make(), cursor, NOON + 6 * HOUR))) == 2


@pytest.mark.parametrize("status", [403, 404])
def test_without_names_the_ids_are_shown_and_nothing_fails(
    make: Make, upstream: Upstream, status: int
) -> None:
    upstream.on(WORKSPACES, Reply({}, status))
    upstream.on(API_KEYS, listed([("k1", None), ("k2", "Robot")]))
    pages = poll(make(), unnamed())
    assert names(pages) == [Name("api_key", "k2", "Robot")]
    assert merged(pages)["names_at"] == str(NOON)


def test_an_account_that_knows_fewer_wishes_is_asked_for_less(
    make: Make, upstream: Upstream
) -> None:
    answer = listed([("w1", "Research")])

    def plain(request: Request) -> Reply:
        return Reply({}, 400) if request.arg("include_default") else answer(request)

    upstream.on(WORKSPACES, plain)
    assert names(poll(make(), unnamed())) == [Name("workspace", "w1", "Research")]


def test_names_that_fail_are_tried_again_with_the_next_poll(make: Make, upstream: Upstream) -> None:
    upstream.on(WORKSPACES, Reply({}, 500), listed([("w1", "Research")]))
    source = make()
    assert "names_at" not in merged(poll(source, unnamed()))
    assert names(poll(source, unnamed())) == [Name("workspace", "w1", "Research")]


def test_a_spend_limit_is_not_knocked_at_for_a_quarter_of_an_hour(
    make: Make, upstream: Upstream, hands: Hands
) -> None:
    upstream.on(ANALYTICS, Reply(CAPPED, 429))
    source = make()
    with pytest.raises(Throttled, match=r"spend limit.*req_7"):
        poll(source, caught_up())
    asked = len(upstream.asked(ANALYTICS))
    upstream.on(ANALYTICS, analytics(list, lambda: NOON))
    hands.seconds += 600
    with pytest.raises(Throttled, match="spend limit") as waits:
        poll(source, caught_up(), NOON + 10 * MINUTE)
    assert waits.value.wait is not None
    assert waits.value.wait <= 300
    assert len(upstream.asked(ANALYTICS)) == asked
    hands.seconds += 301
    assert poll(source, caught_up(), NOON + 16 * MINUTE)


def test_a_429_that_is_no_spend_limit_is_asked_again_soon(
    make: Make, upstream: Upstream, hands: Hands
) -> None:
    body = {"type": "error", "error": {"type": "rate_limit_error", "message": "Too many"}}
    whole = analytics(list, lambda: NOON)
    upstream.on(ANALYTICS, Reply(body, 429, {"Retry-After": "30"}), whole)
    source = make()
    with pytest.raises(Throttled):
        poll(source, caught_up())
    hands.seconds += 31
    assert poll(source, caught_up(), NOON + MINUTE)


def test_an_error_says_its_type_its_message_and_its_request(make: Make, upstream: Upstream) -> None:
    error = {"type": "overloaded_error", "message": "Overloaded"}
    upstream.on(ANALYTICS, Reply({"type": "error", "error": error, "request_id": "req_42"}, 529))
    with pytest.raises(Broken, match=r"529: Overloaded.*\(req_42\)"):
        poll(make(), caught_up())


def test_an_error_of_no_json_is_told_as_it_is(make: Make, upstream: Upstream) -> None:
    upstream.on(ANALYTICS, Reply("<html>busy</html>", 502))
    with pytest.raises(Broken, match="502: <html>busy"):
        poll(make(), caught_up())
