"""Real trades played again."""

from pathlib import Path

import pytest

from emulators.world.instant import DAY, HOUR, MINUTE
from emulators.world.replay import Replayed
from tests.emulators.stage import START, Make

TRADES = Path(__file__).parents[4] / "shared/data/kalshi-public-trades"
SMALL = """,trade_id,ticker,count,created_time,yes_price,no_price,taker_side
0,b,CPI-22DEC-T1,5,2022-12-25T14:00:00.000000Z,61,39,yes
1,a,CPI-22DEC-T1,5,2022-12-25T12:00:00Z,30,70,no
2,c,CPI-22DEC-T2,5,2022-12-25T13:00:00.5Z,10,90,no
3,d,CPI-22DEC-T2,5,2022-12-26T13:00:00.5Z,12,88,no
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "trades.csv"
    path.write_text(SMALL)
    return path


def test_the_first_trade_is_at_the_start(small: Path) -> None:
    replay = Replayed(small, START)
    assert [market.ticker for market in replay.tradable(START)] == ["CPI-22DEC-T1"]
    first = replay.tradable(START)[0]
    assert replay.last(first, START + 2 * HOUR - 1) == 3_000
    assert replay.last(first, START + 2 * HOUR) == 6_100
    assert replay.outcome(first).result == "yes"


def test_speed_shortens_the_time_between_trades(small: Path) -> None:
    replay = Replayed(small, START, speed=60)
    assert replay.last(replay.tradable(START)[0], START + 2 * MINUTE) == 6_100
    assert len(replay.tradable(START + 2 * MINUTE)) == 2


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="not a file of trades"):
        Replayed(path, START)


def test_the_trader_trades_what_is_replayed(small: Path, make: Make) -> None:
    stage = make(listing=Replayed(small, START))
    stage.now[0] = START + 6 * HOUR
    fills = stage.all_of("/portfolio/fills", "fills", limit=1000)
    assert {fill["ticker"] for fill in fills} == {"CPI-22DEC-T1", "CPI-22DEC-T2"}
    market = stage.kalshi("/markets/CPI-22DEC-T2").json()["market"]
    assert market["last_price_dollars"] == "0.1000"


@pytest.mark.skipif(not TRADES.exists(), reason="the public trades are not beside the checkout")
@pytest.mark.parametrize("name", sorted(path.name for path in TRADES.glob("*.csv")))
def test_real_files_make_a_world_that_settles(name: str, make: Make) -> None:
    replay = Replayed(TRADES / name, START, speed=5_000)
    stage = make(listing=replay)
    stage.now[0] = START + DAY
    markets = stage.all_of("/markets", "markets", limit=1000)
    assert {market["status"] for market in markets} >= {"finalized"}
    totals = stage.totals()
    assert totals["fills"] > 50
