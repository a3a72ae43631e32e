"""Beside the lists: limits taken over, no 429 of our making, positions, cash, archived marks."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from ledger import moment
from ledger.facts import Mark
from ledger.moment import HOUR, MICROS, MINUTE
from ledger.money import NANO
from pipeline.sources.client import Broken, Missing, SourceError
from pipeline.sources.kalshi import Kalshi
from pipeline.sources.kalshi_positions import UNSETTLED
from pipeline.sources.kalshi_rows import Report, Transfer
from pipeline.sources.source import Held
from storage.facts import Page
from tests.pipeline.sources.conftest import NOON, Hands
from tests.pipeline.sources.kalshi_upstream import (
    BALANCE,
    account,
    fill_row,
    market_row,
    named,
    position_row,
)
from tests.pipeline.sources.upstream import Answer, Reply, Request, Upstream, paged

TICKER = "KXCPI-26NOV-T0.3"
BUSY = Reply({"error": "too many requests"}, 429)
LIMITS = {
    "usage_tier": "advanced",
    "read": {"refill_rate": 300, "bucket_capacity": 600},
    "write": {"refill_rate": 300, "bucket_capacity": 300},
    "grants": [],
}
COSTS = {
    "default_cost": 10,
    "endpoint_costs": [{"method": "GET", "path": "/portfolio/fills", "cost": 20}],
}


@pytest.fixture
def kalshi(exchange: Upstream, pem: str, hands: Hands) -> Iterator[Kalshi]:
    source = Kalshi(exchange.url, "key id", pem, timepiece=hands.timepiece())
    yield source
    source.close()


def poll(
    source: Kalshi, hands: Hands, *tickers: str, cursor: dict[str, str] | None = None
) -> list[Page]:
    """Return what one poll brings, ten seconds after the last."""
    hands.sleep(10.0)
    held = Held(frozenset(tickers), hands.now())
    return list(source.poll(cursor or {}, held, hands.deadline()))


def marks(pages: list[Page]) -> dict[str, Mark]:
    """Return the marks by their market."""
    return {fact.ticker: fact for page in pages for fact in page.facts if isinstance(fact, Mark)}


@dataclass
class Bucket:
    """The upstream's own token bucket, before every answer: 429 beyond it, no Retry-After."""

    upstream: Upstream
    hands: Hands
    rate: float
    capacity: float
    tokens: float = 0.0
    seen: float = 0.0
    answered: int = 0
    refused: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def guard(self, *paths: str) -> None:
        """Stand before what is answered on these paths so far."""
        for path in paths:
            self.upstream.on(path, self.guarded(self.upstream.answer(path)))

    def guarded(self, inner: Answer) -> Answer:
        """Return an answer that costs ten tokens."""

        def answer(request: Request) -> Reply:
            with self.lock:
                now = self.hands.seconds
                refill = max(0.0, now - self.seen) * self.rate
                self.tokens, self.seen = min(self.capacity, self.tokens + refill), now
                if self.tokens < 10:
                    self.refused += 1
                    return BUSY
                self.tokens -= 10
                self.answered += 1
            return inner(request)

        return answer


PATHS = (
    "/portfolio/fills",
    "/portfolio/settlements",
    "/portfolio/positions",
    "/portfolio/balance",
    "/markets",
    "/exchange/user_data_timestamp",
    "/exchange/status",
    "/account/limits",
    "/account/endpoint_costs",
)


def storm(bucket: Bucket, kalshi: Kalshi, hands: Hands, polls: int) -> int:
    """Poll through a storm; return how many polls were whole."""
    bucket.upstream.on("/exchange/user_data_timestamp", Reply({"as_of_time": moment.text(NOON)}))
    bucket.guard(*PATHS)
    whole = 0
    for _ in range(polls):
        try:
            poll(kalshi, hands, TICKER)
        except SourceError:
            continue
        whole += 1
    return whole


@pytest.mark.parametrize(("rate", "capacity"), [(10.0, 40.0), (20.0, 20.0), (40.0, 80.0)])
def test_in_a_429_storm_an_answer_costs_at_most_a_fifth_more_than_a_request(
    kalshi: Kalshi, exchange: Upstream, hands: Hands, rate: float, capacity: float
) -> None:
    """Other programs leave us a twentieth to a fifth of the Basic tier, from the first poll on."""
    account(exchange, fills=[fill_row(0)], markets=[market_row()], size=50)
    bucket = Bucket(exchange, hands, rate, capacity)
    storm(bucket, kalshi, hands, 40)
    assert bucket.answered > 20
    assert (bucket.answered + bucket.refused) / bucket.answered <= 1.2


def test_while_everything_is_answered_429_a_poll_costs_a_request_or_none(
    kalshi: Kalshi, exchange: Upstream, hands: Hands
) -> None:
    """Twelve polls need six answers each; nothing is answered for two minutes, then all is."""
    account(exchange, markets=[market_row()])
    bucket = Bucket(exchange, hands, 0.0, 0.0)
    assert storm(bucket, kalshi, hands, 12) == 0
    assert bucket.refused <= 1.2 * 12
    bucket.rate = bucket.capacity = 10_000.0
    while True:
        try:
            poll(kalshi, hands, TICKER)
            break
        except SourceError:
            continue
    assert bucket.answered >= 6


def test_a_basic_account_is_never_driven_to_a_429(
    kalshi: Kalshi, exchange: Upstream, hands: Hands
) -> None:
    """A thousand pages of history, then polls, beside a program that takes a tenth."""
    rows = [fill_row(n) for n in range(600)]
    account(exchange, fills=rows, markets=[market_row()])
    bucket = Bucket(exchange, hands, 180.0, 180.0, tokens=180.0)
    bucket.guard(*PATHS[:5], "/historical/fills", "/historical/cutoff", "/historical/markets")
    list(kalshi.history({}))
    for _ in range(5):
        poll(kalshi, hands, TICKER, cursor={"complete": "1"})
    assert bucket.refused == 0
    assert bucket.answered > 300


def test_the_account_s_limits_and_costs_are_read_at_the_start_and_each_hour(
    kalshi: Kalshi, exchange: Upstream, hands: Hands
) -> None:
    account(exchange)
    exchange.on("/account/limits", Reply(LIMITS))
    exchange.on("/account/endpoint_costs", Reply(COSTS))
    list(kalshi.history({}))
    assert len(exchange.asked("/account/limits")) == 1
    poll(kalshi, hands)
    assert len(exchange.asked("/account/limits")) == 1
    hands.sleep(3_600.0)
    poll(kalshi, hands)
    assert len(exchange.asked("/account/limits")) == 2
    assert len(exchange.asked("/account/endpoint_costs")) == 2


def test_a_larger_account_is_used_as_far_as_it_goes(
    kalshi: Kalshi, exchange: Upstream, hands: Hands
) -> None:
    """600 saved up, 300 a second, of both four fifths ours: 48 cheap pages go without waiting."""
    account(exchange, fills=[fill_row(n) for n in range(90)])
    exchange.on("/account/limits", Reply(LIMITS))
    poll(kalshi, hands)
    hands.sleep(10.0)
    hands.slept.clear()
    list(kalshi.history({}))
    assert hands.slept == []
    exchange.on("/account/endpoint_costs", Reply(COSTS))
    hands.sleep(3_600.0)
    poll(kalshi, hands)
    hands.slept.clear()
    list(kalshi.history({}))
    assert sum(hands.slept) > 1.0


@pytest.mark.parametrize(
    "reply",
    [
        Reply({}, 403),
        Reply({}, 404),
        Reply({}, 500),
        Reply({"read": {"refill_rate": 0, "bucket_capacity": 0}}),
        Reply({"read": {"refill_rate": "many"}}),
        Reply([]),
    ],
)
def test_without_limits_the_basic_tier_is_kept(
    kalshi: Kalshi, exchange: Upstream, hands: Hands, reply: Reply
) -> None:
    account(exchange, fills=[fill_row(n) for n in range(90)])
    exchange.on("/account/limits", reply)
    exchange.on("/account/endpoint_costs", reply)
    poll(kalshi, hands)
    assert kalshi.detail == ""
    hands.slept.clear()
    list(kalshi.history({}))
    assert sum(hands.slept) > 1.0


KNOWN = {"complete": "1", "cutoff": "1"}


def positions(request: Request) -> Reply:
    """Answer three markets, called by the subaccount and the status that were asked for."""
    name = request.arg("subaccount") + request.arg("settlement_status")
    rows = [position_row(ticker=f"{name}{n}", position_fp=f"{n}.50") for n in range(3)]
    return paged("market_positions", "cursor", rows, 2)(request)


def test_positions_of_every_known_subaccount_are_listed_each_half_minute(
    kalshi: Kalshi, exchange: Upstream, hands: Hands
) -> None:
    account(exchange, fills=[fill_row(0), fill_row(1, subaccount_number=3)])
    exchange.on("/portfolio/positions", positions)
    exchange.on("/historical/positions", positions)
    for _ in range(4):
        poll(kalshi, hands, cursor=KNOWN)
    told = {which: min(listed.reports) for which, listed in kalshi.positions.items()}
    assert told == {
        (0, "unsettled"): "0",
        (0, "settled"): "settled0",
        (0, "archived"): "0",
        (3, "unsettled"): "3unsettled0",
        (3, "settled"): "3settled0",
        (3, "archived"): "30",
    }
    assert kalshi.positions[3, "archived"].reports["31"].settled
    assert not kalshi.positions[3, "unsettled"].reports["3unsettled0"].settled
    before = kalshi.positions
    for _ in range(4):
        poll(kalshi, hands, cursor=KNOWN)
    later = kalshi.positions
    assert all(later[which].known >= before[which].known + 30 * MICROS for which in before)


def test_an_archive_nobody_has_is_asked_for_each_hour(
    kalshi: Kalshi, exchange: Upstream, hands: Hands
) -> None:
    account(exchange)
    for _ in range(10):
        poll(kalshi, hands, cursor=KNOWN)
    assert len(exchange.asked("/historical/positions")) == 1
    hands.sleep(3_600.0)
    poll(kalshi, hands, cursor=KNOWN)
    assert len(exchange.asked("/historical/positions")) == 2


def test_cash_is_that_of_every_subaccount_that_has_traded(
    kalshi: Kalshi, exchange: Upstream, hands: Hands
) -> None:
    account(exchange)

    def balance(request: Request) -> Reply:
        side = {"balance": 100, "portfolio_value": 7, "updated_ts": 1}
        return Reply(side if request.arg("subaccount") else BALANCE)

    exchange.on("/portfolio/balance", balance)
    kalshi.know({0, 3, 7})
    (told,) = [page.cursor for page in poll(kalshi, hands) if "balance" in page.cursor]
    assert told["balance"] == str(98_018_600_000 + 2 * NANO)
    assert told["portfolio_value"] == str(1_980_000_000 + 140_000_000)
    assert told["subaccounts"] == "0,3,7"
    asked = len(exchange.asked("/portfolio/balance"))
    poll(kalshi, hands)
    assert len(exchange.asked("/portfolio/balance")) == asked + 1
    for _ in range(2):
        poll(kalshi, hands)
    assert len(exchange.asked("/portfolio/balance")) == asked + 5


def test_subaccounts_of_an_earlier_run_count_from_the_first_poll_on(
    kalshi: Kalshi, exchange: Upstream, hands: Hands
) -> None:
    account(exchange)
    (told,) = [
        page.cursor
        for page in poll(kalshi, hands, cursor={"subaccounts": "0,3"})
        if "balance" in page.cursor
    ]
    assert told["balance"] == str(2 * 98_018_600_000)


def test_cash_is_told_once_every_subaccount_has_said_what_it_has(
    kalshi: Kalshi, exchange: Upstream, hands: Hands
) -> None:
    account(exchange)
    answers = [Reply({}, 500)]

    def balance(request: Request) -> Reply:
        return answers[0] if request.arg("subaccount") else Reply(BALANCE)

    exchange.on("/portfolio/balance", balance)
    kalshi.know({3})
    assert not [page for page in poll(kalshi, hands) if "balance" in page.cursor]
    answers[0] = Reply({}, 403)
    (told,) = [page.cursor for page in poll(kalshi, hands) if "balance" in page.cursor]
    assert told["balance"] == "98018600000"
    assert "subaccount 3 answered 403" in kalshi.detail


def test_shards_add_up_and_a_row_that_shifted_counts_once(
    kalshi: Kalshi, exchange: Upstream, hands: Hands
) -> None:
    shards = [position_row(exchange_index=index) for index in (0, 1, 1)]
    account(exchange, positions=shards)
    poll(kalshi, hands)
    assert kalshi.positions[0, UNSETTLED].reports[TICKER].position == 2 * -777


def test_reports_know_of_fills_up_to_when_the_exchange_says(
    kalshi: Kalshi, exchange: Upstream, hands: Hands
) -> None:
    """By its own clock, an hour ahead of ours, the figures are 3 s old."""
    account(exchange)
    as_of = {"as_of_time": moment.text(NOON + HOUR)}
    date = {"Date": "Fri, 20 Nov 2026 13:00:03 GMT"}
    exchange.on("/exchange/user_data_timestamp", Reply(as_of, headers=date))
    poll(kalshi, hands)
    assert kalshi.positions[0, UNSETTLED].known == NOON + 7 * MICROS
    exchange.on("/exchange/user_data_timestamp", Reply({}, 404))
    poll(kalshi, hands)
    assert kalshi.positions[0, UNSETTLED].known == NOON + 20 * MICROS


def test_a_held_market_that_is_archived_is_marked_by_its_settlement_value(
    kalshi: Kalshi, exchange: Upstream, hands: Hands
) -> None:
    account(exchange, markets=[market_row(ticker="LIVE")])
    old = market_row(ticker="OLD", status="finalized", result="yes", settlement_value_dollars="1")
    exchange.on("/historical/markets", named([old]))
    assert marks(poll(kalshi, hands, "LIVE", "OLD"))["OLD"].value == NANO
    assert poll(kalshi, hands, "LIVE", "OLD")
    assert len(exchange.asked("/historical/markets")) == 1
    assert exchange.asked("/markets")[-1].arg("tickers") == "LIVE"
    hands.sleep(3_600.0)
    poll(kalshi, hands, "LIVE", "OLD")
    assert len(exchange.asked("/historical/markets")) == 2


def test_the_statement_is_every_position_of_every_subaccount(
    kalshi: Kalshi, exchange: Upstream
) -> None:
    def live(request: Request) -> Reply:
        name = request.arg("subaccount") + request.arg("settlement_status")
        rows = [position_row(ticker=f"{name}-{n}", position_fp=f"{n}.50") for n in range(3)]
        return paged("market_positions", "cursor", rows, 2)(request)

    exchange.on("/portfolio/positions", live)
    old = [position_row(ticker="OLD"), position_row(ticker="BAD", fees_paid_dollars=None)]
    exchange.on("/historical/positions", paged("market_positions", "cursor", old, 1))
    found, refused = kalshi.statement.positions((0, 3))
    names = [f"{status}-{n}" for status in ("settled", "unsettled") for n in range(3)]
    assert found.keys() == {
        *((name, 0) for name in names),
        *((f"3{name}", 3) for name in names),
        ("OLD", 0),
        ("OLD", 3),
    }
    figures = 250, 17_500_000, -80_000_000, 4_040_400_000, 4_040_400_000
    assert found["unsettled-2", 0] == Report("unsettled-2", *figures, settled=False, updated=NOON)
    assert found["OLD", 0].settled
    assert [(r.identity, r.field) for r in refused] == [("BAD", "fees_paid_dollars")] * 2


def test_half_a_statement_is_none(kalshi: Kalshi, exchange: Upstream) -> None:
    answers = paged("market_positions", "cursor", [position_row()] * 3, 2)

    def breaking(request: Request) -> Reply:
        return Reply({}, 500) if request.arg("cursor") else answers(request)

    exchange.on("/portfolio/positions", breaking)
    exchange.on("/historical/positions", Reply({}, 404))
    with pytest.raises(Broken):
        kalshi.statement.positions()


def test_an_upstream_without_an_archive_has_none_in_its_statement(
    kalshi: Kalshi, exchange: Upstream
) -> None:
    account(exchange, positions=[position_row()])
    assert set(kalshi.statement.positions()[0]) == {(TICKER, 0)}
    exchange.on("/portfolio/positions", Reply({}, 404))
    with pytest.raises(Missing):
        kalshi.statement.positions()


def test_the_statement_has_cash_and_what_moved_it(kalshi: Kalshi, exchange: Upstream) -> None:
    account(exchange)
    deposits = [transfer(f"d{n}", 10_000 + n, NOON - n * MINUTE) for n in range(3)]
    exchange.on("/portfolio/deposits", paged("deposits", "cursor", deposits, 2))
    gone = [transfer("w", 500, NOON - HOUR), {"id": "bad"}]
    exchange.on("/portfolio/withdrawals", paged("withdrawals", "cursor", gone, 2))
    moved, refused = kalshi.statement.transfers()
    assert [each.id for each in moved] == ["w", "d2", "d1", "d0"]
    assert moved[0] == Transfer("w", "applied", -5 * NANO, NANO // 4, NOON - HOUR, NOON)
    assert moved[3].amount == 100 * NANO
    assert [(each.identity, each.field) for each in refused] == [("bad", "status")]
    assert exchange.asked("/portfolio/deposits")[0].arg("limit") == "500"
    assert kalshi.statement.balance().cash == 98_018_600_000
    kalshi.statement.balance(3)
    assert exchange.asked("/portfolio/balance")[-1].arg("subaccount") == "3"


def transfer(name: str, cents: int, created: int) -> dict[str, object]:
    """Return a deposit or withdrawal that cost 25 cents."""
    return {
        "id": name,
        "status": "applied",
        "type": "ach",
        "amount_cents": cents,
        "fee_cents": 25,
        "created_ts": created // MICROS,
        "finalized_ts": NOON // MICROS,
    }


def test_the_statement_says_up_to_when_it_is_known(kalshi: Kalshi, exchange: Upstream) -> None:
    assert kalshi.statement.as_of() is None
    exchange.on("/exchange/user_data_timestamp", Reply({"as_of_time": moment.text(NOON)}))
    assert kalshi.statement.as_of() == NOON
