"""Signed and public calls of Kalshi: each fails, rests and comes back by itself."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ledger.facts import Fact, Fill, Mark
from pipeline.sources.failure import Broken, Refused, Resting, Skewed, SourceError, Unreachable
from pipeline.sources.kalshi import Kalshi
from pipeline.sources.source import Deadline, Held
from tests.pipeline.sources.conftest import NOON, Hands
from tests.pipeline.sources.kalshi_upstream import (
    BALANCE,
    account,
    fill_row,
    market_row,
    settlement_row,
    since,
)
from tests.pipeline.sources.upstream import Reply, Request, Upstream

TICKER = "KXCPI-26NOV-T0.3"
DOWN = Reply({"error": {"code": "internal", "message": "internal error"}}, 500)
EXPIRED = {"error": {"code": "header_timestamp_expired", "message": "header timestamp expired"}}
UNKNOWN = {"error": {"code": "authentication_error", "details": "NOT_FOUND"}}
SIGNED = ("/portfolio/fills", "/portfolio/settlements", "/portfolio/positions")
TRADING = {"exchange_active": True, "trading_active": True}


@dataclass
class Polls:
    """Polls ten seconds apart, what each brought and how it ended."""

    source: Kalshi
    hands: Hands
    facts: list[Fact] = field(default_factory=list)
    error: SourceError | None = None

    def once(self) -> SourceError | None:
        """Poll; the quote of the market has moved each time."""
        self.facts, self.error = [], None
        held = Held(frozenset({TICKER}), self.hands.now())
        try:
            for page in self.source.poll({"fills_head": "1000000"}, held, Deadline.after(3.0)):
                self.facts += page.facts
        except SourceError as error:
            self.error = error
        self.hands.sleep(10.0)
        return self.error

    def times(self, number: int) -> SourceError | None:
        """Poll so many times; return how the last one ended."""
        return [self.once() for _ in range(number)][-1]

    def came(self, kind: type[Fact]) -> int:
        """Return how many facts of a kind the last poll brought."""
        return sum(isinstance(fact, kind) for fact in self.facts)


@pytest.fixture
def polls(exchange: Upstream, pem: str, hands: Hands) -> Iterator[Polls]:
    account(exchange, fills=[fill_row(0)])
    exchange.on("/exchange/status", Reply(TRADING))
    exchange.on("/markets", moving(hands))
    source = Kalshi(exchange.url, "key id", pem, timepiece=hands.timepiece())
    yield Polls(source, hands)
    source.close()


def moving(hands: Hands) -> object:
    """Answer a quote that is another one each second."""

    def answer(_: Request) -> Reply:
        price = f"0.{5_000 + int(hands.seconds):04}"
        return Reply({"markets": [market_row(last_price_dollars=price)], "cursor": ""})

    return answer


def break_signed(exchange: Upstream, reply: Reply = DOWN) -> None:
    for path in (*SIGNED, "/portfolio/balance", "/account/limits"):
        exchange.on(path, reply)


def test_signed_calls_that_fail_leave_the_marks_and_open_their_own_breaker(
    polls: Polls, exchange: Upstream
) -> None:
    break_signed(exchange)
    assert isinstance(polls.times(3), Broken)
    assert polls.came(Mark) == 1
    assert polls.source.breakers == {"signed": "open", "public": "closed"}
    asked = len(exchange.asked("/portfolio/fills"))
    error = polls.once()
    assert isinstance(error, Resting)
    assert "the account is not asked until 12:01:20Z: GET /portfolio" in str(error)
    assert polls.came(Mark) == 1
    assert len(exchange.asked("/portfolio/fills")) == asked == 3


def test_public_calls_that_fail_leave_the_fills_and_open_their_own_breaker(
    polls: Polls, exchange: Upstream
) -> None:
    exchange.on("/markets", DOWN)
    assert isinstance(polls.times(3), Broken)
    assert polls.source.breakers == {"signed": "closed", "public": "open"}
    assert isinstance(polls.once(), Resting)
    assert polls.came(Fill) == 1
    assert len(exchange.asked("/markets")) == 3


def test_after_a_minute_one_request_probes_and_the_rest_follows_it(
    polls: Polls, exchange: Upstream
) -> None:
    break_signed(exchange)
    polls.times(8)
    assert polls.source.breakers["signed"] == "half-open"
    before = [request.path for request in exchange.seen]
    polls.once()
    signed = [r for r in exchange.seen[len(before) :] if "KALSHI-ACCESS-KEY" in r.headers]
    assert len(signed) == 1
    assert polls.source.breakers["signed"] == "open"
    account(exchange, fills=[fill_row(0)])
    assert isinstance(polls.times(5), Resting)
    assert polls.once() is None
    assert polls.came(Fill) == 1
    assert polls.source.breakers == {"signed": "closed", "public": "closed"}


def test_a_clock_that_cannot_be_set_stops_no_marks_and_is_no_refusal(
    polls: Polls, exchange: Upstream
) -> None:
    break_signed(exchange, Reply(EXPIRED, 401))
    assert isinstance(polls.times(3), Skewed)
    assert polls.came(Mark) == 1
    assert len(exchange.asked("/portfolio/fills")) == 2 * 3
    assert polls.source.breakers == {"signed": "open", "public": "closed"}


def test_forty_one_seconds_of_skew_cost_one_retry_and_no_failure(
    polls: Polls, exchange: Upstream
) -> None:
    """All four lists are refused at once; the clock is set once and stays so."""
    date = {"Date": "Fri, 20 Nov 2026 12:00:41 GMT"}
    live = since("fills", [fill_row(0)], 10)

    def strict(request: Request) -> Reply:
        stamp = int(request.headers["KALSHI-ACCESS-TIMESTAMP"])
        late = abs(stamp - (NOON // 1_000 + 41_000)) > 5_000
        if late:
            return Reply(EXPIRED, 401, date)
        path = request.path.rsplit("/", 1)[1]
        empty = {"settlements": [], "market_positions": [], "cursor": ""} | BALANCE
        return live(request) if path == "fills" else Reply(empty, headers=date)

    for path in (*SIGNED, "/portfolio/balance"):
        exchange.on(path, strict)
    assert polls.once() is None
    assert polls.came(Fill) == 1
    counts = [len(exchange.asked(path)) for path in (*SIGNED, "/portfolio/balance")]
    assert all(count <= 2 for count in counts)
    polls.hands.seconds = 0.0
    assert polls.once() is None
    assert [len(exchange.asked(path)) for path in (*SIGNED, "/portfolio/balance")] == [
        count + 1 for count in counts
    ]


def test_cash_that_fails_fails_the_poll_but_opens_nothing(polls: Polls, exchange: Upstream) -> None:
    exchange.on("/portfolio/balance", DOWN)
    assert isinstance(polls.times(5), Broken)
    assert polls.came(Fill) == 1
    assert polls.source.breakers == {"signed": "closed", "public": "closed"}


def test_a_429_opens_nothing(polls: Polls, exchange: Upstream) -> None:
    break_signed(exchange, Reply({"error": "too many requests"}, 429))
    polls.times(12)
    assert polls.error is not None
    assert polls.source.breakers == {"signed": "closed", "public": "closed"}


def test_a_list_of_another_shape_counts_where_it_belongs(polls: Polls, exchange: Upstream) -> None:
    exchange.on("/markets", Reply({"market": []}))
    polls.times(3)
    assert polls.source.breakers == {"signed": "closed", "public": "open"}


@pytest.mark.parametrize("status", [200, 500, 503, 504])
def test_maintenance_is_said_with_the_failure(
    polls: Polls, exchange: Upstream, status: int
) -> None:
    break_signed(exchange, Reply({"msg": "down"}, 503))
    rest = {"exchange_active": True, "trading_active": False}
    until = {"exchange_estimated_resume_time": "2026-11-20T14:00:00Z"}
    exchange.on("/exchange/status", Reply(rest | until, status))
    said = "trading is paused, until about 2026-11-20T14:00:00.000000Z"
    assert said in str(polls.once())
    assert polls.source.detail == said


def test_a_pause_of_trading_is_said_while_everything_answers(
    polls: Polls, exchange: Upstream
) -> None:
    exchange.on("/exchange/status", Reply({"exchange_active": True, "trading_active": False}))
    assert polls.once() is None
    assert polls.source.detail == "trading is paused"
    exchange.on("/exchange/status", Reply(TRADING))
    assert polls.times(7) is None
    assert polls.source.detail == ""


def test_a_value_asked_of_the_market_fails_as_the_public_question_it_is(
    polls: Polls, exchange: Upstream
) -> None:
    """A scalar settlement that names no value: the list is signed, its market's row is not."""
    end = settlement_row(ticker="TIE", market_result="scalar", value=None)
    exchange.on("/portfolio/settlements", Reply({"settlements": [end], "cursor": ""}))
    exchange.on("/markets/TIE", DOWN)
    assert isinstance(polls.times(3), Broken)
    assert polls.source.breakers == {"signed": "closed", "public": "open"}


@pytest.mark.parametrize("body", [{}, [], {"exchange_active": "yes"}, "<html>"])
def test_a_status_nobody_understands_is_not_made_a_pause(
    polls: Polls, exchange: Upstream, body: object
) -> None:
    exchange.on("/exchange/status", Reply(body, 503))
    assert polls.once() is None
    assert polls.source.detail == ""


def written(key: Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_a_key_replaced_in_its_file_is_used_without_a_restart(
    exchange: Upstream, hands: Hands, pem: str
) -> None:
    """Four lists are refused at once; each is asked once more, with the new key."""
    account(exchange, fills=[fill_row(0)])
    stored = {"id": "old", "pem": pem}
    source = Kalshi(
        exchange.url,
        "old",
        pem,
        timepiece=hands.timepiece(),
        reload=lambda: (stored["id"], stored["pem"]),
    )
    polls = Polls(source, hands)
    live = since("fills", [fill_row(0)], 10)

    def strict(request: Request) -> Reply:
        if request.headers["KALSHI-ACCESS-KEY"] == "old":
            return Reply(UNKNOWN, 401)
        empty = {"settlements": [], "market_positions": [], "cursor": ""} | BALANCE
        return live(request) if request.path.endswith("/fills") else Reply(empty)

    for path in (*SIGNED, "/portfolio/balance"):
        exchange.on(path, strict)
    stored["pem"] = "-----BEGIN PRIVATE"
    error = polls.once()
    assert isinstance(error, Refused)
    assert "the new key can't be used, the old one stays" in str(error)
    assert "the old one stays" in source.detail
    asked = len(exchange.asked("/portfolio/fills"))
    assert asked == 1
    stored |= {"id": "new", "pem": written(Ed25519PrivateKey.generate())}
    assert polls.once() is None
    assert (polls.came(Fill), source.detail) == (1, "")
    source.close()


def test_the_history_counts_too(polls: Polls, exchange: Upstream) -> None:
    break_signed(exchange)
    for _ in range(3):
        with pytest.raises(Broken):
            list(polls.source.history({}))
    with pytest.raises(Resting):
        list(polls.source.history({}))
    assert polls.source.breakers == {"signed": "open", "public": "closed"}


def test_nobody_there_opens_both(hands: Hands, pem: str) -> None:
    source = Kalshi("http://127.0.0.1:9", "id", pem, timepiece=hands.timepiece())
    polls = Polls(source, hands)
    assert isinstance(polls.times(3), Unreachable)
    assert source.breakers == {"signed": "open", "public": "open"}
    source.close()
