"""What may arrive at any time, drawn at random: facts of every kind, by how long ago they were."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from hypothesis import strategies as st

from ledger.facts import Cost, Deal, Fact, Fill, Mark, Settlement, Side, Status
from ledger.moment import HOUR, MICROS, MINUTE, floor
from ledger.money import CENT, NANO

TICKERS = ("KXA-1", "KXB-1")
AGES = st.sampled_from([0, 1, 999, 1_000, 7 * MICROS, MINUTE, 6 * MINUTE]) | st.integers(
    0, 8 * HOUR
)
LATER = st.sampled_from([1, 7 * MICROS, 59 * MICROS, 9 * MINUTE, 70 * MINUTE, 3 * HOUR])


@st.composite
def fills(draw: st.DrawFn) -> Callable[[int], Fact]:
    """Draw a fill of a known number: its content is always the same, its time is not."""
    number = draw(st.integers(0, 11))
    side = Side.YES if number % 3 else Side.NO
    count, price = 33 * (number + 1), (3_000 + 517 * number) * 100_000
    age, subaccount = draw(AGES), number % 2 if number > 7 else 0
    ticker, fee = TICKERS[number % 2], 7_000_003 * number
    return lambda now: Fill(
        f"f{number}", now - age, ticker, side, count, price, fee, number > 3, "", subaccount
    )


@st.composite
def ends(draw: st.DrawFn) -> Callable[[int], Fact]:
    """Draw a settlement; the same market may settle again, later or at the same instant."""
    ticker, value = draw(st.sampled_from(TICKERS)), draw(st.sampled_from([0, NANO // 2, NANO]))
    subaccount, age = draw(st.sampled_from([None, None, 0, 1])), draw(AGES)
    return lambda now: Settlement(ticker, now - age, "scalar", value, subaccount=subaccount)


@st.composite
def marks(draw: st.DrawFn) -> Callable[[int], Fact]:
    """Draw a quote, one side of it perhaps empty."""
    ticker, bid, age = draw(st.sampled_from(TICKERS)), draw(st.integers(0, 98)), draw(AGES)
    last = draw(st.sampled_from([None, 0, 31 * CENT]))
    ask = draw(st.sampled_from([NANO, (bid + 1) * CENT]))
    return lambda now: Mark(ticker, now - age, bid * CENT, ask, last)


@st.composite
def costs(draw: st.DrawFn) -> Callable[[int], Fact]:
    """Draw a billed hour of a model."""
    model, amount = draw(st.sampled_from(["opus", "haiku"])), draw(st.integers(0, 10**11))
    age = draw(AGES)
    return lambda now: Cost("analytics", floor(now - age, HOUR), 3600, (("model", model),), amount)


@st.composite
def deals(draw: st.DrawFn) -> Callable[[int], Fact]:
    """Draw a version of a deal: earned at once, by the day, or not yet."""
    number, version = draw(st.integers(0, 2)), draw(st.integers(1, 6))
    status = draw(st.sampled_from([Status.RECOGNIZED, Status.RECOGNIZED, Status.PENDING]))
    day = date(2026, 11, draw(st.sampled_from([1, 20, 21])))
    amount, end = draw(st.integers(-3, 90)) * NANO, date(2026, 11, 23)
    deal = Deal("api", f"d{number}", "Acme", status, amount, version, closed_date=day)
    ratable = draw(st.booleans())
    return lambda _: replace(deal, service_start=day, service_end=end) if ratable else deal


TRADES = st.one_of(fills(), fills(), fills(), marks())
ANY = st.one_of(fills(), fills(), ends(), marks(), costs(), deals())
