"""Six believable series: when their events open and close, and what their strikes say."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from math import cos, exp, inf, pi

from emulators.world import instant
from emulators.world.chance import gauss, uniform
from emulators.world.instant import DAY, HOUR, MINUTE
from emulators.world.market import Event, Series, Strike

Ladder = tuple[Event, tuple[Strike, ...]]

CPI = Series("KXCPI", "CPI month over month", "Economics", "monthly")
FED = Series("KXFED", "Fed funds rate", "Economics", "custom")
GDP = Series("KXGDP", "US GDP growth", "Economics", "quarterly")
BTC = Series("KXBTCD", "Bitcoin price today", "Crypto", "daily", exchange_index=2, tick=10)
HIGH = Series(
    "KXHIGHNY", "Highest temperature in NYC", "Climate and Weather", "daily",
    multiplier=Decimal("0.5"),
)  # fmt: skip
NBA = Series(
    "KXNBAGAME", "Professional basketball game", "Sports", "custom", "quadratic_with_maker_fees"
)
_TEAMS = {
    "ATL": "Atlanta", "BOS": "Boston", "CHI": "Chicago", "CLE": "Cleveland", "DAL": "Dallas",
    "DEN": "Denver", "GSW": "Golden State", "LAL": "Los Angeles L", "MEM": "Memphis",
    "MIA": "Miami", "MIL": "Milwaukee", "MIN": "Minnesota", "NYK": "New York",
    "OKC": "Oklahoma City", "PHI": "Philadelphia", "PHX": "Phoenix", "SAC": "Sacramento",
    "TOR": "Toronto",
}  # fmt: skip
_CANCELLED = 0.04


@dataclass(frozen=True, slots=True)
class Calendar:
    """How a series repeats: the number of an instant, and the events of a number."""

    number: Callable[[int], int]
    events: Callable[[str, int], tuple[Ladder, ...]]
    lead: int
    """The longest time from an event's announcement to its close, in microseconds."""


def _days(moment: int) -> int:
    return moment // DAY


def _months(moment: int) -> int:
    day = instant.day(moment)
    return day.year * 12 + day.month - 1


def _meetings(moment: int) -> int:
    return moment // (45 * DAY)


def _code(moment: int) -> str:
    return instant.aware(moment).strftime("%y%b%d").upper()


def _above(
    ask: str, unit: str, strikes: list[Decimal], centre: float, sigma: float
) -> list[Strike]:
    return [
        Strike(
            suffix=f"T{strike}", title=ask.format(f"{strike}{unit}"), label=f"Above {strike}{unit}",
            low=(float(strike) - centre) / sigma, high=inf, floor=float(strike),
        )
        for strike in strikes
    ]  # fmt: skip


def _cpi(seed: str, number: int) -> tuple[Ladder, ...]:
    close = instant.at(number // 12, number % 12 + 2, 12, 13, 25)
    month = instant.aware(instant.at(number // 12, number % 12 + 1, 1))
    name = month.strftime("%B %Y")
    event = Event(
        f"KXCPI-{month.strftime('%y%b').upper()}", CPI, f"CPI in {name}", f"In {name}",
        close - 40 * DAY, close,
    )  # fmt: skip
    centre = 0.2 + 0.05 * gauss(seed, event.ticker, "centre")
    strikes = [Decimal(tenth).scaleb(-1) for tenth in range(5)]
    ask = "Will CPI rise more than {} in " + name + "?"
    return ((event, tuple(_above(ask, "%", strikes, centre, 0.12))),)


def _fed(seed: str, number: int) -> tuple[Ladder, ...]:
    close = (number + 1) * 45 * DAY - 5 * HOUR - 5 * MINUTE
    name = instant.aware(close).strftime("%b %Y")
    ticker = f"KXFED-{instant.aware(close).strftime('%y%b').upper()}"
    event = Event(
        ticker, FED, f"Fed funds rate after the {name} meeting", name, close - 60 * DAY, close
    )
    centre = 3.75 + 0.12 * gauss(seed, ticker, "centre")
    strikes = [Decimal("3.25") + Decimal("0.25") * step for step in range(5)]
    ask = (
        "Will the upper bound of the federal funds rate be above {} after the " + name + " meeting?"
    )
    return ((event, tuple(_above(ask, "%", strikes, centre, 0.3))),)


def _gdp(seed: str, number: int) -> tuple[Ladder, ...]:
    if number % 3:
        return ()
    close = instant.at(number // 12, number % 12 + 1, 30, 12, 25)
    quarter = f"Q{(number // 3 - 1) % 4 + 1} {(number - 3) // 12}"
    event = Event(
        f"KXGDP-{_code(close)}",
        GDP,
        f"US GDP growth in {quarter}",
        quarter,
        close - 100 * DAY,
        close,
    )
    centre = 2.2 + 0.6 * gauss(seed, event.ticker, "centre")
    strikes = [Decimal("1.0") + Decimal("0.5") * step for step in range(5)]
    ask = "Will real GDP increase by more than {} in " + quarter + "?"
    return ((event, tuple(_above(ask, "%", strikes, centre, 1.0))),)


def _btc(seed: str, number: int) -> tuple[Ladder, ...]:
    close = number * DAY + 22 * HOUR
    date = instant.aware(close).strftime("%b %-d, %Y")
    event = Event(
        f"KXBTCD-{_code(close)}17", BTC, f"Bitcoin price on {date}?", f"On {date} at 5pm EST",
        close - 26 * HOUR, close,
    )  # fmt: skip
    week, rest = divmod(number, 7)
    left, right = (gauss(seed, "bitcoin", week + step) for step in (0, 1))
    centre = 90_000 * exp(0.07 * (left + (right - left) * rest / 7))
    base = round(centre / 500) * 500
    strikes = [Decimal(base + 750 * step) - Decimal("0.01") for step in (-3, -2, -1, 0, 1, 2, 3)]
    ask = "Will Bitcoin be above ${} on " + date + " at 5pm EST?"
    return ((event, tuple(_above(ask, "", strikes, centre, 1_900))),)


def _high(seed: str, number: int) -> tuple[Ladder, ...]:
    start = number * DAY
    date = instant.aware(start).strftime("%b %-d, %Y")
    event = Event(
        f"KXHIGHNY-{_code(start)}", HIGH, f"Highest temperature in NYC on {date}?", f"On {date}",
        start - 9 * HOUR, start + 29 * HOUR - MINUTE, exclusive=True,
    )  # fmt: skip
    season = 62 - 23 * cos(2 * pi * (instant.day(start).timetuple().tm_yday - 22) / 365.25)
    centre = season + 6 * gauss(seed, event.ticker, "centre")
    low = round(centre) - 4
    return ((event, tuple(_degrees(date, low, centre))),)


def _degrees(date: str, low: int, centre: float) -> list[Strike]:
    def sigmas(degrees: float) -> float:
        return (degrees - centre) / 4

    ask = f"Will the high temp in NYC be {{}} on {date}?"
    strikes = [
        Strike(
            f"T{low}", ask.format(f"<{low}°"), f"{low - 1}° or below", -inf, sigmas(low), cap=low
        )
    ]
    for step in range(4):
        floor = low + 2 * step
        span = f"{floor}-{floor + 1}°"
        strikes.append(
            Strike(
                f"B{floor}.5", ask.format(span), span.replace("-", "° to "),
                sigmas(floor), sigmas(floor + 2), floor, floor + 1,
            )
        )  # fmt: skip
    top = low + 7
    strikes.append(
        Strike(f"T{top}", ask.format(f">{top}°"), f"{top + 1}° or above", sigmas(low + 8), inf, top)
    )
    return strikes


def _nba(seed: str, number: int) -> tuple[Ladder, ...]:
    teams = sorted(_TEAMS, key=lambda team: uniform(seed, "nba", number, team))
    return tuple(_game(seed, number, *teams[2 * n : 2 * n + 2], hour=n) for n in range(3))


def _game(seed: str, number: int, away: str, home: str, *, hour: int) -> Ladder:
    close = number * DAY + (26 + hour) * HOUR + 25 * MINUTE
    ticker = f"KXNBAGAME-{_code(number * DAY)}{away}{home}"
    title = f"{_TEAMS[away]} at {_TEAMS[home]}"
    cancelled = uniform(seed, ticker, "cancelled") < _CANCELLED
    event = Event(
        ticker, NBA, title, title, close - 26 * HOUR, close, exclusive=True, scalar=cancelled
    )
    edge = -0.15 + 0.5 * gauss(seed, ticker, "edge")
    ask = f"{title} Winner?"
    return event, (
        Strike(away, ask, _TEAMS[away], -inf, edge),
        Strike(home, ask, _TEAMS[home], edge, inf),
    )


CALENDARS = (
    Calendar(_months, _cpi, lead=75 * DAY),
    Calendar(_meetings, _fed, lead=61 * DAY),
    Calendar(_months, _gdp, lead=101 * DAY),
    Calendar(_days, _btc, lead=2 * DAY),
    Calendar(_days, _high, lead=2 * DAY),
    Calendar(_days, _nba, lead=2 * DAY),
)
SERIES = {series.ticker: series for series in (CPI, FED, GDP, BTC, HIGH, NBA)}
