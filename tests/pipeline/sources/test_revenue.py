"""Revenue over real HTTP: the contract's list, whole and by what changed."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ledger import moment
from ledger.facts import Deal, Status
from ledger.moment import DAY, HOUR, MINUTE
from pipeline.sources import revenue_rows
from pipeline.sources.client import Broken, Refused, Resting
from pipeline.sources.fields import FieldError, Fields
from pipeline.sources.revenue import Revenue
from pipeline.sources.source import Deadline, Held
from storage.facts import Page
from tests.pipeline.sources.conftest import NOON, Hands
from tests.pipeline.sources.upstream import Reply, Request, Upstream, paged

Row = dict[str, Any]


def deal_row(number: int, **changes: object) -> Row:
    """Return deal `number`, changed that many hours before noon."""
    row: Row = {
        "id": f"deal-{number}",
        "name": f"Deal {number}",
        "status": "recognized",
        "amount": "12500.50",
        "currency": "USD",
        "closed_date": "2026-11-01",
        "recognized_at": None,
        "service_start": None,
        "service_end": None,
        "probability": None,
        "customer": "Acme",
        "owner": None,
        "stage": None,
        "url": None,
        "notes": "two\nlines",
        "updated_at": moment.text(NOON - number * HOUR),
    }
    return row | changes


@pytest.fixture
def revenue(upstream: Upstream, hands: Hands) -> Iterator[Revenue]:
    source = Revenue(upstream.url, "token", timepiece=hands.timepiece())
    yield source
    source.close()


def contract(rows: list[Row], size: int = 2) -> Any:
    """Answer /deals as the contract says."""

    def answer(request: Request) -> Reply:
        since = request.arg("updated_since")
        least = moment.parse(since) if since else 0
        changed = [row for row in rows if moment.parse(row["updated_at"]) >= least]
        return paged("data", "next_cursor", changed, size)(request)

    return answer


def merged(pages: list[Page]) -> dict[str, str]:
    return {name: value for page in pages for name, value in page.cursor.items()}


def ids(pages: list[Page]) -> list[str]:
    return [fact.id for page in pages for fact in page.facts if isinstance(fact, Deal)]


def poll(source: Revenue, cursor: dict[str, str], now: int = NOON) -> list[Page]:
    return list(source.poll(cursor, Held(now=now), Deadline.after(3.0)))


def test_the_history_is_every_deal(revenue: Revenue, upstream: Upstream) -> None:
    upstream.on("/deals", contract([deal_row(n) for n in range(5)]))
    pages = list(revenue.history({}))
    assert ids(pages) == [f"deal-{n}" for n in range(5)]
    known = {"page": "", "head": str(NOON), "complete": "1", "listed_at": str(NOON)}
    known["began"] = str(NOON)
    assert merged(pages) == known
    asked = upstream.seen[0]
    assert asked.headers["Authorization"] == "Bearer token"
    assert asked.query == [("limit", "200")]
    assert list(revenue.history(known)) == []


def test_an_interrupted_history_goes_on_at_its_page(revenue: Revenue, upstream: Upstream) -> None:
    upstream.on("/deals", contract([deal_row(n) for n in range(5)]))
    whole = list(revenue.history({}))
    rest = list(revenue.history(merged(whole[:1])))
    assert ids(whole[:1] + rest) == ids(whole)
    assert merged(rest)["head"] == str(NOON)


def test_without_a_token_none_is_sent(upstream: Upstream, hands: Hands) -> None:
    upstream.on("/deals", Reply([]))
    source = Revenue(upstream.url, timepiece=hands.timepiece())
    list(source.history({}))
    source.close()
    assert "Authorization" not in upstream.seen[0].headers


def test_a_bare_list_is_accepted(revenue: Revenue, upstream: Upstream) -> None:
    upstream.on("/deals", Reply([deal_row(0), deal_row(1)]))
    pages = list(revenue.history({}))
    assert ids(pages) == ["deal-0", "deal-1"]
    assert merged(pages)["complete"] == "1"
    assert ids(poll(revenue, merged(pages))) == ["deal-0", "deal-1"]


def test_a_poll_asks_for_what_changed_with_an_overlap(revenue: Revenue, upstream: Upstream) -> None:
    upstream.on("/deals", contract([deal_row(n) for n in range(9)]))
    cursor = {"complete": "1", "head": str(NOON - 3 * HOUR), "listed_at": str(NOON)}
    pages = poll(revenue, cursor)
    assert upstream.seen[0].arg("updated_since") == moment.text(NOON - 3 * HOUR - 10 * MINUTE)
    assert ids(pages) == ["deal-0", "deal-1", "deal-2", "deal-3"]
    assert merged(pages)["head"] == str(NOON)
    assert [page.cursor for page in pages[:-1]] == [{}]


def test_a_change_dated_ahead_is_refused_and_hides_no_later_one(
    revenue: Revenue, upstream: Upstream
) -> None:
    """Minutes are a clock's fault; a version of days ahead would outlast every true one."""
    upstream.on("/deals", contract([deal_row(-1_000), deal_row(-4)]))
    (page,) = revenue.history({})
    assert ids([page]) == ["deal--4"]
    assert [(row.identity, row.field) for row in page.rejects] == [("deal--1000", "updated_at")]
    assert page.cursor["head"] == str(NOON)
    assert merged(poll(revenue, {"head": str(NOON - DAY)}))["head"] == str(NOON)


def test_once_a_day_everything_is_read_again(revenue: Revenue, upstream: Upstream) -> None:
    """A deal whose updated_at lies before the head: only the nightly list brings it."""
    rows = [deal_row(0)]
    upstream.on("/deals", contract(rows))
    cursor = merged(list(revenue.history({})))
    rows.append(deal_row(50))
    assert ids(poll(revenue, cursor, NOON + HOUR)) == ["deal-0"]
    pages = poll(revenue, cursor, NOON + DAY + 1)
    assert ids(pages) == ["deal-0", "deal-0", "deal-50"]
    assert merged(pages)["listed_at"] == str(NOON)


def test_a_deal_that_cannot_be_read_is_set_apart(revenue: Revenue, upstream: Upstream) -> None:
    bad = deal_row(1)
    del bad["amount"]
    upstream.on("/deals", Reply({"data": [deal_row(0), bad, deal_row(2)], "next_cursor": None}))
    pages = list(revenue.history({}))
    assert ids(pages) == ["deal-0", "deal-2"]
    rejects = [(r.source, r.identity, r.field) for page in pages for r in page.rejects]
    assert rejects == [("revenue", "deal-1", "amount")]


def versioned(request: Request, body: object, etag: str) -> Reply:
    """Answer 304 to whoever holds this version."""
    same = request.headers.get("If-None-Match") == etag
    return Reply(b"" if same else body, 304 if same else 200, {"ETag": etag})


def test_an_answer_that_is_as_it_was_is_not_sent_again(
    revenue: Revenue, upstream: Upstream
) -> None:
    rows, etag = [deal_row(0)], ['"1"']
    upstream.on("/deals", lambda request: versioned(request, rows, etag[0]))
    cursor = merged(list(revenue.history({})))
    assert ids(poll(revenue, cursor)) == ["deal-0"]
    assert ids(poll(revenue, cursor)) == []
    assert "If-None-Match" not in upstream.seen[1].headers
    assert upstream.seen[2].headers["If-None-Match"] == '"1"'
    rows.append(deal_row(1))
    etag[0] = '"2"'
    assert ids(poll(revenue, cursor)) == ["deal-0", "deal-1"]


def test_pages_have_no_version_of_their_own(revenue: Revenue, upstream: Upstream) -> None:
    """The first page may stay as it is while the second changes."""
    rows = [deal_row(n) for n in range(3)]

    def answer(request: Request) -> Reply:
        return Reply(paged("data", "next_cursor", rows, 2)(request).body, headers={"ETag": '"1"'})

    upstream.on("/deals", answer)
    for _ in range(3):
        assert ids(poll(revenue, {"head": str(NOON), "listed_at": str(NOON)})) == [
            "deal-0",
            "deal-1",
            "deal-2",
        ]
    assert not any("If-None-Match" in request.headers for request in upstream.seen)


def test_a_304_nobody_asked_for_is_broken(revenue: Revenue, upstream: Upstream) -> None:
    upstream.on("/deals", Reply(b"", 304))
    with pytest.raises(Broken):
        poll(revenue, {})


def test_what_changes_while_the_history_is_read_is_read_again(
    revenue: Revenue, upstream: Upstream, hands: Hands
) -> None:
    """A later page was changed after the first was read, which may have been so too."""

    def answer(request: Request) -> Reply:
        page = int(request.arg("cursor") or 0)
        changed = deal_row(page, updated_at=moment.text(hands.now()))
        return Reply({"data": [changed], "next_cursor": str(page + 1) if page < 2 else None})

    upstream.on("/deals", answer)
    pages = []
    for page in revenue.history({}):
        pages.append(page)
        hands.seconds += 3_600
    assert len(pages) == 3
    assert merged(pages)["head"] == str(NOON)


@pytest.mark.parametrize(
    ("as_of", "kept"),
    [
        (moment.text(NOON - DAY), str(NOON - DAY)),
        (moment.text(NOON + DAY), str(NOON)),
        ("yesterday", None),
        ("2026-11-20", None),
        (7, None),
        (None, None),
    ],
)
def test_how_old_the_deals_are_is_kept(
    revenue: Revenue, upstream: Upstream, as_of: object, kept: str | None
) -> None:
    upstream.on("/deals", Reply({"data": [], "next_cursor": None, "as_of": as_of}))
    assert merged(poll(revenue, {})).get("data_refreshed_at") == kept


def test_a_304_is_as_fresh_as_the_answer_it_stands_for(
    revenue: Revenue, upstream: Upstream, hands: Hands
) -> None:
    body = {"data": [], "as_of": moment.text(NOON - HOUR)}
    upstream.on("/deals", lambda request: versioned(request, body, '"1"'))
    for hours in range(3):
        hands.seconds = hours * 3_600.0
        assert merged(poll(revenue, {}))["data_refreshed_at"] == str(NOON + (hours - 1) * HOUR)


def test_a_deal_missing_from_a_complete_list_is_no_news(
    revenue: Revenue, upstream: Upstream
) -> None:
    rows = [deal_row(0), deal_row(1)]
    upstream.on("/deals", contract(rows))
    cursor = merged(list(revenue.history({})))
    rows.pop()
    pages = poll(revenue, cursor, NOON + DAY + 1)
    assert set(ids(pages)) == {"deal-0"}
    assert ids(list(revenue.listing(Deadline.after(3.0)))) == ["deal-0"]


def test_a_storm_is_waited_out_and_no_failure(
    revenue: Revenue, upstream: Upstream, hands: Hands
) -> None:
    upstream.on("/deals", Reply({}, 429, {"Retry-After": "2"}), contract([deal_row(0)]))
    pages = list(revenue.poll({}, Held(now=NOON), hands.deadline()))
    assert (ids(pages)[0], hands.slept) == ("deal-0", [2.0])
    assert revenue.breaker.state == "closed"


def test_after_three_failed_polls_it_is_left_alone(revenue: Revenue, upstream: Upstream) -> None:
    upstream.on("/deals", Reply({"error": {"code": "x", "message": "on fire"}}, 500))
    for _ in range(3):
        with pytest.raises(Broken, match="on fire"):
            poll(revenue, {})
    with pytest.raises(Resting):
        poll(revenue, {})
    assert len(upstream.seen) == 3


@pytest.mark.parametrize("body", [{"deals": []}, {"data": None}, "text", 7])
def test_another_shape_is_broken_not_empty(
    revenue: Revenue, upstream: Upstream, body: object
) -> None:
    upstream.on("/deals", Reply(body))
    with pytest.raises(Broken):
        list(revenue.history({}))


def test_a_refused_token_is_told(revenue: Revenue, upstream: Upstream) -> None:
    upstream.on("/deals", Reply({"error": {"code": "unauthorized", "message": "no"}}, 401))
    with pytest.raises(Refused, match="GET /deals was answered 401"):
        poll(revenue, {})


def read(**changes: object) -> Deal:
    return revenue_rows.deal(Fields(deal_row(0) | changes))


def test_a_deal_is_read_field_by_field() -> None:
    assert read(probability="0.4", status="pipeline") == Deal(
        source="revenue",
        id="deal-0",
        name="Deal 0",
        status=Status.PIPELINE,
        amount=12_500_500_000_000,
        updated_at=NOON,
        closed_date=date(2026, 11, 1),
        probability=Decimal("0.4"),
        customer="Acme",
        notes="two\nlines",
    )


def test_a_json_number_that_is_exact_is_an_amount() -> None:
    assert read(amount=Decimal("0.1")).amount == 100_000_000
    assert read(amount=-250).amount == -250_000_000_000


def test_a_probability_is_ignored_unless_the_deal_is_in_the_pipeline() -> None:
    assert read(probability="150").probability is None


def test_another_currency_keeps_its_rate() -> None:
    deal = read(currency="EUR", rate="1.0875", rate_date="2026-11-01")
    assert (deal.currency, deal.rate, deal.rate_date) == (
        "EUR",
        Decimal("1.0875"),
        date(2026, 11, 1),
    )
    assert read(currency="EUR").usd is None


def test_a_number_may_be_an_id() -> None:
    assert read(id=17).id == "17"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": None}, "id"),
        ({"id": True}, "id"),
        ({"name": ""}, "name"),
        ({"status": None}, "status"),
        ({"status": "won"}, "status"),
        ({"amount": None}, "amount"),
        ({"amount": Decimal("0.30000000000000004")}, "amount"),
        ({"amount": "1e400"}, "amount"),
        ({"amount": "ten"}, "amount"),
        ({"updated_at": None}, "updated_at"),
        ({"updated_at": "2026-11-20"}, "updated_at"),
        ({"currency": "usd"}, "currency"),
        ({"currency": "DOLLAR"}, "currency"),
        ({"closed_date": "01.11.2026"}, "closed_date"),
        ({"closed_date": None}, "closed_date"),
        ({"probability": "1.5", "status": "pipeline"}, "probability"),
        ({"rate": "0", "currency": "EUR"}, "rate"),
        ({"rate": "9", "currency": "EUR", "amount": "9000000000"}, "rate"),
        ({"closed_date": "2009-12-31"}, "closed_date"),
        ({"service_start": "2026-01-01", "service_end": "2099-01-01"}, "service_end"),
        ({"name": "a\0b"}, "name"),
        ({"service_start": "2026-01-01"}, "service_end"),
        ({"service_start": "2026-02-01", "service_end": "2026-01-01"}, "service_end"),
    ],
)
def test_a_deal_that_cannot_be_is_refused_by_its_field(
    changes: dict[str, object], field: str
) -> None:
    with pytest.raises(FieldError) as raised:
        read(**changes)
    assert raised.value.field == field
