"""The cycle over a real database and scripted sources."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from ledger.bucket import merged
from ledger.facts import Cost, Deal, Fill, Mark, Settlement, Status
from ledger.moment import HOUR, MINUTE
from ledger.money import NANO, dollars
from pipeline.cycle import Cycle, Store
from pipeline.sources.client import Refused, Unreachable
from storage import engine
from storage.engine import unguarded
from storage.facts import Page, Reject
from storage.reader import Reader
from storage.text import decode
from tests.pipeline.accounts import Crashing

Started = Callable[..., Cycle]
Filled = Callable[..., Fill]
Scripts = Callable[..., Any]


def document(store: Store) -> dict[str, Any]:
    last = store.snapshots.last()
    assert last is not None
    return decode(last[2])


def settle(cycle: Cycle) -> None:
    while cycle.run():
        pass


def spent(hour: int, amount: str, source: str = "analytics") -> Cost:
    return Cost(source, hour, 3600, (("model", "claude-opus-5"),), dollars(amount))


def deal(amount: str, day: str, status: Status = Status.RECOGNIZED) -> Deal:
    when = date.fromisoformat(day)
    return Deal("api", f"{amount} {day}", "Acme", status, dollars(amount), 1, closed_date=when)


def nets(url: str, period: str = "1m") -> list[dict[str, Any]]:
    return list(Reader(url).series(period, None, None).rows)


def test_net_is_trading_plus_revenue_minus_cost(
    store: Store,
    started: Started,
    script: Scripts,
    filled: Filled,
    hands: Any,
) -> None:
    """Buy 10 at .40, marked .55: +1.50 unrealized, .07 fee; a deal of 100; cost 12.50."""
    ours = filled("a", hands.now - HOUR, "yes", "10", "0.40", "0.07")
    quote = Mark(ours.ticker, hands.now, dollars("0.55"), dollars("0.57"), None)
    kalshi = script(past=[Page("kalshi", (ours,))], tails=[[Page("kalshi", (quote,))]])
    revenue = script("revenue", past=[Page("revenue", (deal("100", "2026-11-19"),))])
    costs = script("anthropic", past=[Page("anthropic", (spent(hands.now - 2 * HOUR, "12.5"),))])
    settle(started(kalshi, revenue, costs))
    shown = document(store)
    assert shown["complete"] is True
    assert shown["trading"]["realized"] == 0
    assert shown["trading"]["unrealized"] == decode("1.5")
    assert shown["trading"]["fees"] == decode("0.07")
    assert shown["costs"]["total"] == decode("12.5")
    assert shown["net_pnl"] == decode("88.93")
    assert shown["trading"]["open_positions"] == shown["trading"]["fills"] == 1


def test_the_last_row_of_every_period_closes_at_the_snapshot(
    store: Store, started: Started, script: Scripts, filled: Filled, hands: Any, url: str
) -> None:
    kalshi = script(past=[Page("kalshi", (filled("a", hands.now - HOUR, "no", "5", "0.40"),))])
    costs = script("anthropic", past=[Page("anthropic", (spent(hands.now - 3 * HOUR, "7.25"),))])
    cycle = started(kalshi, costs)
    settle(cycle)
    for step in range(1, 80):
        hands.now += MINUTE
        kalshi.tails = [[Page("kalshi", (filled(f"n{step}", hands.now - 7, "yes", "1", "0.41"),))]]
        cycle.run()
        if step % 13 == 0:
            for period in ("1m", "5m", "1h"):
                close = nets(url, period)[-1]["net_close"]
                assert close == dollars(document(store)["net_pnl"])
    minutes = store.rollups.load("1m", 0)
    assert store.rollups.load("5m", 0) == list(merged(minutes, 5 * MINUTE))
    assert store.rollups.load("1h", 0) == list(merged(minutes, HOUR))
    assert [row.bucket for row in minutes] == list(
        range(minutes[0].bucket, minutes[-1].bucket + MINUTE, MINUTE)
    )


def test_a_cycle_started_anew_after_a_crash_says_the_same(
    store: Store, started: Started, script: Scripts, filled: Filled, hands: Any, url: str
) -> None:
    """The first cycle records a fill and dies before the snapshot; the second books it once."""
    history = [Page("kalshi", (filled("a", hands.now - HOUR, "yes", "5", "0.40"),))]
    kalshi = script(past=history)
    settle(started(kalshi))
    hands.now += 30 * MINUTE
    store.facts.record(Page("kalshi", (filled("b", hands.now - 20 * MINUTE, "no", "2", "0.50"),)))
    hands.now += MINUTE
    again = started(script(past=history))
    again.run()
    shown = document(store)
    assert shown["trading"]["fills"] == 2
    assert shown["trading"]["realized"] == decode("0.2")
    assert nets(url)[-1]["net_close"] == dollars(shown["net_pnl"])
    assert store.facts.pending() is None


def test_a_late_fill_moves_every_level_after_it_and_marks_its_row(
    started: Started, script: Scripts, filled: Filled, hands: Any, url: str
) -> None:
    start = hands.now
    kalshi = script(past=[Page("kalshi", (filled("a", start - 5 * HOUR, "yes", "5", "0.40"),))])
    cycle = started(kalshi)
    settle(cycle)
    late = filled("late", start - 3 * HOUR, "no", "5", "0.60", "0.05")
    kalshi.tails = [[Page("kalshi", (late,))]]
    hands.now += MINUTE
    cycle.run()
    rows = {row["time"]: row for row in nets(url)}
    assert rows[late.time - MINUTE]["trading_close"] == 0
    assert rows[late.time]["trading_close"] == dollars("0.95")
    assert rows[start]["trading_close"] == dollars("0.95")
    assert [row["time"] for row in rows.values() if row["restated"]] == [late.time]


def test_a_fact_older_than_the_first_row_makes_the_rows_begin_there(
    started: Started, script: Scripts, filled: Filled, hands: Any, url: str
) -> None:
    kalshi = script(past=[Page("kalshi", (filled("a", hands.now, "yes", "5", "0.40"),))])
    costs = script("anthropic")
    cycle = started(kalshi, costs)
    settle(cycle)
    costs.tails = [[Page("anthropic", (spent(hands.now - 48 * HOUR, "3"),))]]
    cycle.run()
    rows = nets(url, "1h")
    assert rows[0]["time"] == hands.now - 48 * HOUR
    assert len(rows) == 49
    assert rows[0]["net_close"] == rows[-1]["net_close"] == dollars("-3")


def test_a_cost_that_grows_rewrites_its_hour_and_nothing_else(
    store: Store, started: Started, script: Scripts, hands: Any, url: str
) -> None:
    hour = hands.now - 4 * HOUR
    costs = script(
        "anthropic", past=[Page("anthropic", (spent(hour, "3"), spent(hour + HOUR, "1")))]
    )
    cycle = started(costs)
    settle(cycle)
    before = nets(url)
    costs.tails = [[Page("anthropic", (spent(hour, "5"),))]]
    cycle.run()
    after = nets(url)
    assert [row["cost"] for row in after if row["cost"]] == [dollars("5"), dollars("1")]
    assert len(after) == len(before)
    assert after[-1]["net_close"] == dollars("-6") == dollars(document(store)["net_pnl"])


def test_change_today_counts_from_midnight_in_the_display_zone(
    store: Store, started: Started, script: Scripts, hands: Any
) -> None:
    """14:00 UTC is 06:00 in Los Angeles: yesterday's cost is not today's change."""
    yesterday, today = spent(hands.now - 20 * HOUR, "40"), spent(hands.now - HOUR, "2")
    settle(started(script("anthropic", past=[Page("anthropic", (yesterday, today))])))
    change = document(store)["change"]
    assert change["today"] == -2
    assert change["week"] == change["month"] == change["year"] == -42


def test_revenue_before_the_first_row_is_its_opening_level(
    store: Store, started: Started, script: Scripts, filled: Filled, hands: Any, url: str
) -> None:
    kalshi = script(past=[Page("kalshi", (filled("a", hands.now, "yes", "1", "0.40"),))])
    revenue = script("revenue", past=[Page("revenue", (deal("250", "2026-10-01"),))])
    settle(started(kalshi, revenue))
    rows = nets(url)
    assert rows[0]["net_open"] == rows[-1]["net_close"] == dollars("250")
    assert document(store)["change"]["year"] == 250


def test_a_source_that_fails_keeps_its_figures_and_says_so(
    store: Store, started: Started, script: Scripts, filled: Filled, hands: Any
) -> None:
    kalshi = script(past=[Page("kalshi", (filled("a", hands.now, "yes", "1", "0.40", "0.02"),))])
    cycle = started(kalshi)
    settle(cycle)
    net = document(store)["net_pnl"]
    kalshi.tails = [Unreachable("GET /portfolio/fills: no connection")] * 5
    hands.now += MINUTE
    cycle.run()
    shown = document(store)
    assert shown["net_pnl"] == net == decode("-0.02")
    assert shown["sources"]["kalshi"]["status"] == "stale"
    assert "no connection" in shown["sources"]["kalshi"]["detail"]
    assert shown["sources"]["anthropic"] == {"status": "off"}


def test_refused_credentials_raise_an_alert_until_they_work(
    store: Store, started: Started, script: Scripts, hands: Any
) -> None:
    kalshi = script()
    cycle = started(kalshi)
    settle(cycle)
    kalshi.tails = [Refused("GET /portfolio/fills: 401 INCORRECT_API_KEY_SIGNATURE")]
    hands.now += MINUTE
    cycle.run()
    (alert,) = document(store)["alerts"]
    assert (alert["id"], alert["severity"]) == ("source.kalshi", "critical")
    cycle.run()
    assert document(store)["alerts"] == []


def test_a_refused_row_is_said(
    store: Store,
    started: Started,
    script: Scripts,
) -> None:
    reject = Reject("kalshi", "f1", "count_fp", "missing", "{}")
    cycle = started(script(past=[Page("kalshi", rejects=(reject,))]))
    settle(cycle)
    (alert,) = document(store)["alerts"]
    assert alert["title"] == "kalshi: count_fp missing (1 row)"


def test_an_unfinished_history_is_incomplete_and_has_no_rows(
    store: Store, started: Started, script: Scripts, filled: Filled, hands: Any
) -> None:
    class Endless(script):
        def history(self, _cursor: object) -> Any:
            yield Page("kalshi", (filled("a", hands.now, "yes", "1", "0.40"),))
            raise Unreachable("GET /portfolio/fills: no connection")

    cycle = started(Endless())
    cycle.run()
    shown = document(store)
    assert shown["complete"] is False
    assert shown["trading"]["fills"] == 1
    assert shown["sources"]["kalshi"]["status"] == "starting"
    assert store.rollups.load("1m", 0) == []


def test_a_settlement_closes_its_market_once(
    store: Store, started: Started, script: Scripts, filled: Filled, hands: Any
) -> None:
    bought = filled("a", hands.now - HOUR, "yes", "10", "0.40")
    end = Settlement(bought.ticker, hands.now - MINUTE, "yes", NANO)
    kalshi = script(past=[Page("kalshi", (bought, end))])
    cycle = started(kalshi)
    settle(cycle)
    kalshi.tails = [[Page("kalshi", (end, replace(bought, time=bought.time)))]]
    cycle.run()
    trading = document(store)["trading"]
    assert (trading["realized"], trading["open_positions"]) == (6, 0)


@pytest.mark.parametrize("stored", [False, True])
def test_a_crash_around_the_snapshot_loses_nothing_and_doubles_nothing(
    store: Store,
    started: Started,
    script: Scripts,
    filled: Filled,
    hands: Any,
    url: str,
    stored: bool,  # noqa: FBT001 -- a parameter of the case
) -> None:
    kalshi = script(past=[Page("kalshi", (filled("a", hands.now - HOUR, "yes", "5", "0.40"),))])
    costs = script("anthropic")
    settle(started(kalshi, costs))
    opened = engine.writer(url)
    crashing = Crashing(opened, unguarded)
    crashing.stored = stored
    cycle = started(kalshi, costs, store=replace(store, snapshots=crashing))
    hands.now += 3 * HOUR
    kalshi.tails = [[Page("kalshi", (filled("b", hands.now - HOUR, "no", "2", "0.50", "1"),))]]
    costs.tails = [[Page("anthropic", (spent(hands.now - 2 * HOUR, "3"),))]]
    with pytest.raises(ZeroDivisionError):
        cycle.run()
    hands.now += 2 * HOUR
    settle(started(script(), script("anthropic")))
    shown = document(store)
    assert shown["trading"]["fills"] == 2
    assert shown["net_pnl"] == decode("-3.8")
    rows = nets(url)
    assert rows[-1]["net_close"] == dollars("-3.8")
    assert sum(row["fills"] for row in rows) == 2
    assert len(rows) == 6 * 60 + 1
    opened.dispose()


def test_an_alert_keeps_its_beginning_over_a_restart(
    store: Store, started: Started, script: Scripts, hands: Any
) -> None:
    reject = Reject("kalshi", "f1", "count_fp", "missing", "{}")
    settle(started(script(past=[Page("kalshi", rejects=(reject,))])))
    (before,) = document(store)["alerts"]
    hands.now += HOUR
    started(script()).run()
    (after,) = document(store)["alerts"]
    assert after["since"] == before["since"]
