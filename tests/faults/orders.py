"""Faults of order and identity: again, late, in any order, changed, before what they belong to."""

from decimal import Decimal

from ledger.moment import DAY, HOUR, MICROS, text
from tests.faults.case import Case, anew, going_on, healed
from tests.faults.clock import NOON
from tests.faults.exchange import TICKER, Exchange, fill, settlement
from tests.faults.provider import line
from tests.faults.stage import Stage

OWN = {
    "anthropic": "a line belongs to nothing else",
    "revenue": "a deal belongs to nothing else",
}
EVER = "all as ever"
NEW = "KXNEW-26DEC-T1"


def duplicated(stage: Stage) -> None:
    """Play a list that names every row twice, at every poll."""
    stage.spoiled.ordered = lambda rows: [row for row in rows for _ in range(2)]
    stage.arrive()
    for _ in range(3):
        stage.tick()
        assert stage.whole(stage.spoiled.expected.both), (stage.figure(), stage.status())
    assert stage.refused() == []
    going_on(stage)
    healed(stage)


def late(stage: Stage) -> None:
    """Play a row of days ago that nobody told of before."""
    name = stage.spoiled.name
    old = {
        "kalshi": {"created_time": text(NOON - 3 * DAY), "ts": (NOON - 3 * DAY) // MICROS},
        "anthropic": {
            "starting_at": text(NOON - 20 * DAY),
            "ending_at": text(NOON - 20 * DAY + HOUR),
        },
        "revenue": {"updated_at": text(NOON - 3 * DAY)},
    }
    stage.spoiled.arrive(stage.spoiled.fresh(), stage.spoiled.victim() | old[name])
    most, seconds = (7, 10.0) if name == "kalshi" else (40, 3_600.0)
    stage.until(lambda: stage.whole(stage.spoiled.expected.both), most, seconds)
    assert stage.refused() == []


def backwards(stage: Stage) -> None:
    """Play a list in the order nobody promised."""
    stage.spoiled.ordered = lambda rows: rows[::-1]
    stage.arrive()
    stage.tick()
    assert stage.whole(stage.spoiled.expected.both), (stage.figure(), stage.status())
    going_on(stage)
    healed(stage)


def contradicted(stage: Stage) -> None:
    """Play a booked identity with other content: what was first stays, the other is refused."""
    name = stage.spoiled.name
    stage.arrive()
    stage.tick()
    if name == "anthropic":
        at = NOON - HOUR
        stage.spoiled.rows[0] = line("again", at, "700")
        stage.spoiled.rows.insert(0, line("victim", at, "300"))
    else:
        other = {"kalshi": {"yes_price_dollars": "0.6000"}, "revenue": {"amount": "77.00"}}
        stage.spoiled.worn["victim"] = lambda row: row | other[name]
    for _ in range(3):
        stage.tick()
        assert stage.figure() == Decimal(stage.spoiled.expected.both), stage.figure()
        assert [row[0] for row in stage.refused()] == [name]
        assert stage.status()[0] == "ok"
    assert any(key.startswith(f"quarantine.{name}") for key in anew(stage))
    going_on(stage)
    healed(stage)


def before_its_market(stage: Stage) -> None:
    """Play a fill of a market nobody knows yet: 4 at .25 count at cost, then at its bid of .50."""
    exchange = stage.spoiled
    assert isinstance(exchange, Exchange)
    at = stage.clock.now - MICROS
    early = fill("early", at, "bid", "4.00", "0.2500", "0.010000", ticker=NEW, market_ticker=NEW)
    exchange.arrive(early, exchange.fresh())
    for _ in range(2):
        stage.tick()
        assert stage.whole("1.15"), (stage.figure(), stage.status())
    assert stage.shown()["complete"] is True
    exchange.markets = (TICKER, NEW)
    stage.until(lambda: stage.whole("2.15"), 12, 10.0)
    assert stage.refused() == []


def ended_first(stage: Stage) -> None:
    """Play a settlement at 1.00 before the last sale is told: 8 held at first, then 5."""
    exchange = stage.spoiled
    assert isinstance(exchange, Exchange)
    fresh, victim = exchange.fresh(), exchange.victim()
    exchange.arrive(fresh)
    exchange.settlements.append(settlement(stage.clock.now - MICROS, "yes", 100))
    stage.tick()
    assert stage.whole("5.16"), (stage.figure(), stage.status())
    exchange.arrive(victim)
    stage.until(lambda: stage.whole("3.81"), 7, 10.0)
    assert stage.shown()["trading"]["open_positions"] == 0
    assert stage.refused() == []


def told_anew(stage: Stage) -> None:
    """Play another word on what was booked: settled otherwise, billed otherwise, amended."""
    exchange, name = stage.spoiled, stage.spoiled.name
    stage.arrive()
    if isinstance(exchange, Exchange):
        exchange.settlements.append(settlement(stage.clock.now - MICROS, "yes", 100))
    stage.tick()
    assert stage.whole({"kalshi": "3.81"}.get(name, exchange.expected.both)), stage.figure()
    if isinstance(exchange, Exchange):
        exchange.settlements[0] |= settlement(stage.clock.now, "no", 0)
    else:
        victim = {
            "anthropic": line("victim", NOON - HOUR, "450"),
            "revenue": exchange.victim() | {"amount": "45.00"},
        }
        exchange.rows[0] = victim[name]
    after = {"kalshi": "-1.19", "anthropic": "19.005", "revenue": "165.5"}
    stage.until(lambda: stage.whole(after[name]), 7, 10.0)
    stage.tick(2)
    assert stage.whole(after[name])
    assert stage.refused() == []


CASES = (
    Case(
        "order-duplicate",
        "every row twice, at every poll",
        "counted once by its identity",
        EVER,
        duplicated,
    ),
    Case(
        "order-late",
        "a row of days ago",
        "kalshi: within a minute, the last 7 days are read again; anthropic and revenue: within "
        "a day, 31 days and the whole list are",
        f"{EVER}; the rows after it are restated",
        late,
    ),
    Case("order-reversed", "the oldest first", "no order is relied on", EVER, backwards),
    Case(
        "order-conflict",
        "a booked identity with other content; two amounts for one group and hour",
        "the first stays, the other is quarantined; it never silently wins",
        "an alert names source and field; the source is well",
        contradicted,
    ),
    Case(
        "order-before-market",
        "a fill before its market is known",
        "counts at once, valued at its average cost until there is a quote",
        EVER,
        before_its_market,
        OWN,
    ),
    Case(
        "order-settlement-first",
        "a settlement before a fill of its market",
        "folded in the order of their times, whatever comes first",
        f"{EVER}; restated when the fill comes",
        ended_first,
        OWN,
    ),
    Case(
        "order-told-anew",
        "settled again with another result, billed again, amended",
        "the latest settled time, the last word of a bill, the newest `updated_at` wins",
        f"{EVER}; restated",
        told_anew,
    ),
)
