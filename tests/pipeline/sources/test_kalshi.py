"""Kalshi over real HTTP: the whole history, the tail, re-reads, marks, refusals."""

from collections.abc import Iterator
from typing import Any

import pytest

from ledger.facts import Fill, Mark, Settlement
from ledger.moment import DAY, HOUR, MICROS, MINUTE, parse
from pipeline.sources.client import Broken, Refused, Skewed, TimedOut
from pipeline.sources.kalshi import Kalshi
from pipeline.sources.kalshi_positions import UNSETTLED
from pipeline.sources.source import Deadline, Held
from storage.facts import Page
from tests.pipeline.sources.conftest import NOON, Hands
from tests.pipeline.sources.kalshi_upstream import (
    BALANCE,
    CUTOFF,
    account,
    fill_row,
    market_row,
    paged,
    position_row,
    settlement_row,
    since,
)
from tests.pipeline.sources.upstream import Reply, Request, Upstream

TICKER = "KXCPI-26NOV-T0.3"
EXPIRED = {"error": {"code": "header_timestamp_expired", "message": "header timestamp expired"}}
FIVE = [fill_row(n) for n in range(5)]
OLD = [fill_row(n) for n in range(5, 8)]
ENDS = [settlement_row(ticker=f"M{n}") for n in range(3)]


@pytest.fixture
def kalshi(exchange: Upstream, pem: str, hands: Hands) -> Iterator[Kalshi]:
    source = Kalshi(exchange.url, "key id", pem, timepiece=hands.timepiece())
    yield source
    source.close()


def merged(pages: list[Page], cursor: dict[str, str] | None = None) -> dict[str, str]:
    """Return the cursor after these pages, as storage keeps it."""
    whole = dict(cursor or {})
    for page in pages:
        whole |= page.cursor
    return whole


def facts(pages: list[Page], kind: type[Any]) -> list[Any]:
    """Return the facts of one kind."""
    return [fact for page in pages for fact in page.facts if isinstance(fact, kind)]


def ids(pages: list[Page]) -> list[str]:
    """Return the ids of all fills, in the order they came."""
    return [fill.fill_id for fill in facts(pages, Fill)]


def names(*numbers: int) -> list[str]:
    return [f"fill-{number}" for number in numbers]


def poll(
    source: Kalshi, cursor: dict[str, str], *tickers: str, now: int = NOON, seconds: float = 3.0
) -> list[Page]:
    """Return what one poll brings."""
    held = Held(frozenset(tickers), now)
    return list(source.poll(cursor, held, Deadline.after(seconds)))


def test_the_history_is_every_page_live_and_historical(kalshi: Kalshi, exchange: Upstream) -> None:
    account(exchange, fills=FIVE, historical=OLD, settlements=ENDS)
    pages = list(kalshi.history({}))
    assert ids(pages) == names(*range(8))
    assert [end.ticker for end in facts(pages, Settlement)] == ["M0", "M1", "M2"]
    assert [page.cursor.get("complete") for page in pages[:-1]] == [None] * (len(pages) - 1)
    assert pages[-1].cursor["complete"] == "1"
    assert merged(pages)["fills_head"] == str(NOON)
    assert list(kalshi.history(merged(pages))) == []


def test_an_interrupted_history_goes_on_at_its_page(kalshi: Kalshi, exchange: Upstream) -> None:
    account(exchange, fills=FIVE, historical=OLD, settlements=ENDS)
    whole = list(kalshi.history({}))
    for done in range(len(whole)):
        cursor = merged(whole[:done])
        rest = list(kalshi.history(cursor))
        assert ids(whole[:done] + rest) == names(*range(8))
        assert merged(rest, cursor) == merged(whole)


@pytest.mark.parametrize("status", [400, 500])
def test_a_page_that_is_not_known_any_more_starts_the_list_over(
    kalshi: Kalshi, exchange: Upstream, status: int
) -> None:
    account(exchange, fills=FIVE, historical=OLD)
    live = since("fills", FIVE, 2)

    def forgetful(request: Request) -> Reply:
        return Reply({}, status) if request.arg("cursor") == "gone" else live(request)

    exchange.on("/portfolio/fills", forgetful)
    pages = list(kalshi.history({"stage": "fills", "page": "gone", "fills_head": "1"}))
    assert ids(pages) == names(*range(8))


def test_an_older_upstream_has_no_historical_lists(kalshi: Kalshi, exchange: Upstream) -> None:
    account(exchange, fills=FIVE, settlements=ENDS)
    for path in ("/historical/cutoff", "/historical/fills"):
        exchange.on(path, Reply({"error": {"code": "not_found"}}, 404))
    pages = list(kalshi.history({}))
    assert ids(pages) == names(*range(5))
    assert pages[-1].cursor["complete"] == "1"


def test_an_empty_account_is_complete(kalshi: Kalshi, exchange: Upstream) -> None:
    account(exchange)
    pages = list(kalshi.history({}))
    assert merged(pages)["complete"] == "1"
    assert merged(pages)["fills_head"] == str(NOON)


def test_a_row_that_cannot_be_read_is_set_apart(kalshi: Kalshi, exchange: Upstream) -> None:
    bad = fill_row(1)
    del bad["fee_cost"]
    account(exchange, fills=[fill_row(0), bad, fill_row(2)])
    pages = list(kalshi.history({}))
    assert ids(pages) == names(0, 2)
    rejects = [reject for page in pages for reject in page.rejects]
    assert [(r.source, r.identity, r.field) for r in rejects] == [("kalshi", "fill-1", "fee_cost")]


def test_requests_are_signed_over_the_whole_path_and_public_ones_are_not(
    kalshi: Kalshi, exchange: Upstream
) -> None:
    account(exchange, markets=[market_row()])
    poll(kalshi, {}, TICKER)
    signed = {
        request.path.removeprefix("/trade-api/v2"): "KALSHI-ACCESS-KEY" in request.headers
        for request in exchange.seen
    }
    assert signed == {
        "/portfolio/fills": True,
        "/portfolio/settlements": True,
        "/portfolio/positions": True,
        "/portfolio/balance": True,
        "/markets": False,
        "/events/KXCPI-26NOV": False,
        "/exchange/user_data_timestamp": False,
        "/exchange/status": False,
        "/account/endpoint_costs": False,
        "/account/limits": True,
    }


def test_a_host_that_asks_who_wants_to_know_is_told(kalshi: Kalshi, exchange: Upstream) -> None:
    account(exchange, markets=[market_row()])

    def private(request: Request) -> Reply:
        known = "KALSHI-ACCESS-KEY" in request.headers
        return Reply({"markets": [market_row()], "cursor": ""}) if known else Reply({}, 401)

    exchange.on("/markets", private)
    assert len(facts(poll(kalshi, {}, TICKER), Mark)) == 1


@pytest.mark.parametrize("details", ["INCORRECT_API_KEY_SIGNATURE", "NOT_FOUND"])
def test_refused_credentials_are_told_once(
    kalshi: Kalshi, exchange: Upstream, details: str
) -> None:
    account(exchange)
    error = {"code": "authentication_error", "details": details}
    exchange.on("/portfolio/fills", Reply({"error": error}, 401))
    with pytest.raises(Refused, match=f"GET /portfolio/fills was answered 401.*{details}"):
        poll(kalshi, {})
    assert len(exchange.asked("/portfolio/fills")) == 1


def test_a_skewed_clock_is_set_by_the_upstream_and_tried_once_more(
    kalshi: Kalshi, exchange: Upstream
) -> None:
    """The upstream's clock is 41 s ahead of ours; it takes 5 s."""
    account(exchange, fills=FIVE)
    date = {"Date": "Fri, 20 Nov 2026 12:00:41 GMT"}
    live = since("fills", FIVE, 10)

    def strict(request: Request) -> Reply:
        stamp = int(request.headers["KALSHI-ACCESS-TIMESTAMP"])
        late = abs(stamp - (NOON // 1_000 + 41_000)) > 5_000
        return Reply(EXPIRED, 401, date) if late else live(request)

    exchange.on("/portfolio/fills", strict)
    assert ids(list(kalshi.history({}))) == names(*range(5))
    assert len(exchange.asked("/portfolio/fills")) == 2


def test_a_clock_that_cannot_be_set_is_no_refusal_of_the_key(
    kalshi: Kalshi, exchange: Upstream
) -> None:
    account(exchange)
    exchange.on("/portfolio/fills", Reply(EXPIRED, 401))
    with pytest.raises(Skewed, match="header timestamp expired"):
        list(kalshi.history({}))
    assert len(exchange.asked("/portfolio/fills")) == 2


def test_the_tail_overlaps_what_is_known_and_moves_the_head(
    kalshi: Kalshi, exchange: Upstream
) -> None:
    """Head at minute 3 before noon: asked from minute 5 on, new head at minute 0."""
    account(exchange, fills=FIVE, historical=OLD, settlements=ENDS)
    head = {"fills_head": str(NOON - 3 * MINUTE), "settlements_head": str(NOON - 2 * HOUR)}
    pages = poll(kalshi, head)
    assert ids(pages) == names(*range(5))
    first = exchange.asked("/portfolio/fills")[0]
    assert first.arg("min_ts") == str((NOON - 5 * MINUTE) // MICROS)
    assert first.arg("limit") == "1000"
    moved = merged(pages)
    assert moved["fills_head"] == str(NOON)
    assert moved["settlements_head"] == str(NOON - HOUR)


def test_a_tail_that_broke_off_does_not_move_the_head(kalshi: Kalshi, exchange: Upstream) -> None:
    account(exchange, settlements=ENDS)
    live = since("fills", FIVE, 2)

    def breaking(request: Request) -> Reply:
        return Reply({}, 500) if request.arg("cursor") == "4" else live(request)

    exchange.on("/portfolio/fills", breaking)
    came: list[Page] = []
    with pytest.raises(Broken, match="answered 500"):
        came.extend(kalshi.poll({"fills_head": "1000000"}, Held(now=NOON), Deadline.after(3.0)))
    assert ids(came) == names(0, 1, 2, 3)
    assert "fills_head" not in merged(came)
    assert len(facts(came, Settlement)) == 0
    assert merged(came)["settlements_head"] == str(NOON)


def test_a_fill_dated_ahead_does_not_move_the_head_past_now(
    kalshi: Kalshi, exchange: Upstream
) -> None:
    account(exchange, fills=[fill_row(-60)])
    pages = poll(kalshi, {"fills_head": str(NOON - MINUTE)})
    assert merged(pages)["fills_head"] == str(NOON)


def test_after_a_long_absence_the_historical_list_belongs_to_the_tail(
    kalshi: Kalshi, exchange: Upstream
) -> None:
    account(exchange, fills=FIVE, historical=OLD)
    known = {"fills_head": str(NOON - 100 * DAY), "complete": "1", "cutoff": str(NOON - 100 * DAY)}
    pages = poll(kalshi, known)
    assert set(ids(pages)) == set(names(*range(8)))
    asked = exchange.asked("/historical/fills")[0]
    assert asked.arg("min_ts") == str((NOON - 101 * DAY) // MICROS)
    assert merged(pages)["cutoff"] == str(parse(CUTOFF["trades_created_ts"]))


def test_marks_of_one_answer_share_the_instant_of_its_receipt(
    kalshi: Kalshi, exchange: Upstream, hands: Hands
) -> None:
    hands.seconds = 7.0
    markets = [market_row(ticker=f"M{n}", event_ticker="E") for n in range(3)]
    account(exchange, markets=markets)
    pages = poll(kalshi, {}, "M0", "M1", "M2", "M3")
    assert [(mark.ticker, mark.time) for mark in facts(pages, Mark)] == [
        ("M0", NOON + 7 * MICROS),
        ("M1", NOON + 7 * MICROS),
        ("M2", NOON + 7 * MICROS),
    ]


def test_what_was_bought_just_now_is_marked_in_the_same_poll(
    kalshi: Kalshi, exchange: Upstream
) -> None:
    markets = [market_row(ticker=ticker) for ticker in ("HELD", "NEW", "OLD")]
    live = [fill_row(1, ticker="NEW"), fill_row(3, ticker="OLD")]
    account(exchange, fills=live, markets=markets)
    head = {"fills_head": str(NOON - 2 * MINUTE)}
    assert {mark.ticker for mark in facts(poll(kalshi, head, "HELD"), Mark)} == {"HELD", "NEW"}


def test_many_held_markets_are_asked_in_batches(kalshi: Kalshi, exchange: Upstream) -> None:
    tickers = [f"M{n:03}" for n in range(250)]
    account(exchange, markets=[market_row(ticker=ticker) for ticker in tickers])
    assert {mark.ticker for mark in facts(poll(kalshi, {}, *tickers), Mark)} == set(tickers)
    sizes = [request.arg("tickers").count(",") + 1 for request in exchange.asked("/markets")]
    assert sizes == [100, 100, 50]


def test_a_mark_comes_again_only_when_it_changed(kalshi: Kalshi, exchange: Upstream) -> None:
    moved = market_row(last_price_dollars="0.5100")
    account(exchange)
    pages = [Reply({"markets": [row], "cursor": ""}) for row in (market_row(), market_row(), moved)]
    exchange.on("/markets", *pages)
    assert [len(facts(poll(kalshi, {}, TICKER), Mark)) for _ in range(3)] == [1, 0, 1]


def test_a_mark_whose_page_was_not_recorded_comes_again(kalshi: Kalshi, exchange: Upstream) -> None:
    account(exchange, markets=[market_row()])
    interrupted = kalshi.poll({}, Held(frozenset({TICKER}), NOON), Deadline.after(3.0))
    next(page for page in interrupted if facts([page], Mark))
    interrupted.close()
    assert len(facts(poll(kalshi, {}, TICKER), Mark)) == 1


def test_a_quote_outside_a_dollar_is_set_apart_and_the_others_marked(
    kalshi: Kalshi, exchange: Upstream
) -> None:
    markets = [market_row(ticker="A", yes_bid_dollars="1.5000"), market_row(ticker="B")]
    account(exchange, markets=markets)
    pages = poll(kalshi, {}, "A", "B")
    assert [mark.ticker for mark in facts(pages, Mark)] == ["B"]
    rejects = [(r.identity, r.field) for page in pages for r in page.rejects]
    assert rejects == [("A", "yes_bid_dollars")]


def test_held_markets_are_named_with_their_series(kalshi: Kalshi, exchange: Upstream) -> None:
    account(exchange, markets=[market_row()])
    pages = poll(kalshi, {}, TICKER)
    told = [market for page in pages for market in page.markets]
    assert [(market.ticker, market.series) for market in told] == [(TICKER, ""), (TICKER, "KXCPI")]
    assert not [market for page in poll(kalshi, {}, TICKER) for market in page.markets]


def test_reported_positions_are_read_to_the_end_and_never_booked(
    kalshi: Kalshi, exchange: Upstream
) -> None:
    account(exchange, positions=[position_row(ticker=f"M{n}") for n in range(5)])
    pages = poll(kalshi, {})
    assert sorted(kalshi.positions[0, UNSETTLED].reports) == ["M0", "M1", "M2", "M3", "M4"]
    assert kalshi.positions[0, UNSETTLED].reports["M0"].position == -777
    assert facts(pages, Fill) == []


def test_positions_that_broke_off_leave_the_last_reports(
    kalshi: Kalshi, exchange: Upstream
) -> None:
    account(exchange, positions=[position_row(ticker=f"M{n}") for n in range(5)])
    poll(kalshi, {})
    first_page = paged("market_positions", "cursor", [position_row()] * 5, 2)
    exchange.on("/portfolio/positions", first_page, Reply("{", 200))
    with pytest.raises(Broken):
        poll(kalshi, {})
    assert sorted(kalshi.positions[0, UNSETTLED].reports) == ["M0", "M1", "M2", "M3", "M4"]


def test_cash_goes_into_the_cursor(kalshi: Kalshi, exchange: Upstream) -> None:
    account(exchange)
    known = merged(poll(kalshi, {}))
    assert known["balance"] == "98018600000"
    assert known["portfolio_value"] == "1980000000"
    assert known["balance_at"] == str(NOON)


def test_one_list_that_fails_keeps_nothing_from_the_others(
    kalshi: Kalshi, exchange: Upstream
) -> None:
    account(exchange, fills=FIVE, markets=[market_row()])
    exchange.on("/portfolio/balance", Reply({}, 503))
    came: list[Page] = []
    with pytest.raises(Broken, match="/portfolio/balance was answered 503"):
        came.extend(
            kalshi.poll(
                {"fills_head": "1000000"}, Held(frozenset({TICKER}), NOON), Deadline.after(3)
            )
        )
    assert ids(came) == names(*range(5))
    assert len(facts(came, Mark)) == 1


@pytest.mark.parametrize("status", [403, 404])
def test_a_key_that_may_not_read_the_balance_still_reads_the_account(
    kalshi: Kalshi, exchange: Upstream, status: int
) -> None:
    account(exchange, fills=FIVE)
    exchange.on("/portfolio/balance", Reply({}, status), Reply({}, status), Reply(BALANCE))
    assert ids(poll(kalshi, {"fills_head": str(NOON)}))
    assert kalshi.detail == f"balance answered {status}"
    assert "balance" not in merged(poll(kalshi, {}))
    assert "balance" in merged(poll(kalshi, {}))
    assert kalshi.detail == ""


def test_an_upstream_that_answers_more_than_asked_marks_only_held_markets(
    kalshi: Kalshi, exchange: Upstream
) -> None:
    account(exchange)
    rows = [market_row(ticker="A"), market_row(ticker="B"), "no row"]
    exchange.on("/markets", Reply({"markets": rows, "cursor": ""}))
    pages = poll(kalshi, {}, "B")
    assert [mark.ticker for mark in facts(pages, Mark)] == ["B"]
    assert {market.ticker for page in pages for market in page.markets} == {"B"}


def test_the_last_seven_days_are_read_again_each_minute(
    kalshi: Kalshi, exchange: Upstream, hands: Hands
) -> None:
    """A fill of yesterday that was late: the tail cannot see it, the sweep does."""
    late = fill_row(24 * 60)
    account(exchange, fills=[late], historical=OLD)
    cursor = merged(list(kalshi.history({}))) | {"fills_head": str(NOON)}
    assert ids(poll(kalshi, cursor)) == []
    hands.sleep(60)
    assert ids(poll(kalshi, cursor, now=NOON + MINUTE)) == [late["fill_id"]]
    assert ids(poll(kalshi, cursor, now=NOON + 2 * MINUTE - 1)) == []


def test_the_whole_live_window_is_read_again_each_hour(
    kalshi: Kalshi, exchange: Upstream, hands: Hands
) -> None:
    late = fill_row(30 * 24 * 60)
    account(exchange, fills=[late])
    cursor = merged(list(kalshi.history({}))) | {"fills_head": str(NOON)}
    assert ids(poll(kalshi, cursor, now=NOON + MINUTE)) == []
    hands.sleep(3_540)
    assert ids(poll(kalshi, cursor, now=NOON + HOUR)) == [late["fill_id"]]


def test_after_a_restart_the_re_reads_are_due_at_once(kalshi: Kalshi, exchange: Upstream) -> None:
    account(exchange, fills=[fill_row(30 * 24 * 60)])
    assert len(ids(poll(kalshi, {"complete": "1", "fills_head": str(NOON)}))) == 1


def test_a_market_is_read_again_with_everything_historical(
    kalshi: Kalshi, exchange: Upstream
) -> None:
    other = fill_row(9, ticker="OTHER")
    account(exchange, fills=[*FIVE, other], historical=OLD, settlements=[settlement_row()])
    pages = list(kalshi.reread({TICKER}, Deadline.after(3.0)))
    assert ids(pages) == names(*range(8))
    assert facts(pages, Settlement) == []


def test_a_scalar_s_value_is_asked_of_its_market(kalshi: Kalshi, exchange: Upstream) -> None:
    row = settlement_row(ticker="TIE", market_result="scalar", value=None)
    account(
        exchange,
        settlements=[row, settlement_row(ticker="LOST", market_result="scalar", value=None)],
    )
    tie = market_row(status="finalized", result="scalar", settlement_value_dollars="0.5000")
    exchange.on("/historical/markets/TIE", Reply({"market": tie}))
    pages = list(kalshi.history({}))
    assert [(end.ticker, end.value) for end in facts(pages, Settlement)] == [("TIE", 500_000_000)]
    assert [(r.identity, r.field) for page in pages for r in page.rejects] == [("LOST", "value")]


def test_a_slow_upstream_ends_the_poll_at_its_deadline(kalshi: Kalshi, exchange: Upstream) -> None:
    account(exchange)
    wire = b"HTTP/1.1 200 OK\r\nContent-Length: 202\r\n\r\n{" + b" " * 200 + b"}"
    exchange.on("/portfolio/fills", Reply(wire=wire, pause=0.02))
    with pytest.raises(TimedOut, match="GET /portfolio/fills"):
        poll(kalshi, {}, seconds=0.5)


@pytest.mark.parametrize("body", [{"cursor": ""}, {"fills": {}, "cursor": ""}, []])
def test_a_list_of_another_shape_is_broken_not_empty(
    kalshi: Kalshi, exchange: Upstream, body: object
) -> None:
    account(exchange)
    exchange.on("/portfolio/fills", Reply(body))
    with pytest.raises(Broken, match="no list «fills»"):
        list(kalshi.history({}))
