"""Alerts: what is named in them, and since when they are open."""

from ledger.moment import HOUR, MINUTE, parse
from ledger.snapshot import Alert, SourceState
from pipeline import alerts
from pipeline.alerts import MOST_FIELDS, Alerts, Condition
from storage.quarantine import Refusals
from storage.text import encode

NOON = parse("2026-11-20T12:00:00Z")


def titles(conditions: object) -> list[str]:
    assert hasattr(conditions, "__iter__")
    return [each.title for each in conditions]


def test_an_alert_keeps_its_beginning_while_its_title_changes() -> None:
    told = Alerts(None)
    told.raised([Condition("a", "warning", "one")], NOON)
    (again,) = told.raised([Condition("a", "warning", "two")], NOON + HOUR)
    assert again == Alert("a", "warning", "two", NOON)


def test_an_alert_that_comes_back_begins_anew() -> None:
    told = Alerts(None)
    told.raised([Condition("a", "warning", "one")], NOON)
    assert told.raised([], NOON + MINUTE) == ()
    (again,) = told.raised([Condition("a", "warning", "one")], NOON + HOUR)
    assert again.since == NOON + HOUR


def test_what_was_open_before_a_restart_keeps_its_beginning() -> None:
    stored = {"id": "a", "severity": "warning", "title": "x", "since": "2026-11-20T11:00:00Z"}
    told = Alerts(encode({"alerts": [stored]}))
    (again,) = told.raised([Condition("a", "warning", "x")], NOON)
    assert again.since == NOON - HOUR


def test_a_source_that_fails_is_critical_and_one_that_is_old_a_warning() -> None:
    states = {
        "kalshi": SourceState("failing", NOON, detail="signed calls rest until 12:01Z"),
        "anthropic": SourceState("stale", NOON),
        "revenue": SourceState("stale"),
        "hubspot": SourceState("ok", NOON),
        "csv": SourceState("off"),
    }
    found = list(alerts.of_sources(states))
    assert [(each.id, each.severity, each.title) for each in found] == [
        ("source.kalshi", "critical", "kalshi: signed calls rest until 12:01Z"),
        ("stale.anthropic", "warning", "anthropic: no new figures since 2026-11-20T12:00Z"),
        ("stale.revenue", "warning", "revenue: no figures yet"),
    ]


def test_a_failing_source_without_a_word_gave_no_answer() -> None:
    assert titles(alerts.of_sources({"a": SourceState("failing")})) == ["a: no answer"]


def test_a_stream_is_told_of_after_a_minute() -> None:
    refused = "stream refused 404: polling"
    assert titles(alerts.of_stream("kalshi", 60.0, refused)) == []
    assert titles(alerts.of_stream("kalshi", 60.1, refused)) == [f"kalshi: {refused}"]
    assert titles(alerts.of_stream("kalshi", 61, "")) == ["kalshi: no stream: polling"]


def test_refused_rows_are_named_by_source_and_field() -> None:
    refusals = [
        Refusals("kalshi", "fill_id", "is missing", same=True, rows=3),
        Refusals("revenue", "amount", "is no number", same=False, rows=1),
    ]
    found = list(alerts.of_refusals(refusals))
    assert [(each.id, each.title) for each in found] == [
        ("quarantine.kalshi.fill_id", "kalshi: fill_id is missing (3 rows)"),
        ("quarantine.revenue.amount", "revenue: amount is no number, and other reasons (1 row)"),
    ]


def test_more_fields_than_anyone_reads_are_summed_up() -> None:
    refusals = [
        Refusals("kalshi", f"field{n}", "is missing", same=True, rows=100 - n)
        for n in range(MOST_FIELDS + 2)
    ]
    found = titles(alerts.of_refusals(refusals))
    assert len(found) == MOST_FIELDS + 1
    assert found[0] == "kalshi: field0 is missing (100 rows)"
    assert found[-1] == f"{90 + 89} rows refused for 2 other fields"


def test_a_cost_without_a_price_is_said() -> None:
    assert titles(alerts.of_prices(unpriced=False)) == []
    assert "lower bound" in titles(alerts.of_prices(unpriced=True))[0]


def test_differences_from_a_sources_own_figures_are_counted() -> None:
    found = titles(alerts.of_reconciliation({"kalshi": 2, "revenue": 1, "anthropic": 0}))
    assert found == [
        "kalshi: 2 differences from its own figures",
        "revenue: 1 difference from its own figures",
    ]
