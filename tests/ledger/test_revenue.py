"""Revenue: earned on a date or by day, to the last cent."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import moment
from ledger.facts import Deal, Status
from ledger.money import CENT, LIMIT, NANO
from ledger.restatement import Restatement
from ledger.revenue import Revenue, earnings, rated, restated, totals, valued

MARCH_1 = moment.recognition(date(2026, 3, 1))
DEAL = Deal("crm", "1", "Pilot", Status.RECOGNIZED, 100 * NANO, 0, closed_date=date(2026, 3, 1))
SERVICE = replace(DEAL, service_start=date(2026, 3, 1), service_end=date(2026, 3, 3))
FAR = moment.recognition(date(2099, 1, 1))

DATES = st.dates(date(2026, 1, 1), date(2026, 3, 1))
DEALS = st.builds(
    Deal,
    source=st.just("crm"),
    id=st.text(max_size=3),
    name=st.just("deal"),
    status=st.sampled_from(Status),
    amount=st.integers(-(10**13), 10**13),
    updated_at=st.just(0),
    currency=st.sampled_from(["USD", "EUR"]),
    closed_date=st.none() | DATES,
    recognized_at=st.none() | DATES,
    service_start=st.none() | DATES,
    service_end=st.none() | DATES,
    probability=st.none() | st.decimals(0, 1, places=2),
    rate=st.none() | st.decimals("0.5", 2, places=4),
)


def test_a_deal_is_earned_at_ten_utc_of_its_closed_date() -> None:
    assert earnings(DEAL) == ((MARCH_1, 100 * NANO),)
    assert totals([DEAL], MARCH_1) == Revenue(recognized=100 * NANO)


def test_a_recognition_date_goes_before_the_closed_date() -> None:
    later = replace(DEAL, recognized_at=date(2026, 3, 2))
    assert earnings(later) == ((MARCH_1 + moment.DAY, 100 * NANO),)


def test_a_deal_of_a_later_instant_is_pending_until_then() -> None:
    assert totals([DEAL], MARCH_1 - 1) == Revenue(pending=100 * NANO)


def test_a_recognized_deal_without_a_date_stays_pending() -> None:
    undated = replace(DEAL, closed_date=None)
    assert earnings(undated) == ()
    assert totals([undated], FAR) == Revenue(pending=100 * NANO)


def test_a_service_is_earned_by_day_in_whole_cents_and_the_last_day_takes_the_rest() -> None:
    """100.00 over three days: 33.33, 33.33, 33.34."""
    assert earnings(SERVICE) == (
        (MARCH_1, 33_330_000_000),
        (MARCH_1 + moment.DAY, 33_330_000_000),
        (MARCH_1 + 2 * moment.DAY, 33_340_000_000),
    )


def test_a_refund_of_a_service_is_the_mirror_of_it() -> None:
    """−100.00 over three days: −33.33, −33.33, −33.34."""
    amounts = [nano for _, nano in earnings(replace(SERVICE, amount=-100 * NANO))]
    assert amounts == [-33_330_000_000, -33_330_000_000, -33_340_000_000]


def test_less_than_a_cent_a_day_is_earned_on_the_last() -> None:
    amounts = [nano for _, nano in earnings(replace(SERVICE, amount=2 * CENT + 7))]
    assert amounts == [0, 0, 2 * CENT + 7]


def test_a_service_of_one_day_is_earned_at_once() -> None:
    day = replace(SERVICE, service_end=date(2026, 3, 1))
    assert earnings(day) == ((MARCH_1, 100 * NANO),)


@pytest.mark.parametrize("end", [date(2026, 2, 28), date(2026, 2, 27), date(2025, 1, 1)])
def test_a_service_that_ends_before_it_starts_is_earned_once_and_whole(end: date) -> None:
    assert earnings(replace(SERVICE, service_end=end)) == ((moment.recognition(end), 100 * NANO),)


def test_half_a_service_period_is_none() -> None:
    assert earnings(replace(SERVICE, service_end=None)) == ((MARCH_1, 100 * NANO),)
    assert totals([replace(SERVICE, service_end=None)], 0) == Revenue(pending=100 * NANO)
    assert totals([replace(SERVICE, service_start=None)], 0) == Revenue(pending=100 * NANO)


def test_what_a_service_has_not_earned_is_deferred_from_the_first() -> None:
    assert totals([SERVICE], 0) == Revenue(deferred=100 * NANO)
    assert totals([SERVICE], MARCH_1) == Revenue(recognized=33_330_000_000, deferred=66_670_000_000)
    assert totals([SERVICE], MARCH_1 + 2 * moment.DAY) == Revenue(recognized=100 * NANO)


def test_pending_and_pipeline_are_apart_and_the_pipeline_also_weighted() -> None:
    deals = [
        replace(DEAL, status=Status.PENDING),
        replace(DEAL, status=Status.PIPELINE, probability=Decimal("0.25")),
        replace(DEAL, status=Status.PIPELINE, amount=10 * NANO),
    ]
    assert totals(deals, FAR) == Revenue(
        pending=100 * NANO, pipeline=110 * NANO, pipeline_weighted=25 * NANO
    )


@pytest.mark.parametrize("status", [Status.LOST, Status.VOID])
def test_lost_and_void_count_zero(status: Status) -> None:
    assert earnings(replace(DEAL, status=status)) == ()
    assert totals([replace(SERVICE, status=status)], FAR) == Revenue()


def test_a_refund_counts_negative_on_its_own_date() -> None:
    refund = replace(DEAL, id="2", amount=-30 * NANO, closed_date=date(2026, 3, 2))
    assert totals([DEAL, refund], MARCH_1) == Revenue(recognized=100 * NANO, pending=-30 * NANO)
    assert totals([DEAL, refund], FAR) == Revenue(recognized=70 * NANO)


def test_another_currency_without_a_rate_is_not_counted() -> None:
    foreign = replace(SERVICE, currency="EUR")
    assert earnings(foreign) == ()
    assert totals([foreign, replace(foreign, status=Status.PENDING)], FAR) == Revenue()


def test_another_currency_is_earned_in_whole_cents_of_a_dollar() -> None:
    """100.00 EUR at 1.0825 over three days: 36.08, 36.08, 36.09."""
    foreign = replace(SERVICE, currency="EUR", rate=Decimal("1.0825"))
    assert [nano for _, nano in earnings(foreign)] == [
        36_080_000_000,
        36_080_000_000,
        36_090_000_000,
    ]


@given(DEALS)
def test_earnings_add_up_to_the_deal_and_come_in_order_on_whole_hours(deal: Deal) -> None:
    earned = earnings(deal)
    assert sum(nano for _, nano in earned) == (deal.usd if earned else 0)
    assert [instant for instant, _ in earned] == sorted({instant for instant, _ in earned})
    assert all(instant % moment.HOUR == 0 for instant, _ in earned)
    assert all(nano % CENT == 0 for _, nano in earned[:-1])


@given(st.lists(DEALS, max_size=8), st.integers(MARCH_1 - 90 * moment.DAY, MARCH_1 + moment.DAY))
def test_recognized_is_what_was_earned_and_the_rest_is_shown_apart(
    deals: list[Deal], at: int
) -> None:
    shown = totals(deals, at)
    booked = [deal for deal in deals if deal.status is Status.RECOGNIZED]
    earned = sum(nano for deal in booked for instant, nano in earnings(deal) if instant <= at)
    waiting = sum(deal.usd or 0 for deal in deals if deal.status is Status.PENDING)
    assert shown.recognized == earned
    assert shown.recognized + shown.pending + shown.deferred - waiting == sum(
        deal.usd or 0 for deal in booked
    )


EURO = replace(DEAL, currency="EUR")
RATES = {"EUR": Decimal("1.08")}
TODAY = date(2026, 3, 5)
NOW = moment.recognition(TODAY)


def test_a_recognized_deal_takes_the_settings_rate_of_the_day() -> None:
    booked = rated(EURO, None, RATES, NOW)
    assert (booked.rate, booked.rate_date, booked.usd) == (Decimal("1.08"), TODAY, 108 * NANO)


def test_a_rate_of_its_own_stands() -> None:
    own = replace(EURO, rate=Decimal("1.5"), rate_date=date(2026, 1, 1))
    assert rated(own, None, RATES, NOW) == own
    newer = replace(own, rate=Decimal("1.6"), updated_at=1)
    assert rated(newer, own, RATES, NOW) == newer
    assert rated(DEAL, None, {"USD": Decimal(2)}, NOW) == DEAL


def test_what_is_recognized_keeps_its_rate_whatever_the_setting_says() -> None:
    booked = rated(EURO, None, RATES, NOW)
    later = replace(EURO, amount=200 * NANO, updated_at=1)
    again = rated(later, booked, {"EUR": Decimal(2)}, NOW + 9 * moment.DAY)
    assert (again.rate, again.rate_date, again.amount) == (Decimal("1.08"), TODAY, 200 * NANO)
    assert rated(later, booked, {}, NOW).rate == Decimal("1.08")


def test_a_deal_in_another_currency_than_before_has_another_rate() -> None:
    booked = rated(EURO, None, RATES, NOW)
    pounds = replace(EURO, currency="GBP", updated_at=1)
    assert rated(pounds, booked, {"GBP": Decimal("1.27")}, NOW).rate == Decimal("1.27")


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.RECOGNIZED}))
def test_what_is_not_recognized_is_valued_but_not_frozen(status: Status) -> None:
    coming = replace(EURO, status=status)
    assert rated(coming, None, RATES, NOW) == coming
    assert valued(coming, RATES).usd == 108 * NANO
    assert valued(coming, RATES).rate_date is None
    assert valued(coming, {}) == coming


def test_the_same_version_again_takes_no_rate_by_itself() -> None:
    """Or it would differ from what is kept, and be a conflict."""
    assert rated(EURO, EURO, RATES, NOW) == EURO
    assert rated(replace(EURO, updated_at=-1), EURO, RATES, NOW).rate is None
    assert rated(replace(EURO, updated_at=1), EURO, RATES, NOW).rate == Decimal("1.08")


def test_a_rate_that_makes_too_much_of_a_deal_is_not_taken() -> None:
    huge = replace(EURO, amount=LIMIT)
    assert rated(huge, None, RATES, NOW) == huge
    assert valued(huge, RATES) == huge


def test_a_new_deal_of_a_past_day_restates_it() -> None:
    assert list(restated(None, DEAL, NOW)) == [
        Restatement(NOW, "crm", "deal 1", MARCH_1, MARCH_1 + moment.HOUR, 100 * NANO)
    ]


@pytest.mark.parametrize("day", [TODAY, date(2026, 3, 6), None])
def test_a_deal_of_today_or_later_restates_nothing(day: date | None) -> None:
    assert list(restated(None, replace(DEAL, closed_date=day), NOW)) == []


def test_a_deal_that_moves_restates_both_days() -> None:
    moved = replace(DEAL, closed_date=date(2026, 3, 3))
    changes = [(each.start, each.amount) for each in restated(DEAL, moved, NOW)]
    assert changes == [(MARCH_1, -100 * NANO), (MARCH_1 + 2 * moment.DAY, 100 * NANO)]


def test_a_service_restates_its_past_days_as_one_span() -> None:
    """120.00 over six days instead of nothing: four of them are past."""
    service = replace(SERVICE, amount=120 * NANO, service_end=date(2026, 3, 6))
    (change,) = restated(replace(service, status=Status.VOID), service, NOW)
    assert (change.start, change.end) == (MARCH_1, MARCH_1 + 3 * moment.DAY + moment.HOUR)
    assert change.amount == 80 * NANO


def test_a_change_that_moves_no_money_restates_nothing() -> None:
    assert list(restated(DEAL, replace(DEAL, name="Other", updated_at=1), NOW)) == []


@given(st.none() | DEALS, DEALS, DATES)
def test_restatements_add_up_to_what_changed_before_today(
    before: Deal | None, after: Deal, today: date
) -> None:
    now = moment.recognition(today)
    changes = list(restated(before, after, now))
    midnight = moment.floor(now, moment.DAY)
    shift = sum(nano for instant, nano in earnings(after) if instant < midnight)
    shift -= sum(nano for instant, nano in earnings(before) if instant < midnight) if before else 0
    assert sum(change.amount for change in changes) == shift
    assert all(change.start < change.end <= midnight for change in changes)
    spans = [(change.start, change.end) for change in changes]
    assert spans == sorted(spans)


@given(DEALS, st.lists(st.integers(0, 400), min_size=1, max_size=5))
def test_earned_and_unearned_are_the_deal_at_every_instant(deal: Deal, days: list[int]) -> None:
    worth = deal.usd if deal.status is Status.RECOGNIZED else 0
    for day in days:
        shown = totals([replace(deal, status=Status.RECOGNIZED)], MARCH_1 + day * moment.DAY)
        assert shown.recognized + shown.deferred + shown.pending == (deal.usd or 0)
    if deal.status is Status.RECOGNIZED and earnings(deal):
        assert totals([deal], FAR).recognized == worth
