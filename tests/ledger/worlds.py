"""Random worlds of trades: instants collide, markets settle in the midst, quotes are missing."""

from dataclasses import dataclass

from hypothesis import strategies as st

from ledger.facts import Fill, Mark, Settlement, Side
from ledger.money import CENT, NANO
from ledger.pnl import Event, ordered, position_in_fold

TICKERS = ["M", "N", "O"]
TIMES = st.integers(0, 9)
PRICES = (
    st.none() | st.sampled_from([0, NANO]) | st.integers(1, 9_999).map(lambda tick: tick * 10**5)
)


@dataclass(frozen=True)
class World:
    """Random facts, each input in its own order."""

    fills: list[Fill]
    ends: list[Settlement]
    marks: list[Mark]

    def facts(self, until: int = 9) -> list[Event]:
        """Return everything up to and with an instant, in the order of the fold."""
        return [e for e in ordered(self.fills, self.ends, self.marks) if e.time <= until]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw a world of three markets, three subaccounts and ten instants."""
    fills = st.builds(
        Fill,
        fill_id=st.integers(0, 999).map("f{:03}".format),
        time=TIMES,
        ticker=st.sampled_from(TICKERS),
        side=st.sampled_from(Side),
        count=st.integers(1, 300),
        price=st.integers(0, 10_000).map(lambda tick: tick * 10**5),
        fee=st.integers(0, 10**8),
        is_taker=st.just(value=True),
        subaccount=st.integers(0, 2),
    )
    ends = st.builds(
        Settlement,
        ticker=st.sampled_from([*TICKERS, "NEVER"]),
        time=TIMES,
        result=st.just("scalar"),
        value=st.integers(0, 1_000).map(lambda mill: mill * 10**6),
        subaccount=st.none() | st.integers(0, 2),
    )
    marks = st.builds(
        Mark,
        ticker=st.sampled_from([*TICKERS, "UNHELD"]),
        time=TIMES,
        bid=PRICES,
        ask=PRICES,
        last=PRICES,
        value=st.none() | st.none() | st.integers(0, 100).map(lambda percent: percent * CENT),
    )
    return World(
        sorted(
            draw(st.lists(fills, max_size=20, unique_by=lambda f: f.fill_id)), key=position_in_fold
        ),
        draw(st.lists(ends, max_size=3, unique_by=lambda end: end.identity)),
        sorted(
            draw(st.lists(marks, max_size=12, unique_by=lambda mark: (mark.ticker, mark.time))),
            key=position_in_fold,
        ),
    )
