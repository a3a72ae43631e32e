"""Revenue: earned on a date or by day, to the last cent."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import moment
from ledger.facts import Deal, Status
from ledger.money import CENT, NANO
from ledger.revenue import Revenue, earnings, totals

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
