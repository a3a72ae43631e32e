"""Markets, events and series over the wire."""

from typing import Any

from emulators.world import instant
from emulators.world.instant import DAY
from tests.emulators.stage import START, Stage


def listed(stage: Stage, **params: Any) -> list[dict[str, Any]]:
    return stage.all_of("/markets", "markets", limit=1000, **params)


def test_live_and_historical_markets_share_out_the_world(season: Stage) -> None:
    live, old = listed(season), season.all_of("/historical/markets", "markets", limit=1000)
    tickers = [market["ticker"] for market in live + old]
    assert len(set(tickers)) == len(tickers) > 1_500
    cutoff = season.kalshi("/historical/cutoff").json()["market_settled_ts"]
    assert all(market["settlement_ts"] < cutoff for market in old)
    ticker = old[0]["ticker"]
    assert season.kalshi(f"/markets/{ticker}").status_code == 404
    assert season.kalshi(f"/historical/markets/{ticker}").json()["market"] == old[0]
    assert season.kalshi(f"/historical/markets/{live[0]['ticker']}").status_code == 404


def test_markets_can_be_asked_for_by_ticker_status_event_and_series(season: Stage) -> None:
    some = [market["ticker"] for market in listed(season, status="open")[:5]]
    assert {m["ticker"] for m in listed(season, tickers=",".join(some))} == set(some)
    assert {m["status"] for m in listed(season, status="open")} == {"active"}
    assert {m["status"] for m in listed(season, status="settled")} == {"finalized"}
    assert {m["status"] for m in listed(season, status="unopened")} <= {"initialized"}
    assert listed(season, status="paused") == []
    fed = listed(season, series_ticker="KXFED", status="open")
    assert len(fed) == 10
    event = fed[0]["event_ticker"]
    assert len(listed(season, event_ticker=event)) == 5
    assert listed(season, mve_filter="only") == []
    since = (START - DAY) // 1_000_000
    recent = listed(season, min_settled_ts=since, max_settled_ts=START // 1_000_000)
    assert recent
    assert all(m["settlement_ts"] >= instant.text(START - DAY) for m in recent)


def test_empty_sides_are_zero_and_one_and_results_wait_for_the_end(season: Stage) -> None:
    for market in listed(season):
        bid, ask = market["yes_bid_dollars"], market["yes_ask_dollars"]
        assert "0.0000" <= bid < ask <= "1.0000"
        ended = market["status"] in ("determined", "finalized")
        assert (market["result"] != "") == ended
        assert ("settlement_value_dollars" in market) == ended


def test_an_event_names_its_series_and_brings_its_markets(season: Stage) -> None:
    market = listed(season, status="open")[0]
    body = season.kalshi(f"/events/{market['event_ticker']}").json()
    assert market["ticker"] in {one["ticker"] for one in body["markets"]}
    series = body["event"]["series_ticker"]
    assert season.kalshi(f"/series/{series}").json()["series"]["ticker"] == series
    nested = season.kalshi(f"/events/{market['event_ticker']}", with_nested_markets="true").json()
    assert nested["event"]["markets"] == body["markets"]


def test_six_series_are_listed_with_their_fees(season: Stage) -> None:
    series = season.kalshi("/series").json()["series"]
    assert {one["ticker"] for one in series} == {
        "KXCPI", "KXFED", "KXGDP", "KXBTCD", "KXHIGHNY", "KXNBAGAME",
    }  # fmt: skip
    assert season.kalshi("/series/KXNBAGAME").json()["series"]["fee_type"] == (
        "quadratic_with_maker_fees"
    )


def test_events_come_in_pages(season: Stage) -> None:
    events = season.all_of("/events", "events", limit=50)
    assert len({event["event_ticker"] for event in events}) == len(events) > 300
    fed = season.all_of("/events", "events", series_ticker="KXFED")
    assert {event["series_ticker"] for event in fed} == {"KXFED"}


def test_what_is_not_there_is_not_found(season: Stage) -> None:
    for path in ("/markets/NO", "/events/NO", "/series/NO", "/historical/markets/NO"):
        assert season.kalshi(path).status_code == 404
