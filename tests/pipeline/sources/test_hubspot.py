"""HubSpot's deals over real HTTP: lists, searches by key, stages that are a firm's own."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.world import instant
from emulators.world.deals import worth
from ledger import moment
from ledger.facts import Deal, Status
from ledger.money import NANO, dollars
from pipeline.sources import hubspot_rows
from pipeline.sources.client import Broken, Declined, Refused
from pipeline.sources.fields import FieldError, Fields
from pipeline.sources.hubspot import HubSpot
from pipeline.sources.hubspot_portal import VERSION, Portal, Stage
from pipeline.sources.hubspot_rows import Reading
from pipeline.sources.hubspot_search import Place
from pipeline.sources.hubspot_stages import StageMap, StagesError, stage_map
from pipeline.sources.source import Held
from storage.facts import Page
from tests.emulators.stage import START, Stages
from tests.emulators.stage import Stage as Theatre
from tests.pipeline.sources.conftest import NOON, Hands
from tests.pipeline.sources.upstream import Reply, Request, Upstream

TOKEN = "rev_test"  # noqa: S105 (the stage's own)
OBJECTS = f"/crm/objects/{VERSION}/deals"
SEARCH = f"{OBJECTS}/search"
PIPELINES = f"/crm/pipelines/{VERSION}/deals"
ACCOUNT = f"/account-info/{VERSION}/details"


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    """Return an emulated world that allows any number of searches a second."""
    with Stages(tmp_path) as stages:
        stage = stages.make()
        stage.world.faults.deals.searches = 10**6
        yield stage
    Stages.close()


@dataclass
class Reader:
    """What one source delivered, a newer version in place of an older one, as storage keeps it."""

    source: HubSpot
    hands: Hands
    deals: dict[str, Deal] = field(default_factory=dict)
    cursor: dict[str, str] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)

    def take(self, pages: Iterator[Page]) -> None:
        """Keep what comes."""
        for page in pages:
            self.pages.append(page)
            assert page.rejects == ()
            for deal in page.facts:
                assert isinstance(deal, Deal)
                known = self.deals.get(deal.id)
                if known is None or deal.updated_at > known.updated_at:
                    self.deals[deal.id] = deal
                assert (
                    self.deals[deal.id].updated_at > deal.updated_at
                    or known in (None, deal)
                    or (known is not None and deal.updated_at > known.updated_at)
                )
            self.cursor |= page.cursor

    def history(self) -> None:
        """Read everything once."""
        self.take(self.source.history(self.cursor))
        assert self.cursor["complete"] == "1"

    def poll(self, seconds: float = 30.0) -> None:
        """Read the tail."""
        held = Held(now=self.hands.now())
        self.take(self.source.poll(self.cursor, held, self.hands.deadline(seconds)))

    def amounts(self) -> dict[Status, Decimal]:
        """Return the sums in dollars by status."""
        sums: dict[Status, Decimal] = {}
        for deal in self.deals.values():
            assert deal.usd is not None
            sums[deal.status] = sums.get(deal.status, Decimal(0)) + Decimal(deal.usd) / NANO
        return sums


def reader(theatre: Theatre, hands: Hands, stages: str = "") -> Reader:
    """Return a reader of the emulated world."""
    url = theatre.urls["hubspot"]
    source = HubSpot(url, TOKEN, stage_map(stages), timepiece=hands.timepiece())
    return Reader(source, hands)


def world_amounts(theatre: Theatre) -> dict[Status, Decimal]:
    """Return the world's own sums; a void deal is an archived one, which is lost."""
    sums: dict[Status, Decimal] = {}
    for deal in theatre.world.deals.known(theatre.now[0]):
        status = Status.LOST if deal["status"] == "void" else Status(deal["status"])
        sums[status] = sums.get(status, Decimal(0)) + worth(deal)
    return sums


def test_the_history_is_every_deal_archived_ones_included(theatre: Theatre, hands: Hands) -> None:
    book = reader(theatre, hands)
    book.history()
    assert len(book.deals) == len(theatre.world.deals.known(theatre.now[0]))
    assert book.amounts() == world_amounts(theatre)
    assert set(book.amounts()) == set(Status) - {Status.VOID}
    assert list(book.source.history(book.cursor)) == []
    assert book.source.detail == ""


def test_an_interrupted_history_goes_on_at_its_page(theatre: Theatre, hands: Hands) -> None:
    inject(theatre, 250, START)
    whole, broken = reader(theatre, hands), reader(theatre, hands)
    whole.history()
    pages = broken.source.history({})
    broken.take(iter([next(pages)]))
    again = reader(theatre, hands)
    again.cursor, again.deals = broken.cursor, broken.deals
    again.history()
    assert again.deals == whole.deals
    assert len(again.pages) == len(whole.pages) - 1


def test_a_change_and_an_archived_deal_come_with_the_next_poll(
    theatre: Theatre, hands: Hands
) -> None:
    theatre.tell("deal", id="mine", name="Mine", amount="10", status="pipeline", probability="0.5")
    book = reader(theatre, hands)
    book.history()
    theatre.now[0] += 10_000_000
    theatre.tell("deal", id="mine", status="pending")
    book.poll()
    (mine,) = [deal for deal in book.deals.values() if deal.name == "Mine"]
    assert mine.status is Status.PENDING
    theatre.now[0] += 10_000_000
    theatre.tell("deal", id="mine", status="void")
    book.poll()
    assert book.deals[mine.id].status is Status.LOST
    assert book.amounts() == world_amounts(theatre)


def inject(theatre: Theatre, count: int, changed: int) -> None:
    """Put deals of one instant in."""
    for number in range(count):
        wish = {"name": f"Bulk {number}", "amount": "1", "status": "pending"}
        deal = theatre.world.deals.prepared(wish, changed)
        theatre.world.deals.inject(deal | {"id": f"bulk-{changed}-{number}"})


def test_more_changes_than_a_search_can_page_are_found_by_their_keys(
    theatre: Theatre, hands: Hands
) -> None:
    """All of one pipeline edited in one millisecond, and many changes beside."""
    book = reader(theatre, hands)
    book.history()
    theatre.world.faults.deals.ceiling = 300
    theatre.now[0] = START + 3_600_000_000
    inject(theatre, 450, START + 60_000_000)
    for number in range(210):
        inject(theatre, 1, START + 120_000_000 + number * 1_000)
    book.poll(600.0)
    assert book.amounts() == world_amounts(theatre)
    assert book.cursor["seek"] == ""
    asked = len(book.pages)
    book.poll(600.0)
    assert book.amounts() == world_amounts(theatre)
    assert len(book.pages) - asked < 10


def test_a_search_without_time_goes_on_with_the_next_poll(theatre: Theatre, hands: Hands) -> None:
    book = reader(theatre, hands)
    book.history()
    theatre.now[0] = START + 3_600_000_000
    inject(theatre, 1_300, START + 60_000_000)
    book.poll(1.4)
    assert book.cursor["seek"]
    polls = 1
    while book.cursor["seek"]:
        hands.seconds += 1
        book.poll(1.4)
        polls += 1
    assert 1 < polls < 10
    assert book.amounts() == world_amounts(theatre)


def test_the_searches_keep_to_the_accounts_limit(theatre: Theatre, hands: Hands) -> None:
    """The emulator's clock stands still, ours is moved by waiting: five a second, less headroom."""
    book = reader(theatre, hands)
    book.history()
    theatre.world.clock = lambda: START + 3_600_000_000 + round(hands.seconds * 1_000_000)
    theatre.world.faults.deals.searches = 5
    inject(theatre, 1_300, START + 60_000_000)
    before = hands.seconds
    book.poll(60.0)
    assert book.cursor["seek"] == ""
    assert hands.seconds > before + 1
    assert book.source.breaker.state == "closed"


def test_once_a_day_the_whole_list_is_read_again(theatre: Theatre, hands: Hands) -> None:
    book = reader(theatre, hands)
    book.history()
    inject(theatre, 1, START - 90 * instant.DAY)
    book.poll()
    assert book.amounts() != world_amounts(theatre)
    hands.seconds += 86_401
    book.poll()
    assert book.amounts() == world_amounts(theatre)
    assert book.cursor["list"] == ""
    listed = [page for page in book.pages if "listed_at" in page.cursor]
    book.poll()
    assert [page for page in book.pages if "listed_at" in page.cursor] == listed


def test_another_stage_map_makes_every_deal_a_newer_version(theatre: Theatre, hands: Hands) -> None:
    book = reader(theatre, hands)
    book.history()
    before = dict(book.deals)
    other = reader(theatre, hands, '{"closedwon": "recognized", "closedlost": "void"}')
    other.cursor, other.deals = book.cursor, dict(before)
    other.poll()
    while other.cursor["list"]:
        other.poll()
    sums = other.amounts()
    assert Status.PENDING not in sums
    assert sums[Status.VOID] + sums[Status.LOST] == world_amounts(theatre)[Status.LOST]
    live = [deal for deal in other.deals.values() if deal.status is not Status.LOST]
    assert all(deal.updated_at > before[deal.id].updated_at for deal in live)
    versions = dict(other.deals)
    hands.seconds += 86_401
    other.poll()
    assert other.deals == versions


def test_a_listing_to_reconcile_moves_no_cursor(theatre: Theatre, hands: Hands) -> None:
    book = reader(theatre, hands)
    book.take(book.source.listing(hands.deadline(60.0)))
    assert book.amounts() == world_amounts(theatre)
    assert book.cursor == {}


def test_a_key_that_may_not_ask_for_the_account_is_told(theatre: Theatre, hands: Hands) -> None:
    theatre.world.faults.deals.account = False
    book = reader(theatre, hands)
    book.history()
    assert "USD" in book.source.detail


def test_the_accounts_own_currency_is_the_default(theatre: Theatre, hands: Hands) -> None:
    theatre.world.faults.deals.currency = "EUR"
    book = reader(theatre, hands)
    book.take(book.source.history({}))
    assert {deal.rate for deal in book.deals.values()} == {None}


def test_another_key_is_refused(theatre: Theatre, hands: Hands) -> None:
    source = HubSpot(theatre.urls["hubspot"], "other", StageMap(), timepiece=hands.timepiece())
    with pytest.raises(Refused, match="Authentication credentials not found"):
        list(source.history({}))


def row(identity: str = "1", changed: str = "2026-11-20T11:00:00.000Z", **told: object) -> Any:
    """Return a deal as HubSpot sends it."""
    properties = {
        "dealname": "Pilot",
        "amount": "5000",
        "dealstage": "closedwon",
        "closedate": "2026-11-02T20:00:00Z",
        "hs_is_closed": "true",
        "hs_is_closed_won": "true",
        "hs_lastmodifieddate": changed,
    }
    return {
        "id": identity,
        "properties": properties | told,
        "createdAt": changed,
        "updatedAt": changed,
        "archived": False,
    }


STAGES = {
    "lead": Stage(closed=False, probability=Decimal("0.2")),
    "closedwon": Stage(closed=True, probability=Decimal(1)),
    "closedlost": Stage(closed=True, probability=Decimal(0)),
}
PORTAL = Portal(STAGES)


def read(
    stages: str = "", portal: Portal = PORTAL, *, archived: bool = False, **told: object
) -> Deal:
    """Return the deal of a row with these properties."""
    reading = Reading(stage_map(stages), portal)
    return hubspot_rows.deal(Fields(row(**told) | {"archived": archived}), reading)


@pytest.mark.parametrize(
    ("told", "stages", "status"),
    [
        ({}, "", Status.PENDING),
        ({"hs_is_closed_won": "false"}, "", Status.LOST),
        ({"hs_is_closed": "false"}, "", Status.PIPELINE),
        ({"hs_is_closed": None, "hs_is_closed_won": None}, "", Status.PENDING),
        ({"hs_is_closed": None, "hs_is_closed_won": None, "dealstage": "closedlost"}, "",
         Status.LOST),
        ({"hs_is_closed": None, "dealstage": "lead"}, "", Status.PIPELINE),
        ({"recognized_at": "2026-11-05"}, "", Status.RECOGNIZED),
        ({"recognized_at": "2026-11-05", "hs_is_closed_won": "false"}, "", Status.LOST),
        ({"earned": "1793836800000"}, '{"@recognized_at": "earned"}', Status.RECOGNIZED),
        ({"recognized_at": "2026-11-05"}, '{"@recognized_at": ""}', Status.PENDING),
        ({}, '{"closedwon": "recognized"}', Status.RECOGNIZED),
        ({"dealstage": "77", "hs_is_closed": "false"}, '{"77": "void"}', Status.VOID),
    ],
)  # fmt: skip
def test_a_stage_means_what_the_map_and_the_account_say(
    told: dict[str, object], stages: str, status: Status
) -> None:
    assert read(stages, **told).status is status


def test_an_archived_deal_is_lost_from_then_on() -> None:
    reading = Reading(StageMap(), PORTAL)
    gone = row() | {"archived": True, "archivedAt": "2026-11-20T11:30:00Z"}
    deal = hubspot_rows.deal(Fields(gone), reading)
    assert (deal.status, deal.updated_at) == (Status.LOST, NOON - 30 * moment.MINUTE)


def test_a_deal_is_read_field_by_field() -> None:
    told = {"hs_is_closed": "false", "hs_deal_stage_probability": "0.4", "hubspot_owner_id": "7"}
    assert read(amount="-12.345", dealstage="lead", **told) == Deal(
        source="hubspot",
        id="1",
        name="Pilot",
        status=Status.PIPELINE,
        amount=-12_345_000_000,
        updated_at=NOON - moment.HOUR,
        closed_date=date(2026, 11, 2),
        probability=Decimal("0.4"),
        owner="7",
        stage="lead",
    )
    assert read(hs_is_closed="false", dealstage="lead").probability == Decimal("0.2")


@pytest.mark.parametrize(
    ("closedate", "zone", "day"),
    [
        ("2026-11-02T06:30:00Z", "America/Los_Angeles", date(2026, 11, 1)),
        ("2026-11-02T06:30:00Z", "UTC", date(2026, 11, 2)),
        ("1793601000000", "America/Los_Angeles", date(2026, 11, 1)),
        ("2026-11-02T00:00:00Z", "America/Los_Angeles", date(2026, 11, 2)),
        ("2026-11-02", "America/Los_Angeles", date(2026, 11, 2)),
        (None, "UTC", None),
    ],
)
def test_a_deal_closes_on_the_accounts_own_day(
    closedate: str | None, zone: str, day: date | None
) -> None:
    portal = Portal(STAGES, zone=moment.ZoneInfo(zone))
    assert read(portal=portal, closedate=closedate).closed_date == day


def test_service_dates_come_from_the_properties_the_map_names() -> None:
    stages = '{"@service_start": "from_day", "@service_end": "to_day", "closedwon": "recognized"}'
    deal = read(stages, from_day="2026-01-01", to_day="2026-01-31")
    assert (deal.service_start, deal.service_end) == (date(2026, 1, 1), date(2026, 1, 31))
    assert stage_map(stages).properties == ("recognized_at", "from_day", "to_day")


def test_a_deal_without_a_price_counts_nothing_until_it_is_won() -> None:
    assert read(hs_is_closed="false", dealstage="lead", amount=None).amount == 0
    for amount in (None, ""):
        with pytest.raises(FieldError, match="amount"):
            read(amount=amount)


AMOUNTS = st.decimals("0.01", 10**6, places=2)


@given(AMOUNTS, AMOUNTS)
def test_hubspots_own_conversion_is_kept_to_the_cent(amount: Decimal, home: Decimal) -> None:
    told = {"deal_currency_code": "EUR", "amount_in_home_currency": str(home)}
    deal = read(amount=str(amount), **told)
    assert (deal.amount, deal.usd) == (dollars(amount), dollars(home))
    assert deal.rate_date == date(2026, 11, 20)
    abroad = Portal(STAGES, currency="EUR")
    assert read(portal=abroad, amount=str(amount), **told).rate is None


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"amount": "many"}, "amount"),
        ({"dealstage": "77", "hs_is_closed": None}, "dealstage"),
        ({"hs_is_closed": "perhaps"}, "hs_is_closed"),
        ({"hs_is_closed_won": None, "dealstage": "lead"}, "hs_is_closed_won"),
        ({"closedate": "soon"}, "closedate"),
        ({"closedate": None, "recognized_at": "soon"}, "recognized_at"),
        ({"deal_currency_code": "Euro"}, "deal_currency_code"),
        ({"deal_currency_code": "EUR", "amount_in_home_currency": "-1"}, "amount_in_home_currency"),
        ({"hs_deal_stage_probability": "20", "hs_is_closed": "false"}, "hs_deal_stage_probability"),
        ({"hs_lastmodifieddate": "then"}, "hs_lastmodifieddate"),
        ({"dealname": "a\0"}, "dealname"),
    ],
)
def test_what_cannot_be_is_refused_by_its_property(told: dict[str, object], field: str) -> None:
    with pytest.raises(FieldError) as raised:
        read(**told)
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is no JSON"),
        ("[]", "must be a JSON object"),
        ('{"closedwon": "won"}', "'closedwon' must be one of recognized"),
        ('{"closedwon": 1}', "'closedwon'"),
        ('{"@recognized_at": 1}', "@recognized_at"),
        ("[" * 99_999, "JSON"),
    ],
)
def test_a_stage_map_that_is_none_says_what_to_write(text: str, words: str) -> None:
    with pytest.raises(StagesError, match=words):
        stage_map(text)


def account(upstream: Upstream, **told: object) -> None:
    """Describe the account of a scripted upstream."""
    stages = [
        {"id": "closedwon", "metadata": {"isClosed": "true", "probability": "1.0"}},
        {"id": "lead", "metadata": {"probability": "0.2"}},
        {"id": "odd", "metadata": None},
    ]
    upstream.on(PIPELINES, Reply({"results": [{"id": "default", "stages": stages}]}))
    upstream.on(ACCOUNT, Reply({"companyCurrency": "USD", "timeZone": "Nowhere"} | told))
    upstream.on(OBJECTS, Reply({"results": []}))
    upstream.on(SEARCH, Reply({"results": []}))


@pytest.fixture
def scripted(upstream: Upstream, hands: Hands) -> Reader:
    account(upstream)
    return Reader(HubSpot(upstream.url, "key", StageMap(), timepiece=hands.timepiece()), hands)


def test_what_is_asked_is_what_hubspot_documents(scripted: Reader, upstream: Upstream) -> None:
    scripted.history()
    scripted.poll()
    asked = upstream.asked(OBJECTS)[0]
    assert asked.headers["Authorization"] == "Bearer key"
    assert (asked.arg("limit"), asked.arg("archived"), asked.arg("after")) == ("100", "false", "")
    assert asked.arg("properties").split(",")[:2] == ["dealname", "amount"]
    search = json.loads(upstream.asked(SEARCH)[0].body)
    since = str((NOON - 10 * moment.MINUTE) // 1_000)
    changed = {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": since}
    assert search["filterGroups"] == [{"filters": [changed]}]
    assert (search["limit"], len(search["sorts"])) == (200, 1)


def test_a_row_that_cannot_be_read_is_set_apart_and_the_others_go_on(
    scripted: Reader, upstream: Upstream
) -> None:
    rows = [row("1"), row("2", amount="x"), "none", row("3", hs_lastmodifieddate="x"), row("4")]
    upstream.on(SEARCH, Reply({"results": rows}))
    pages = list(scripted.source.poll({}, Held(now=NOON), scripted.hands.deadline()))
    found = [fact.id for page in pages for fact in page.facts if isinstance(fact, Deal)]
    assert found == ["1", "4"]
    assert [reject.field for page in pages for reject in page.rejects] == [
        "amount",
        "row",
        "hs_lastmodifieddate",
    ]


def test_a_stage_made_since_is_looked_up(
    scripted: Reader, upstream: Upstream, hands: Hands
) -> None:
    scripted.history()
    hands.seconds += 61
    account(upstream)
    stages = [{"id": "new", "metadata": {"isClosed": "false", "probability": "0.3"}}]
    upstream.on(PIPELINES, Reply({"results": [{"id": "default", "stages": stages}]}))
    fresh = row("1", dealstage="new", hs_is_closed=None, hs_is_closed_won=None)
    upstream.on(SEARCH, Reply({"results": [fresh]}))
    scripted.poll()
    assert scripted.deals["1"].probability == Decimal("0.3")
    assert len(upstream.asked(PIPELINES)) == 2


@pytest.mark.parametrize(
    "body",
    [
        {"results": None},
        [],
        {"results": [], "paging": 1},
        {"results": [], "paging": {"next": 1}},
        {"results": [], "paging": {"next": {"after": 7}}},
        {"results": [], "paging": {"next": {"after": "7"}}},
        {"results": [row(changed="1970-01-02T00:00:00Z")], "paging": {"next": {"after": "7"}}},
        {"results": ["x"], "paging": {"next": {"after": "7"}}},
    ],
)
def test_a_search_of_another_shape_is_broken(
    scripted: Reader, upstream: Upstream, body: object
) -> None:
    scripted.history()
    upstream.on(SEARCH, Reply(body))
    with pytest.raises(Broken):
        scripted.poll()


def test_ties_that_do_not_advance_are_broken(scripted: Reader, upstream: Upstream) -> None:
    """A server that takes no notice of the filter answers the same page for ever."""
    page = {"results": [row("5")], "paging": {"next": {"after": "1"}}}
    upstream.on(SEARCH, Reply(page))
    with pytest.raises(Broken, match="no order"):
        scripted.take(
            scripted.source.poll(
                {"reading": "x", "head": "0"}, Held(now=NOON), scripted.hands.deadline(30.0)
            )
        )
    assert len(upstream.asked(SEARCH)) == 4


def test_a_list_that_goes_round_is_broken(scripted: Reader, upstream: Upstream) -> None:
    def answer(request: Request) -> Reply:
        after = request.arg("after")
        return Reply({"results": [row(after or "9")], "paging": {"next": {"after": "3"}}})

    upstream.on(OBJECTS, answer)
    with pytest.raises(Broken, match="circle"):
        list(scripted.source.history({}))


def test_a_place_nobody_knows_any_more_begins_anew(scripted: Reader, upstream: Upstream) -> None:
    def answer(request: Request) -> Reply:
        if request.arg("after"):
            return Reply({"status": "error", "message": "after is not valid"}, 400)
        return Reply({"results": [row("1")]})

    upstream.on(OBJECTS, answer)
    scripted.cursor = {"list": "live:77"}
    scripted.history()
    assert set(scripted.deals) == {"1"}
    upstream.on(OBJECTS, Reply({"status": "error", "message": "no"}, 400))
    with pytest.raises(Declined):
        list(scripted.source.history({}))


@pytest.mark.parametrize("body", [{"results": 1}, [], {"results": [1]}, {"results": [{"id": "a"}]}])
def test_pipelines_of_another_shape_are_broken(
    upstream: Upstream, hands: Hands, body: object
) -> None:
    account(upstream)
    upstream.on(PIPELINES, Reply(body))
    source = HubSpot(upstream.url, "key", StageMap(), timepiece=hands.timepiece())
    with pytest.raises(Broken):
        list(source.history({}))


def test_a_history_read_by_another_map_begins_anew(scripted: Reader, upstream: Upstream) -> None:
    upstream.on(OBJECTS, Reply({"results": [row("1")]}))
    scripted.cursor = {"list": "archived:", "reading": "another", "began": "5"}
    scripted.history()
    assert set(scripted.deals) == {"1"}


@pytest.mark.parametrize("text", ["", "x", ":", "x:1"])
def test_no_place_is_read_from_what_is_none(text: str) -> None:
    assert Place.of(text) is None


def test_a_place_is_kept_as_a_text() -> None:
    for place in (Place(5), Place(5, "77")):
        assert Place.of(str(place)) == place
