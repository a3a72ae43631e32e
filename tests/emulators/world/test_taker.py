"""An account made of real trades."""

from pathlib import Path

import pytest

from emulators.world.charter import Charter
from emulators.world.instant import DAY, HOUR, MINUTE
from emulators.world.replay import Replayed
from emulators.world.taker import Taker
from tests.emulators.stage import START, Make

SMALL = """,trade_id,ticker,count,created_time,yes_price,no_price,taker_side
0,b,CPI-22DEC-T1,5,2022-12-25T14:00:00.000000Z,61,39,yes
1,a,CPI-22DEC-T1,50,2022-12-25T12:00:00Z,30,70,no
2,c,CPI-22DEC-T2,1,2022-12-25T13:00:00.5Z,10,90,no
"""
CHARTER = Charter("7", START, START - DAY)


@pytest.fixture
def replay(tmp_path: Path) -> Replayed:
    path = tmp_path / "trades.csv"
    path.write_text(SMALL)
    return Replayed(path, START)


def test_a_share_of_each_trade_is_a_fill_on_its_takers_side(replay: Replayed) -> None:
    taker = Taker(CHARTER, replay.prints(), 37, lambda _: False)
    first = taker.until(START + HOUR)
    rest = taker.until(START + DAY)
    assert [(f.fill_id, f.direction, f.count, f.price) for f in first + rest] == [
        ("a", -1, 1_850, 3_000), ("c", -1, 37, 1_000), ("b", 1, 185, 6_100),
    ]  # fmt: skip
    assert first[0].fee == 272_000_000, "0.07 × 18.5 × .3 × .7 up to $0.0001, change likewise"


def test_less_than_a_hundredth_is_left(replay: Replayed) -> None:
    assert Taker(CHARTER, replay.prints(), 0, lambda _: False).until(START + DAY) == []


def test_nothing_is_taken_while_trading_rests(replay: Replayed) -> None:
    taker = Taker(CHARTER, replay.prints(), 100, lambda time: time < START + HOUR)
    assert [fill.fill_id for fill in taker.until(START + DAY)] == ["c", "b"]


def test_a_trade_of_ours_is_public_once(replay: Replayed, make: Make) -> None:
    stage = make(listing=replay, share=100)
    stage.now[0] = START + 90 * MINUTE
    assert stage.totals()["fills"] == 2
    trades = stage.kalshi("/markets/trades").json()["trades"]
    assert [trade["trade_id"] for trade in trades] == ["c", "a"]
    fills = stage.kalshi("/portfolio/fills").json()["fills"]
    assert [fill["fill_id"] for fill in fills] == ["c", "a"]
