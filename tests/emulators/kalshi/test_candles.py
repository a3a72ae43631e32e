"""Candlesticks: in their names, within their range."""

from emulators.world.instant import DAY, SECOND
from tests.emulators.stage import START, Stage

RANGE = {"start_ts": (START - DAY) // SECOND, "end_ts": START // SECOND}


def test_hours_of_a_live_market(season: Stage) -> None:
    market = season.kalshi("/markets", series_ticker="KXFED", status="open").json()["markets"][0]
    path = f"/series/KXFED/markets/{market['ticker']}/candlesticks"
    candles = season.kalshi(path, period_interval=60, **RANGE).json()["candlesticks"]
    ends = [candle["end_period_ts"] for candle in candles]
    assert ends == list(range(ends[0], ends[0] + 25 * 3_600, 3_600))
    for candle in candles:
        for side in ("yes_bid", "yes_ask"):
            prices = candle[side]
            assert prices["low_dollars"] <= prices["open_dollars"] <= prices["high_dollars"]
    assert {} in [candle["price"] for candle in candles]
    both = season.kalshi(
        "/markets/candlesticks", market_tickers=market["ticker"], period_interval=60, **RANGE
    ).json()
    assert both["markets"] == [{"market_ticker": market["ticker"], "candlesticks": candles}]


def test_history_speaks_in_bare_names(season: Stage) -> None:
    ticker = season.kalshi("/historical/markets", limit=1).json()["markets"][0]["ticker"]
    path = f"/historical/markets/{ticker}/candlesticks"
    span = {"start_ts": (START - 90 * DAY) // SECOND, "end_ts": START // SECOND}
    candles = season.kalshi(path, period_interval=60, **span).json()["candlesticks"]
    assert candles
    assert set(candles[0]["yes_bid"]) == {"open", "low", "high", "close"}
    assert "volume" in candles[0]


def test_what_cannot_be_served_is_refused(season: Stage) -> None:
    path = "/series/KXFED/markets/KXFED-26DEC-T3.75/candlesticks"
    assert season.kalshi(path, period_interval=7, **RANGE).status_code == 400
    assert season.kalshi(path).status_code == 400
    wide = {"start_ts": 0, "end_ts": START // SECOND}
    assert season.kalshi(path, period_interval=1, **wide).status_code == 400
    other = "/series/KXCPI/markets/KXFED-26DEC-T3.75/candlesticks"
    assert season.kalshi(other, period_interval=60, **RANGE).status_code == 404
    assert season.kalshi("/historical/markets/NO/candlesticks").status_code == 404
