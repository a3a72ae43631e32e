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
from pipeline.sources.client import Broken, Refused
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


def test_a_change_dated_ahead_does_not_hide_later_ones(
    revenue: Revenue, upstream: Upstream
) -> None:
    upstream.on("/deals", contract([deal_row(-1_000)]))
    assert merged(list(revenue.history({})))["head"] == str(NOON)
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
        ({"probability": "1.5"}, "probability"),
        ({"rate": "0"}, "rate"),
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
